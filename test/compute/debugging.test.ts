import { execFile, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { cp, mkdir, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { FunctionSpec } from "../../src/compute/compute.ts";
import type { DebugEvent, DebugSession } from "../../src/compute/workbench.ts";
import { tools } from "../../src/testing/tools.ts";
import { startHarness, type Harness } from "./harness.ts";
import { compileJava } from "./java-package.ts";

const run = promisify(execFile);
const debugpy = join(import.meta.dirname, "../../.cache/debugpy");

/** Debuggers of other languages than Node.js, whose own is tried through `cumulet debug`. */
describe("A debugger", () => {
  let harness: Harness;
  beforeAll(async () => {
    harness = await startHarness("auto");
  });
  afterAll(() => harness.stop());

  const debug = async (latest: FunctionSpec) => {
    const events: DebugEvent[] = [];
    const { promise, resolve } = Promise.withResolvers<DebugEvent>();
    const session = await harness.compute.workbench.debug({
      functionArn: latest.functionArn,
      latest: () => Promise.resolve(latest),
      port: 0,
      report(event) {
        events.push(event);
        if (event.kind === "environment" || event.kind === "failed") resolve(event);
      },
    });
    return { session, events, loaded: await promise };
  };

  const python = (files: Record<string, string>) =>
    harness.define(files, { runtime: "python3.11", handler: "app.handler", memoryMb: 512 });

  describe("of Python, debugpy as it is on PyPI,", () => {
    const source = "def handler(event, context):\n    doubled = event['n'] * 2\n    return doubled\n";
    let missing: string | undefined;
    beforeAll(async () => {
      const found = await harness.compute.runtime("python3.11");
      if (found.state === "missing") return void (missing = found.remedy);
      if (existsSync(debugpy)) return;
      const options = ["--quiet", "--no-deps", "--only-binary=:all:", "--platform=any", "--target", debugpy];
      await run(tools.python ?? "python3", ["-m", "pip", "install", ...options, "debugpy"]).catch(() => {
        missing = "debugpy cannot be had: pip or its index is missing";
      });
    }, 120_000);

    it("stops the handler at a breakpoint, sees and changes its variables, and finds it again when it comes back", async ({
      skip,
    }) => {
      if (missing !== undefined) skip(missing);
      const spec = await python({ "app.py": source });
      await cp(debugpy, spec.codeDir, { recursive: true });
      const { session, loaded } = await debug(spec);
      try {
        expect(loaded).toEqual({ kind: "environment" });
        expect(session.protocol).toBe("dap");
        const { driver } = await harness.compute.capabilities();
        const path = join(driver.isolates ? "/var/task" : spec.codeDir, "app.py");
        for (const value of [100, 7]) {
          const client = await attachToPython(session, path, 3);
          const answer = harness.answer(spec, { n: 21 });
          const { threadId } = (await client.event("stopped")) as { threadId: number };
          const { stackFrames } = (await client.ask("stackTrace", { threadId })) as { stackFrames: { id: number }[] };
          const frameId = stackFrames[0]?.id;
          const evaluate = (expression: string) => client.ask("evaluate", { expression, frameId, context: "repl" });
          expect(await evaluate("doubled")).toMatchObject({ result: "42" });
          await evaluate(`doubled = ${value}`);
          await client.ask("continue", { threadId });
          expect(await answer).toBe(value);
          await client.detach();
        }
      } finally {
        session.stop();
      }
    }, 60_000);

    it("is missed by name where the function does not bring it", async ({ skip }) => {
      if (missing !== undefined) skip(missing);
      const spec = await python({ "app.py": source });
      const { session, loaded } = await debug(spec);
      session.stop();
      // The host's own Python may have it.
      if (loaded.kind !== "environment")
        expect(loaded).toEqual({
          kind: "failed",
          message: expect.stringMatching(/^debugpy is not there: install it/u),
        });
    });
  });

  it("of Java, jdb, stops a method at a breakpoint and lets it go on", async ({ skip }) => {
    const { runtimes } = await harness.compute.capabilities();
    const found = runtimes.find((item) => item.runtime.startsWith("java") && item.state === "available");
    const compiled = await compileJava();
    if (found?.state !== "available" || typeof compiled === "string") return skip("no JDK is here");
    const code = join(harness.dataDir, "code", "debugged");
    await mkdir(code, { recursive: true });
    await cp(compiled.code, code, { recursive: true });
    await compiled.remove();
    await writeFile(join(harness.dataDir, ".jdbrc"), "");
    const handler = "example.Functions::number";
    const spec = await harness.define({}, { runtime: found.runtime, handler, codeDir: code, memoryMb: 512 });
    const { session, loaded } = await debug(spec);
    const home = { ...process.env, HOME: harness.dataDir };
    const jdb = spawn(join(dirname(found.path), "jdb"), ["-attach", `127.0.0.1:${session.port}`], { env: home });
    try {
      expect(loaded).toEqual({ kind: "environment" });
      let said = "";
      const notices = new Set<() => void>();
      for (const stream of [jdb.stdout, jdb.stderr])
        stream.on("data", (chunk: Buffer) => {
          said += chunk.toString("utf8");
          for (const notice of notices) notice();
        });
      const says = (wanted: RegExp) =>
        new Promise<void>((resolve) => {
          const look = () => {
            if (!wanted.test(said)) return;
            notices.delete(look);
            resolve();
          };
          notices.add(look);
          look();
        });
      await says(/> $/u);
      jdb.stdin.write("stop in example.Functions.number\n");
      await says(/breakpoint example\.Functions\.number/u);
      const answer = harness.answer(spec, 41);
      await says(/Breakpoint hit: .*example\.Functions\.number/u);
      jdb.stdin.write("clear example.Functions.number\ncont\n");
      expect(await answer).toBe(42);
    } finally {
      jdb.kill();
      session.stop();
    }
  }, 180_000);
});

/** A client of the Debug Adapter Protocol, attached, with a breakpoint. */
async function attachToPython({ port }: DebugSession, path: string, line: number) {
  const socket = connect(port, "127.0.0.1");
  const answers = new Map<number, (message: Message) => void>();
  const events: Message[] = [];
  const waiting = new Map<string, (message: Message) => void>();
  let rest = Buffer.alloc(0);
  let seq = 0;
  socket.on("data", (chunk: Buffer) => {
    rest = Buffer.concat([rest, chunk]);
    for (;;) {
      const head = /^Content-Length: (\d+)\r\n\r\n/u.exec(rest.toString("latin1"));
      if (head === null || rest.length < head[0].length + Number(head[1])) return;
      const end = head[0].length + Number(head[1]);
      const message = JSON.parse(rest.subarray(head[0].length, end).toString("utf8")) as Message;
      rest = rest.subarray(end);
      if (message.type === "response") answers.get(message.request_seq ?? 0)?.(message);
      else if (message.type === "event") {
        const wanted = waiting.get(message.event ?? "");
        if (wanted === undefined) events.push(message);
        else wanted(message);
      }
    }
  });
  const ask = (command: string, args: object) =>
    new Promise<unknown>((resolve, reject) => {
      seq += 1;
      answers.set(seq, ({ success, body, message }) =>
        success === true ? resolve(body) : reject(new Error(`${command}: ${message}`)),
      );
      const text = JSON.stringify({ seq, type: "request", command, arguments: args });
      socket.write(`Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`);
    });
  const event = (name: string) =>
    new Promise<unknown>((resolve) => {
      const at = events.findIndex((one) => one.event === name);
      if (at !== -1) return resolve(events.splice(at, 1)[0]?.body);
      waiting.set(name, ({ body }) => {
        waiting.delete(name);
        resolve(body);
      });
    });
  await ask("initialize", { adapterID: "test", pathFormat: "path", linesStartAt1: true });
  const attached = ask("attach", { justMyCode: true });
  await event("initialized");
  await ask("setBreakpoints", { source: { path }, breakpoints: [{ line }] });
  await ask("configurationDone", {});
  await attached;
  return {
    ask,
    event,
    async detach() {
      await ask("disconnect", { terminateDebuggee: false });
      const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
      socket.end();
      await closed;
    },
  };
}

interface Message {
  readonly type: string;
  readonly event?: string;
  readonly request_seq?: number;
  readonly success?: boolean;
  readonly message?: string;
  readonly body?: unknown;
}
