import { CreateFunctionCommand, InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32, deflateRawSync } from "node:zlib";
import { strToU8, zipSync } from "fflate";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import {
  clientSettings,
  createFunctionRole,
  createNodeFunction,
  type ClientSettings,
} from "../../src/testing/functions.ts";
import { startTestServer, type TestServer } from "../../src/testing/server.ts";

const source = `
export const handler = async ({ what, paths, bytes }) => {
  switch (what) {
    case "fetch": {
      const answers = {};
      for (const [name, path, init] of paths) {
        const response = await fetch(process.env.AWS_ENDPOINT_URL + path, init);
        answers[name] = response.status;
      }
      return answers;
    }
    case "log": {
      const line = "x".repeat(1_023);
      for (let printed = 0; printed < bytes; printed += 1_024) console.log(line);
      return bytes;
    }
  }
  return "here";
};`;

let server: TestServer;
let settings: ClientSettings;
let lambda: LambdaClient;
let Role: string;

beforeAll(async () => {
  server = await startTestServer();
  settings = clientSettings(server.environment);
  lambda = new LambdaClient(settings);
  Role = await createFunctionRole(settings, "runs");
  for (const FunctionName of ["hostile", "neighbour"]) {
    await createNodeFunction(settings, { FunctionName, Role, source, Timeout: 60, MemorySize: 256 });
    await invoke(FunctionName, {});
  }
}, 60_000);
afterAll(() => server.stop());

async function invoke(FunctionName: string, event: object): Promise<unknown> {
  const { Payload } = await lambda.send(new InvokeCommand({ FunctionName, Payload: JSON.stringify(event) }));
  return JSON.parse(Payload?.transformToString() ?? "null");
}

function residentMb(): number {
  return Number(/^VmRSS:\s+(\d+) kB/mu.exec(readFileSync(`/proc/${server.pid}/status`, "utf8"))?.[1]) / 1_024;
}

const json = (target: string) => ({
  method: "POST",
  headers: { "content-type": "application/x-amz-json-1.1", "x-amz-target": target },
  body: "{}",
});
const form = (body: string) => ({
  method: "POST",
  headers: { "content-type": "application/x-www-form-urlencoded" },
  body,
});

