import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { FunctionSpec } from "../../src/compute/compute.ts";
import { startHarness, type Harness } from "../compute/harness.ts";
import { buildClient } from "./clients.ts";

/** Functions whose invocations meet: each waits in `/tmp` for what the other leaves there. */
const clients = [
  {
    name: "node",
    handler: "index.handler",
    files: (folder: string) => ({
      bootstrap: `#!/bin/sh\nexec "${process.execPath}" "${folder}/node_modules/aws-lambda-ric/index.mjs"\n`,
      "index.mjs": `import { existsSync, writeFileSync } from "node:fs";
        import { setTimeout as pause } from "node:timers/promises";
        export const handler = async (event, context) => {
          console.log("seen " + event.me);
          if (event.meet === undefined) return event;
          writeFileSync(event.meet + event.me, "");
          while (!existsSync(event.meet + event.other)) await pause(5);
          return context.awsRequestId;
        };`,
    }),
  },
  {
    name: "python",
    handler: "app.handler",
    files: (folder: string) => ({
      bootstrap: `#!/bin/sh\nPYTHONPATH="${folder}/packages" exec /usr/bin/python3 -m awslambdaric "$_HANDLER"\n`,
      "app.py": `
import logging, os, time
def handler(event, context):
    logging.getLogger().warning("seen " + str(event.get("me")))
    if "meet" not in event: return event
    open(event["meet"] + event["me"], "w").close()
    while not os.path.exists(event["meet"] + event["other"]): time.sleep(0.005)
    return context.aws_request_id
`,
    }),
  },
] as const;

describe.each(clients)("the official client for $name, unmodified", ({ name, handler, files }) => {
  let harness: Harness;
  let missing: string | undefined;
  let spec: FunctionSpec;
  beforeAll(async () => {
    harness = await startHarness("process");
    const built = await buildClient(name);
    if ("missing" in built) {
      missing = built.missing;
      return;
    }
    spec = await harness.define(files(built.folder), {
      runtime: "provided.al2023",
      handler,
      memoryMb: 2048,
      timeoutMs: 10_000,
      logFormat: "JSON",
      multiConcurrency: { slots: 3, vcpus: 1 },
      environment: { AWS_LAMBDA_NODEJS_WORKER_COUNT: "2" },
    });
    harness.compute.maintain([
      { spec, environmentsMin: 1, environmentsMax: 1, utilizationTarget: 0.5, group: "g", groupVcpusMax: 4 },
    ]);
  }, 900_000);
  afterAll(() => harness.stop());

  it("runs invocations of one environment at once, which meet there", async ({ skip }) => {
    if (missing !== undefined) skip(missing);
    await vi.waitFor(() => Promise.all([0, 1].map(() => harness.answer(spec, { me: "early" }))), { timeout: 15_000 });
    const meet = `/tmp/cumulet-meet-${process.pid}-${name}-`;
    const requestIds = ["11111111-2222-4333-8444-555555555555", "66666666-2222-4333-8444-555555555555"];
    const outcomes = await Promise.all([
      harness.invoke(spec, { meet, me: "a", other: "b" }, { requestId: requestIds[0] ?? "" }),
      harness.invoke(spec, { meet, me: "b", other: "a" }, { requestId: requestIds[1] ?? "" }),
    ]);
    expect(outcomes.map(({ payload }) => JSON.parse(Buffer.from(payload).toString()) as unknown)).toEqual(requestIds);
    expect(harness.compute.fleet(spec.id)?.ready).toBe(1);
    const line = harness.log(spec).find((each) => each.includes("seen a")) ?? "{}";
    expect(JSON.parse(line)).toMatchObject({ requestId: requestIds[0] });
  });
});
