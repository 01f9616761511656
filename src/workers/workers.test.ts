import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { Agent } from "node:http";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import {
  InvokeCommand,
  LambdaClient,
  UpdateFunctionCodeCommand,
  waitUntilFunctionUpdatedV2,
} from "@aws-sdk/client-lambda";
import { CreateBucketCommand, ListObjectsV2Command, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readLiveLines } from "../cli/live-lines.ts";
import { signedRequest } from "../cli/signed-get.ts";
import { clientSettings, createFunctionRole, createNodeFunction, zipOf } from "../testing/functions.ts";
import { startTestServer, type TestServer } from "../testing/server.ts";

const run = promisify(execFile);

let server: TestServer;
let settings: ReturnType<typeof clientSettings>;
let Role: string;
let scratch: string;

/** Tells its environment and the process that has started it; slow enough that two at a time need two environments. */
const whoSource = `
const id = Math.random();
export const handler = async () => {
  await new Promise((resolve) => setTimeout(resolve, 100));
  return { id, worker: process.ppid };
};`;

beforeAll(async () => {
  server = await startTestServer(["--sandbox", "process", "--workers", "2"]);
  await until(async () => (await scrape()).includes('process_resident_memory_bytes{worker="2"}'));
  // As the clients are by default.
  settings = { ...clientSettings(server.environment), maxAttempts: 3 };
  Role = await createFunctionRole(settings, "runs");
  await createNodeFunction(settings, { FunctionName: "who", Role, source: whoSource });
  scratch = mkdtempSync(join(tmpdir(), "cumulet-workers-"));
});
afterAll(async () => {
  await server.stop();
  rmSync(scratch, { recursive: true, force: true });
});

interface Who {
  readonly id: number;
  readonly worker: number;
}

async function invoke<Answer>(client: LambdaClient, FunctionName: string): Promise<Answer> {
  const { Payload, FunctionError } = await client.send(new InvokeCommand({ FunctionName }));
  if (FunctionError !== undefined) throw new Error(FunctionError);
  return JSON.parse(Buffer.from(Payload ?? []).toString("utf8")) as Answer;
}

/** A client that opens a connection for each request. */
const unconnected = () =>
  new LambdaClient({ ...settings, requestHandler: { httpAgent: new Agent({ keepAlive: false }) } });

/** Processes whose parent that is, and which are workers. */
function workersOf(parent: number): number[] {
  return readdirSync("/proc").flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      const stat = readFileSync(`/proc/${name}/stat`, "latin1");
      const isChild = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]) === parent;
      const isWorker = readFileSync(`/proc/${name}/cmdline`, "utf8").split("\0").includes("worker");
      return isChild && isWorker ? [Number(name)] : [];
    } catch {
      return [];
    }
  });
}

async function scrape(): Promise<string> {
  const token = readFileSync(join(server.dataDir, "metrics-token"), "utf8").trim();
  const answer = await fetch(`${server.endpoint}/metrics`, { headers: { authorization: `Bearer ${token}` } });
  return answer.text();
}

async function until(is: () => boolean | Promise<boolean>, msMax = 20_000): Promise<void> {
  const end = Date.now() + msMax;
  while (!(await is())) {
    if (Date.now() > end) throw new Error(`It did not come to that within ${msMax} ms`);
    await delay(20);
  }
}

describe("connections", () => {
  test("that are open at the same time are served by all workers", async () => {
    const client = new LambdaClient(settings);
    const answers = await Promise.all(Array.from({ length: 4 }, () => invoke<Who>(client, "who")));
    expect(new Set(answers.map(({ worker }) => worker))).toEqual(new Set(workersOf(server.pid)));
  });

  test("that come one after the other find the same environment warm", async () => {
    const client = unconnected();
    const ids = new Set<number>();
    for (let count = 0; count < 6; count += 1) ids.add((await invoke<Who>(client, "who")).id);
    // The connections of tests before this one may still count at first.
    expect(ids.size).toBeLessThanOrEqual(2);
  });
});

test("what a deployment has changed is seen by every worker", async () => {
  const before = `export const handler = async () => 0`;
  await createNodeFunction(settings, { FunctionName: "changes", Role, source: before });
  const client = unconnected();
  const ask = () => Promise.all(Array.from({ length: 4 }, () => invoke<number>(client, "changes")));
  expect(await ask()).toEqual([0, 0, 0, 0]);
  for (let version = 1; version <= 5; version += 1) {
    const ZipFile = zipOf({ "index.mjs": `export const handler = async () => ${version}` });
    await client.send(new UpdateFunctionCodeCommand({ FunctionName: "changes", ZipFile }));
    await waitUntilFunctionUpdatedV2({ client, maxWaitTime: 20, minDelay: 0.02 }, { FunctionName: "changes" });
    expect(await ask()).toEqual([version, version, version, version]);
  }
});