describe("A function", () => {
  test("that does not sign what it asks of the platform's endpoint is refused by every service", async () => {
    const paths = [
      ["lambda", "/2015-03-31/functions/"],
      ["code", "/2015-03-31/functions/neighbour"],
      ["invoke", "/2015-03-31/functions/neighbour/invocations", { method: "POST", body: "{}" }],
      ["logs", "/", json("Logs_20140328.DescribeLogGroups")],
      ["ecr", "/", json("AmazonEC2ContainerRegistry_V20150921.DescribeRepositories")],
      ["iam", "/", form("Action=ListUsers&Version=2010-05-08")],
      ["sts", "/", form("Action=GetCallerIdentity&Version=2011-06-15")],
      ["cloudformation", "/", form("Action=ListStacks&Version=2010-05-15")],
      ["images", "/v2/"],
      ["usage", "/_cumulet/usage"],
      ["records", "/_cumulet/usage/records"],
      ["developer's", "/_cumulet/dev/events"],
      ["metrics", "/metrics"],
    ];
    const answers = (await invoke("hostile", { what: "fetch", paths })) as Record<string, number>;
    expect(Object.keys(answers)).toHaveLength(paths.length);
    for (const [name, status] of Object.entries(answers)) {
      expect([name, status]).toEqual([name, expect.toSatisfy((code: number) => [400, 401, 403, 404].includes(code))]);
    }
  });

  test("that logs 40 MB is slowed down to what the server takes: its memory stays bounded, neighbours are answered", async () => {
    const before = residentMb();
    let most = before;
    const state = { over: false };
    const bytes = 40 * 1_048_576;
    const flood = invoke("hostile", { what: "log", bytes }).finally(() => (state.over = true));
    let answers = 0;
    while (!state.over) {
      expect(await invoke("neighbour", {})).toBe("here");
      answers += 1;
      most = Math.max(most, residentMb());
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    expect(await flood).toBe(bytes);
    expect(answers).toBeGreaterThan(3);
    expect(most - before).toBeLessThan(250);
  }, 60_000);

  test("with a package that means harm is refused with the reason, and leaves nothing", async () => {
    const index = strToU8("exports.handler = async () => 1");
    const link = (target: string) =>
      zipSync({ "index.js": index, out: [strToU8(target), { os: 3, attrs: (0o120777 << 16) >>> 0 }] });
    const packages: readonly (readonly [string, Uint8Array, string])[] = [
      ["300 MB of zeros", bombZip(12, 25 * 1_048_576), "Unzipped size must be smaller than 262144000 bytes"],
      ["a path upwards", zipSync({ "index.js": index, "../../../out": index }), "Could not unzip uploaded file."],
      ["an absolute path", zipSync({ "index.js": index, "/etc/out": index }), "Could not unzip uploaded file."],
      ["a link upwards", link("../../../../etc/shadow"), "Could not unzip uploaded file."],
      ["an absolute link", link("/etc/shadow"), "Could not unzip uploaded file."],
    ];
    for (const [name, ZipFile, message] of packages) {
      const create = new CreateFunctionCommand({
        FunctionName: "packed",
        Role,
        Runtime: "nodejs24.x",
        Handler: "index.handler",
        Code: { ZipFile },
      });
      const refused = await lambda.send(create).catch((error: unknown) => error);
      expect([name, refused]).toEqual([
        name,
        expect.objectContaining({ name: "InvalidParameterValueException", message: expect.stringContaining(message) }),
      ]);
    }
    expect(existsSync("/etc/out")).toBe(false);
  });
});

/** So many files of zeros, all of which are the same few bytes of the archive. */
function bombZip(count: number, bytes: number): Uint8Array {
  const zeros = Buffer.alloc(bytes);
  const data = deflateRawSync(zeros);
  const local = Buffer.alloc(31);
  local.writeUInt32LE(0x04034b50, 0);
  local.writeUInt16LE(1, 26);
  const entries = Array.from({ length: count }, (_, at) => {
    const entry = Buffer.alloc(47);
    entry.writeUInt32LE(0x02014b50, 0);
    entry.writeUInt16LE(8, 10);
    entry.writeUInt32LE(crc32(zeros), 16);
    entry.writeUInt32LE(data.length, 20);
    entry.writeUInt32LE(bytes, 24);
    entry.writeUInt16LE(1, 28);
    entry.write(String.fromCharCode(97 + at), 46);
    return entry;
  });
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(count, 10);
  end.writeUInt32LE(local.length + data.length, 16);
  return Buffer.concat([local, data, ...entries, end]);
}

test("kill -9 of the server while 20 events run and wait loses none of them: those that had not ended run again", async () => {
  // Without isolation a function can leave a mark that its server's end does not take with it.
  const plain = await startTestServer(["--sandbox", "process"]);
  const folder = await mkdtemp(join(tmpdir(), "cumulet-test-"));
  try {
    const own = clientSettings(plain.environment);
    const client = new LambdaClient(own);
    const FunctionName = "marks";
    await createNodeFunction(own, {
      FunctionName,
      Role: await createFunctionRole(own, "runs"),
      source: `import { appendFileSync } from "node:fs";
        export const handler = async (number) => {
          appendFileSync(${JSON.stringify(join(folder, "begun"))}, number + "\\n");
          await new Promise((resolve) => setTimeout(resolve, 500));
          appendFileSync(${JSON.stringify(join(folder, "ended"))}, number + "\\n");
        };`,
    });
    for (let number = 1; number <= 20; number += 1) {
      await client.send(new InvokeCommand({ FunctionName, InvocationType: "Event", Payload: String(number) }));
    }
    const marks = async (name: string) => (await readFile(join(folder, name), "utf8")).trim().split("\n");
    await vi.waitFor(async () => expect((await marks("begun")).length).toBeGreaterThan(0), {
      timeout: 10_000,
      interval: 5,
    });
    await plain.killAndRestart();
    await vi.waitFor(async () => expect(new Set(await marks("ended")).size).toBe(20), {
      timeout: 50_000,
      interval: 100,
    });
    const begun = await marks("begun");
    expect(begun.length).toBeGreaterThan(20);
  } finally {
    await plain.stop();
    await rm(folder, { recursive: true, force: true });
  }
}, 90_000);
