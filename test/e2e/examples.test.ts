import { spawn } from "node:child_process";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createInterpreters } from "../../src/compute/interpreters.ts";

const examples = join(import.meta.dirname, "../../examples");
const python = await createInterpreters({ executable: process.execPath, version: process.version }, tmpdir()).describe(
  "python3.13",
);

/** `cumulet start examples/NAME`: the addresses that it prints, by route. */
async function start(name: string) {
  const dataDir = await mkdtemp(join(tmpdir(), "cumulet-test-"));
  const program = join(import.meta.dirname, "../../bin/cumulet");
  const child = spawn(program, ["start", join(examples, name), "--data", dataDir, "--port", "0"]);
  const exited = new Promise((resolve) => child.once("exit", resolve));
  let printed = "";
  await new Promise<void>((resolve, reject) => {
    const read = (chunk: Buffer) => {
      printed += chunk.toString("utf8");
      if (printed.includes("Press Ctrl+C to stop.")) resolve();
    };
    child.stdout.on("data", read);
    child.stderr.on("data", read);
    child.once("exit", () => reject(new Error(printed)));
  });
  const port = /is ready on http:\/\/127\.0\.0\.1:(\d+)/.exec(printed)?.[1] ?? "";
  return {
    /** Of the first line that begins with the method: below `127.0.0.1`, whatever names resolve here. */
    address(method: string): string {
      const found = new RegExp(`^${method} +(http://\\S+?)/?$`, "m").exec(printed)?.[1] ?? "";
      const named = /^http:\/\/(\w+)\.(execute-api|lambda-url)\.[^/]+(.*)$/.exec(found);
      const kind = named?.[2] === "lambda-url" ? "url" : "api";
      return named === null ? found : `http://127.0.0.1:${port}/_cumulet/${kind}/${named[1]}${named[3]}`;
    },
    async stop() {
      child.kill("SIGTERM");
      await exited;
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

type Started = Awaited<ReturnType<typeof start>>;

function run(name: string): () => Started {
  let started: Started | undefined;
  beforeAll(async () => {
    started = await start(name);
  });
  afterAll(() => started?.stop());
  return () => {
    if (started === undefined) throw new Error(`${name} has not started`);
    return started;
  };
}

test("each example is started here", async () => {
  expect((await readdir(examples)).toSorted()).toEqual(["hello", "picture", "streaming"]);
});

describe("examples/hello", () => {
  const app = run("hello");

  test("greets", async () => {
    const answer = await fetch(app().address("GET"));
    expect(await answer.json()).toEqual({ message: expect.stringMatching(/^Hello, .*!$/) });
  });
});

describe("examples/streaming", () => {
  const app = run("streaming");

  test("tells its story by and by", async () => {
    const url = app().address("URL");
    expect(await (await fetch(`${url}/`)).text()).toContain('fetch("story")');
    const answer = await fetch(`${url}/story?pause=20`);
    const chunks: string[] = [];
    for await (const chunk of answer.body ?? []) chunks.push(Buffer.from(chunk).toString());
    expect(chunks.length).toBeGreaterThan(5);
    expect(chunks.join("")).toMatch(/^Once upon a time .* at once\. $/);
    expect((await fetch(`${url}/nowhere`)).status).toBe(404);
  });
});

describe.skipIf(python.state === "missing")("examples/picture", () => {
  const app = run("picture");

  test("draws", async () => {
    const home = app()
      .address("GET")
      .replace(/\/(\{.*)?$/, "");
    expect(await (await fetch(`${home}/`)).text()).toContain("picture.png?x=-0.6");
    const picture = await fetch(`${home}/picture.png?zoom=2`);
    expect([picture.status, picture.headers.get("content-type")]).toEqual([200, "image/png"]);
    expect((await picture.bytes()).subarray(0, 4)).toEqual(new Uint8Array([0x89, 0x50, 0x4e, 0x47]));
    expect((await fetch(`${home}/picture.png?zoom=no`)).status).toBe(400);
  });
});
