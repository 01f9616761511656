import {
  InvokeCommand,
  LambdaClient,
  UpdateFunctionCodeCommand,
  waitUntilFunctionUpdatedV2,
} from "@aws-sdk/client-lambda";
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { clientSettings, createFunctionRole, createNodeFunction, zipOf } from "../../src/testing/functions.ts";
import { findPostgres, noPostgres, startPostgres } from "../../src/testing/postgres.ts";
import { startTestServer } from "../../src/testing/server.ts";
import { startFlakyProxy } from "./flaky-proxy.ts";

const missing = (await findPostgres()) === undefined;
const answering = (text: string) => `export const handler = async () => ${JSON.stringify(text)};`;

describe.skipIf(missing)(`a node of several that stands still (SIGSTOP)${missing ? ` (${noPostgres})` : ""}`, () => {
  test("is not waited for longer than its lease; it wakes to 503, and answers again with its lease, never of before", async () => {
    const postgres = await startPostgres();
    const store = await postgres.newStore();
    const proxy = await startFlakyProxy(postgres.passwordUrl + new URL(store).search);
    // What the operator gives to all nodes.
    process.env["CUMULET_SERVER_KEY"] = "5e".repeat(32);
    const paused = await startTestServer(["--sandbox", "process"], { store: proxy.url });
    const other = await startTestServer(["--sandbox", "process"], { store });
    delete process.env["CUMULET_SERVER_KEY"];
    try {
      const settings = { ...clientSettings(other.environment), maxAttempts: 1 };
      const [here, there] = [new LambdaClient(settings), new LambdaClient({ ...settings, endpoint: paused.endpoint })];
      const change = async (text: string) => {
        const ZipFile = zipOf({ "index.mjs": answering(text) });
        await here.send(new UpdateFunctionCodeCommand({ FunctionName: "f", ZipFile }));
        await waitUntilFunctionUpdatedV2({ client: here, maxWaitTime: 20, minDelay: 0.05 }, { FunctionName: "f" });
      };
      const Role = await createFunctionRole(settings, "runs");
      await createNodeFunction(settings, { FunctionName: "f", Role, source: answering("before") });
      // Both remember it now.
      expect([await invoke(here), await invoke(there)]).toEqual(["before", "before"]);

      process.kill(paused.pid, "SIGSTOP");
      const from = performance.now();
      await change("after");
      expect(performance.now() - from).toBeLessThan(30_000);
      expect(await invoke(here)).toBe("after");
      // That request is in its socket when it wakes, and the way to the store is not.
      proxy.setAway(true);
      const refused = invoke(there).catch((error: unknown) => error);
      await delay(100);
      process.kill(paused.pid, "SIGCONT");
      expect(await refused).toMatchObject({ $metadata: { httpStatusCode: 503 } });
      const ready = await fetch(`${paused.endpoint}/_cumulet/ready`);
      expect([ready.status, await ready.json()]).toEqual([503, expect.objectContaining({ status: "unavailable" })]);

      proxy.setAway(false);
      const answers = new Set<unknown>();
      await expect
        .poll(
          async () => {
            const answer = await invoke(there).catch(() => "refused");
            answers.add(answer);
            return answer;
          },
          { timeout: 30_000 },
        )
        .toBe("after");
      expect(answers).not.toContain("before");
      expect((await fetch(`${paused.endpoint}/_cumulet/ready`)).status).toBe(200);
    } finally {
      await paused.stop();
      await other.stop();
      await proxy.stop();
      await postgres.stop();
    }
  }, 120_000);
});

async function invoke(client: LambdaClient): Promise<unknown> {
  const { Payload } = await client.send(new InvokeCommand({ FunctionName: "f" }));
  return JSON.parse(Buffer.from(Payload ?? []).toString("utf8")) as unknown;
}