test("code that several workers unpack at the same time is whole for each", async () => {
  const files = Object.fromEntries(Array.from({ length: 300 }, (_, n) => [`parts/${n}.txt`, `part ${n} `.repeat(200)]));
  const handler = `
import { readdirSync, readFileSync } from "node:fs";
export const handler = async () => {
  await new Promise((resolve) => setTimeout(resolve, 200));
  const parts = readdirSync(new URL("parts", import.meta.url));
  const bytes = parts.reduce((sum, name) => sum + readFileSync(new URL("parts/" + name, import.meta.url)).length, 0);
  return { files: parts.length, bytes, worker: process.ppid };
};`;
  const bytes = Object.values(files).reduce((sum, text) => sum + text.length, 0);
  const client = unconnected();
  const workers = new Set<number>();
  for (let version = 1; version <= 4; version += 1) {
    const ZipFile = zipOf({ "index.mjs": `${handler}// ${version}`, ...files });
    if (version === 1)
      await createNodeFunction(settings, { FunctionName: "large", Role, source: "", Code: { ZipFile } });
    else await client.send(new UpdateFunctionCodeCommand({ FunctionName: "large", ZipFile }));
    await waitUntilFunctionUpdatedV2({ client, maxWaitTime: 20, minDelay: 0.02 }, { FunctionName: "large" });
    // The first invocations of this code, on every worker together.
    const answers = await Promise.all(
      Array.from({ length: 6 }, () => invoke<{ files: number; bytes: number; worker: number }>(client, "large")),
    );
    for (const answer of answers) {
      expect(answer).toMatchObject({ files: 300, bytes });
      workers.add(answer.worker);
    }
  }
  expect(workers.size).toBe(2);
});

