import { execFileSync } from "node:child_process";
import { closeSync, openSync, statfsSync, writeSync } from "node:fs";
import { mkdtemp, rm, rmdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  InvokeCommand,
  LambdaClient,
  ListFunctionsCommand,
  UpdateFunctionConfigurationCommand,
} from "@aws-sdk/client-lambda";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  clientSettings,
  createFunctionRole,
  createNodeFunction,
  type ClientSettings,
} from "../../src/testing/functions.ts";
import { startTestServer, type TestServer } from "../../src/testing/server.ts";

let disk = "";
let server: TestServer | undefined;
let settings: ClientSettings;
let lambda: LambdaClient;
let why = "";

beforeAll(async () => {
  disk = await mkdtemp(join(tmpdir(), "cumulet-disk-"));
  try {
    execFileSync("/bin/mount", ["-t", "tmpfs", "-o", "size=48m", "cumulet-test", disk], { stdio: "pipe" });
  } catch {
    why = "needs the right to mount a small disk";
    return;
  }
  const temporary = process.env["TMPDIR"];
  process.env["TMPDIR"] = disk;
  try {
    server = await startTestServer();
  } finally {
    if (temporary === undefined) delete process.env["TMPDIR"];
    else process.env["TMPDIR"] = temporary;
  }
  settings = clientSettings(server.environment);
  lambda = new LambdaClient(settings);
}, 60_000);
afterAll(async () => {
  await server?.stop();
  if (why === "") execFileSync("/bin/umount", ["-l", disk]);
  await rmdir(disk).catch(() => {});
});

/** Takes all the space that is left. */
function fill(): void {
  const file = openSync(join(disk, "filler"), "a");
  try {
    for (const bytes of [1_048_576, 4_096]) {
      try {
        for (;;) writeSync(file, Buffer.alloc(bytes));
      } catch {
        // Less than that is left.
      }
    }
  } finally {
    closeSync(file);
  }
}

test("a full disk makes changes fail and loses nothing; when there is space again, all goes on as before", async (context) => {
  if (why !== "" || server === undefined) return context.skip(why);
  const Role = await createFunctionRole(settings, "runs");
  const source = `export const handler = async (event) => { console.log("ran"); return event; };`;
  await createNodeFunction(settings, { FunctionName: "here", Role, source, Description: "0" });
  const invoke = async (event: string) => {
    const { Payload } = await lambda.send(new InvokeCommand({ FunctionName: "here", Payload: event }));
    return Payload?.transformToString();
  };
  const describe = (Description: string) =>
    lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName: "here", Description }));
  expect(await invoke("1")).toBe("1");

  fill();
  expect(statfsSync(disk).bavail).toBe(0);
  let acknowledged = "0";
  const refusals: unknown[] = [];
  for (let count = 1; count <= 40 && refusals.length < 3; count += 1) {
    try {
      await describe(String(count).repeat(120));
      acknowledged = String(count).repeat(120);
    } catch (error) {
      refusals.push(error);
    }
    fill();
  }
  expect(refusals).toHaveLength(3);
  for (const refusal of refusals)
    expect(refusal).toMatchObject({
      $metadata: { httpStatusCode: expect.toSatisfy((status: number) => status >= 500) },
    });
  await expect(createNodeFunction(settings, { FunctionName: "no-room", Role, source })).rejects.toMatchObject({
    $metadata: { httpStatusCode: expect.toSatisfy((status: number) => status >= 500) },
  });
  // What needs no space is served.
  const { Functions } = await lambda.send(new ListFunctionsCommand({}));
  expect(Functions).toMatchObject([{ FunctionName: "here", Description: acknowledged }]);
  expect(await invoke("2")).toBe("2");

  await rm(join(disk, "filler"));
  await describe("space");
  expect(await invoke("3")).toBe("3");
  await createNodeFunction(settings, { FunctionName: "room", Role, source });
  await server.killAndRestart();
  const after = await lambda.send(new ListFunctionsCommand({}));
  expect(after.Functions?.map(({ FunctionName, Description }) => [FunctionName, Description])).toEqual([
    ["here", "space"],
    ["room", ""],
  ]);
  expect(await invoke("4")).toBe("4");
}, 120_000);
