import {
  CreateAliasCommand,
  GetProvisionedConcurrencyConfigCommand,
  InvokeCommand,
  LambdaClient,
  PublishVersionCommand,
  PutFunctionConcurrencyCommand,
  PutProvisionedConcurrencyConfigCommand,
  UpdateAliasCommand,
  UpdateFunctionCodeCommand,
} from "@aws-sdk/client-lambda";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { createFunctionRole, createNodeFunction, zipOf } from "../../testing/functions.ts";
import { startTestNodes, type TestNodes } from "../../testing/nodes.ts";

let all: TestNodes;
let clients: LambdaClient[];
let Role: string;

const answering = (text: string) => `export const handler = async () => ${JSON.stringify(text)};`;
const settings = () => all.nodes[0]?.settings ?? expect.fail();
const client = (at: number) => clients[at] ?? expect.fail();
const invoke = async (at: number, FunctionName: string) => {
  const { Payload } = await client(at).send(new InvokeCommand({ FunctionName }));
  return JSON.parse(Buffer.from(Payload ?? []).toString()) as unknown;
};

beforeAll(async () => {
  all = await startTestNodes(2, { sandbox: "process" });
  clients = all.nodes.map(({ settings }) => new LambdaClient(settings));
  Role = await createFunctionRole(settings(), "runs");
}, 30_000);
afterAll(() => all.stop());

test("a function whose code one node has updated answers with it on every node at once", async () => {
  await createNodeFunction(settings(), {
    FunctionName: "f",
    Role,
    source: answering("0"),
  });
  for (let round = 1; round <= 6; round += 1) {
    const [from, to] = [round % 2, (round + 1) % 2];
    const ZipFile = zipOf({ "index.mjs": answering(String(round)) });
    await client(from).send(new UpdateFunctionCodeCommand({ FunctionName: "f", ZipFile }));
    expect(await invoke(to, "f")).toBe(String(round));
    expect(await invoke(from, "f")).toBe(String(round));
  }
});

test("an alias that one node has moved points there on every node at once", async () => {
  for (const text of ["one", "two"]) {
    const ZipFile = zipOf({ "index.mjs": answering(text) });
    await client(0).send(new UpdateFunctionCodeCommand({ FunctionName: "f", ZipFile }));
    await client(0).send(new PublishVersionCommand({ FunctionName: "f" }));
  }
  await client(0).send(new CreateAliasCommand({ FunctionName: "f", Name: "live", FunctionVersion: "1" }));
  expect(await invoke(1, "f:live")).toBe("one");
  await client(1).send(new UpdateAliasCommand({ FunctionName: "f", Name: "live", FunctionVersion: "2" }));
  expect(await invoke(0, "f:live")).toBe("two");
});

test("of 40 concurrent invocations on two nodes of a function that has reserved 12, exactly 12 run", async () => {
  const FunctionName = "narrow";
  const folder = await mkdtemp(join(tmpdir(), "cumulet-test-"));
  const source = `import { existsSync, writeFileSync } from "node:fs";
    export const handler = async (index) => {
      writeFileSync(${JSON.stringify(folder)} + "/" + index, "");
      while (!existsSync(${JSON.stringify(join(folder, "go"))})) await new Promise((resolve) => setTimeout(resolve, 5));
      return index;
    };`;
  await createNodeFunction(settings(), { FunctionName, Role, source, Timeout: 60 });
  await client(0).send(new PutFunctionConcurrencyCommand({ FunctionName, ReservedConcurrentExecutions: 12 }));
  const refused: unknown[] = [];
  const answers = Array.from({ length: 40 }, (_, index) =>
    client(index % 2)
      .send(new InvokeCommand({ FunctionName, Payload: String(index) }))
      .catch((error: unknown) => void refused.push(error)),
  );
  await vi.waitFor(() => expect(refused).toHaveLength(28), { timeout: 20_000 });
  await vi.waitFor(async () => expect(await readdir(folder)).toHaveLength(12), { timeout: 20_000 });
  await writeFile(join(folder, "go"), "");
  expect((await Promise.all(answers)).filter((answer) => answer?.StatusCode === 200)).toHaveLength(12);
  expect(refused[0]).toMatchObject({ Reason: "ReservedFunctionConcurrentInvocationLimitExceeded" });
  await rm(folder, { recursive: true });
});

test("provisioned environments are spread over the nodes, and are all there again when one of them has gone", async () => {
  const target = { FunctionName: "f", Qualifier: "1" };
  await client(0).send(new PutProvisionedConcurrencyConfigCommand({ ...target, ProvisionedConcurrentExecutions: 5 }));
  const allocated = async (at: number) => await client(at).send(new GetProvisionedConcurrencyConfigCommand(target));
  for (const at of [0, 1]) {
    await vi.waitFor(
      async () =>
        expect(await allocated(at)).toMatchObject({ Status: "READY", AllocatedProvisionedConcurrentExecutions: 5 }),
      { timeout: 15_000, interval: 100 },
    );
  }
  await all.nodes[1]?.stop();
  await vi.waitFor(async () => expect((await allocated(0)).Status).toBe("READY"), { timeout: 15_000, interval: 100 });
});