describe("the metrics", () => {
  test("are those of all workers, whichever is asked", async () => {
    for (const text of await Promise.all([scrape(), scrape(), scrape()])) {
      expect(text).toContain('process_resident_memory_bytes{worker="1"}');
      expect(text).toContain('process_resident_memory_bytes{worker="2"}');
      expect(text.match(/^# TYPE process_resident_memory_bytes /gm)).toHaveLength(1);
      // What is the data folder's is there once.
      expect(text.match(/^cumulet_data_bytes\{part="store"\}/gm)).toHaveLength(1);
    }
  });
});

describe("for developers", () => {
  test("what happens in every worker is seen on each", async () => {
    const seen = [new Set<string>(), new Set<string>()];
    const watching = new AbortController();
    const watchers = seen.map(async (lines) => {
      const answer = await signedRequest(settings, "GET", "/_cumulet/developer/events", {}, watching.signal);
      for await (const event of readLiveLines(answer)) {
        const worker = /worker (\d+)/.exec(String(event["message"]))?.[1];
        if (worker !== undefined) lines.add(worker);
      }
    });
    const source = `
export const handler = async () => {
  console.log("worker " + process.ppid);
  await new Promise((resolve) => setTimeout(resolve, 100));
};`;
    await createNodeFunction(settings, { FunctionName: "tells", Role, source });
    const client = unconnected();
    const all = workersOf(server.pid).map(String);
    await until(async () => {
      await Promise.all(Array.from({ length: 8 }, () => invoke<null>(client, "tells")));
      return seen.every((lines) => all.every((worker) => lines.has(worker)));
    });
    watching.abort();
    await Promise.allSettled(watchers);
  });

  test("a function is initialized again in every worker, and a debugger is refused", async () => {
    const warmed = await signedRequest(settings, "POST", "/_cumulet/developer/warm", { function: "who" });
    const outcomes: unknown[] = [];
    for await (const chunk of warmed) outcomes.push(JSON.parse(String(chunk)));
    expect(outcomes).toMatchObject([{ outcome: "initialized" }]);
    const debugged = signedRequest(settings, "POST", "/_cumulet/developer/debug", { function: "who" });
    await expect(debugged).rejects.toThrow(/this server has 2. Start it with --workers 1/);
  });
});

describe("a worker that dies", () => {
  test("leaves no connection without an answer or an end", async () => {
    const [victim = 0] = workersOf(server.pid);
    // It takes nothing any more: one connection is on its way to it, those that follow wait for that.
    process.kill(victim, "SIGSTOP");
    const outcomes = new Map<Socket, string>();
    for (let count = 0; count < 8; count += 1) {
      const socket = connect(server.port, "127.0.0.1");
      outcomes.set(socket, "");
      let answer = "";
      socket.on("data", (chunk) => (answer += chunk.toString("latin1")));
      socket.on("error", () => {});
      socket.on("close", () => outcomes.set(socket, answer === "" ? "ended" : answer.slice(0, 12)));
      socket.write("GET /_cumulet/health HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
    }
    const answered = () => [...outcomes.values()].filter((each) => each !== "");
    await until(() => answered().length >= 4);
    process.kill(victim, "SIGKILL");
    await until(() => answered().length === outcomes.size);
    expect(answered().filter((each) => each !== "HTTP/1.1 200")).toEqual(["ended"]);
    await until(async () => (await scrape()).match(/process_resident_memory_bytes\{/g)?.length === 2);
  }, 60_000);

  test("is replaced, and neither a client that retries nor an event that was taken notices", async () => {
    const seen = join(scratch, "seen");
    const source = `
import { appendFile } from "node:fs/promises";
export const handler = async ({ n }) => appendFile(${JSON.stringify(seen)}, n + "\\n");`;
    await createNodeFunction(settings, { FunctionName: "notes", Role, source });
    const lambda = new LambdaClient(settings);
    const s3 = new S3Client({ ...settings, forcePathStyle: true });
    await s3.send(new CreateBucketCommand({ Bucket: "kept" }));
    const before = workersOf(server.pid);
    expect(before).toHaveLength(2);

    const sent: string[] = [];
    const put: string[] = [];
    const failures: unknown[] = [];
    const calling = new AbortController();
    const load = async (work: () => Promise<void>) => {
      while (!calling.signal.aborted) await work().catch((error: unknown) => failures.push(error));
    };
    let count = 0;
    const callers = [
      ...Array.from({ length: 3 }, () => load(async () => void (await invoke<Who>(lambda, "who")))),
      load(async () => {
        const n = String((count += 1));
        const Payload = Buffer.from(JSON.stringify({ n }));
        await lambda.send(new InvokeCommand({ FunctionName: "notes", InvocationType: "Event", Payload }));
        sent.push(n);
      }),
      load(async () => {
        const Key = String((count += 1));
        await s3.send(new PutObjectCommand({ Bucket: "kept", Key, Body: Key }));
        put.push(Key);
      }),
    ];
    for (const _ of [1, 2]) {
      const [victim = 0] = workersOf(server.pid);
      const had = sent.length;
      await until(() => sent.length > had + 20);
      process.kill(victim, "SIGKILL");
      await until(() => {
        const now = workersOf(server.pid);
        return now.length === 2 && !now.includes(victim);
      });
      const has = sent.length;
      await until(() => sent.length > has + 20);
    }
    calling.abort();
    await Promise.all(callers);
    expect(failures).toEqual([]);
    expect(server.log()).toContain("was ended by SIGKILL; another takes its place");

    // As many at a time as bring both to the same number of connections, once the last replacement serves.
    const client = unconnected();
    await until(async () => {
      const answers = await Promise.all(Array.from({ length: 16 }, () => invoke<Who>(client, "who")));
      return workersOf(server.pid).every((pid) => answers.some(({ worker }) => worker === pid));
    });
    const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket: "kept" }));
    const keys = new Set(Contents.map(({ Key }) => Key));
    expect(put.filter((key) => !keys.has(key)).slice(0, 5)).toEqual([]);
    const missing = () => {
      const run = new Set(existsSync(seen) ? readFileSync(seen, "utf8").split("\n") : []);
      return sent.filter((n) => !run.has(n));
    };
    // What the dead workers had taken on is taken over when their leases end.
    await until(() => missing().length === 0, 60_000).catch(() => expect(missing()).toEqual([]));
  }, 120_000);
});

describe("a second server", () => {
  test("on the same data folder is refused", async () => {
    const started = run("bin/cumulet", ["start", "--data", server.dataDir, "--port", "0"], {
      cwd: join(import.meta.dirname, "../.."),
      timeout: 20_000,
    });
    await expect(started).rejects.toMatchObject({ code: 1 });
    await expect(started).rejects.toThrow(/A server runs on .* already \(process \d+\)/);
  });
});

describe("when the supervising process is killed", () => {
  test("its workers end, and the next start serves on the same port", async () => {
    const workers = workersOf(server.pid);
    expect(workers).toHaveLength(2);
    await server.killAndRestart();
    await until(() => workers.every((pid) => !existsSync(`/proc/${pid}`)));
    const client = unconnected();
    expect(workersOf(server.pid)).toContain((await invoke<Who>(client, "who")).worker);
  }, 60_000);
});
