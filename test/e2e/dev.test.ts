import { spawn, type ChildProcess } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const root = join(import.meta.dirname, "../..");
const pollMs = 10;
const waitMsMax = 30_000;

const template = (routes: readonly string[]) => `
AWSTemplateFormatVersion: "2010-09-09"
Transform: AWS::Serverless-2016-10-31
Resources:
  Greeter:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: greeter
      CodeUri: greeter/
      Handler: index.handler
      Runtime: nodejs24.x
      Events:
${routes.map((path, index) => `        Route${index}: { Type: HttpApi, Properties: { Path: ${path}, Method: get } }`).join("\n")}
  Other:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: other/
      Handler: index.handler
      Runtime: nodejs24.x
`;
const source = (text: string) =>
  `export const handler = async () => { console.log("said ${text}"); return "${text}"; };\n`;

/** A command of the program in a child process, with what it prints. */
interface Running {
  readonly child: ChildProcess;
  said(): string;
  /** The first match in what it prints from `after` on. */
  says(pattern: RegExp, after?: number): Promise<RegExpExecArray>;
  /** @returns the exit code */
  interrupt(): Promise<number | null>;
}

function run(args: readonly string[]): Running {
  const child = spawn(join(root, "bin/cumulet"), args, { cwd: root, stdio: ["ignore", "pipe", "pipe"] });
  let text = "";
  child.stdout.on("data", (chunk: Buffer) => (text += chunk.toString("utf8")));
  child.stderr.on("data", (chunk: Buffer) => (text += chunk.toString("utf8")));
  const exited = new Promise<number | null>((resolve) => child.once("exit", (code) => resolve(code)));
  return {
    child,
    said: () => text,
    async says(pattern, after = 0) {
      for (const until = Date.now() + waitMsMax; ; await delay(pollMs)) {
        const match = pattern.exec(text.slice(after));
        if (match !== null) return match;
        if (Date.now() > until || child.exitCode !== null)
          throw new Error(`It did not say ${String(pattern)}:\n${text}`);
      }
    },
    interrupt: () => {
      child.kill("SIGINT");
      return exited;
    },
  };
}

async function until<Value>(ask: () => Promise<Value>, isIt: (value: Value) => boolean): Promise<Value> {
  for (const end = Date.now() + waitMsMax; ; await delay(pollMs)) {
    const value = await ask();
    if (isIt(value)) return value;
    if (Date.now() > end) throw new Error(`It stayed ${String(value)}`);
  }
}

let folder = "";
let dev: Running;
let address = "";
const ask = async (path = "/hello") => (await fetch(`${address}${path}`)).text();
const options = () => ["--data", join(folder, "data")];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cumulet-dev-"));
  for (const name of ["greeter", "other"]) await mkdir(join(folder, "app", name), { recursive: true });
  await writeFile(join(folder, "app/template.yaml"), template(["/hello"]));
  await writeFile(join(folder, "app/greeter/index.mjs"), source("one"));
  await writeFile(join(folder, "app/other/index.mjs"), source("other"));
  dev = run(["dev", join(folder, "app"), ...options(), "--port", "0"]);
  const [, api] = await dev.says(/GET +http:\/\/\S*?([a-z0-9]{10})(?:\.execute-api|\/hello)/);
  await dev.says(/Watching for changes/);
  const server: unknown = JSON.parse(await readFile(join(folder, "data/server.json"), "utf8"));
  const port = typeof server === "object" && server !== null && "port" in server ? String(server.port) : "";
  address = `http://127.0.0.1:${port}/_cumulet/api/${api ?? ""}`;
}, 60_000);

afterAll(async () => {
  if (dev.child.exitCode === null) await dev.interrupt();
  await rm(folder, { recursive: true, force: true });
});

const save = (text: string) => writeFile(join(folder, "app/greeter/index.mjs"), text);

describe("cumulet dev", () => {
  it("deploys the app and prints requests, and what functions log with their names", async () => {
    expect(await ask()).toBe("one");
    await dev.says(/Greeter \| .*said one/);
    await dev.says(/GET \/hello 200 \d+ ms/);
  });

  it("replaces only the function whose file was saved", async () => {
    await save(source("two"));
    await until(ask, (text) => text === "two");
    await dev.says(/Greeter is replaced/);
    expect(dev.said()).not.toContain("Other is replaced");
  });

  it("leaves a function alone whose files are saved as they were, or that an editor only looks at", async () => {
    const after = dev.said().length;
    await save(source("two"));
    await writeFile(join(folder, "app/greeter/.index.mjs.swp"), "x");
    await writeFile(join(folder, "app/greeter/index.mjs~"), "x");
    await writeFile(join(folder, "app/other/index.mjs"), source("another"));
    await dev.says(/Other is replaced/, after);
    expect(dev.said().slice(after)).not.toContain("Greeter is replaced");
  });

  it("tells of a syntax error, and recovers when that is corrected", async () => {
    const after = dev.said().length;
    await save("export const handler = async (");
    await dev.says(/Greeter cannot be loaded: Runtime.UserCodeSyntaxError: SyntaxError/, after);
    expect(await ask()).toBe('{"message":"Internal Server Error"}');
    await save(source("three"));
    await until(ask, (text) => text === "three");
  });

  it("tells of a handler that is not there", async () => {
    const after = dev.said().length;
    await save("export const other = 1;");
    await dev.says(/Greeter cannot be loaded: Runtime.HandlerNotFound/, after);
    await save(source("four"));
    await until(ask, (text) => text === "four");
  });

  it("deploys again when the template has changed, and says why where that is refused", async () => {
    await writeFile(join(folder, "app/template.yaml"), template(["/hello", "/more"]));
    await until(
      () => ask("/more"),
      (text) => text === "four",
    );
    const after = dev.said().length;
    await writeFile(join(folder, "app/template.yaml"), "Resources: {A: {Type: AWS::No::Such}}\n");
    await dev.says(/refused|AWS::No::Such/, after);
    expect(await ask("/more")).toBe("four");
    await writeFile(join(folder, "app/template.yaml"), template(["/hello", "/again"]));
    await until(
      () => ask("/again"),
      (text) => text === "four",
    );
  });

  it("lets a debugger attach at an address that stays while code changes, and waits for it", async () => {
    await save(source("four"));
    await until(ask, (text) => text === "four");
    const debug = run(["debug", "greeter", ...options(), "--inspect", "0"]);
    const [url] = await debug.says(/ws:\/\/127\.0\.0\.1:\S+/);
    await debug.says(/is loaded/);
    const breakpoint = { url: "file:///var/task/index.mjs", lineNumber: 0, columnNumber: 39 };
    const first = await attach(url);
    expect(await first.send("Runtime.evaluate", { expression: "process.env._HANDLER" })).toMatchObject({
      result: { value: "index.handler" },
    });
    await first.send("Debugger.enable");
    await first.send("Debugger.setBreakpointByUrl", breakpoint);
    const held = first.next("Debugger.paused");
    const answer = ask();
    await held;
    await first.send("Debugger.resume");
    expect(await answer).toBe("four");

    await save(source("five"));
    await first.closed;
    const second = await attach(url);
    await second.send("Debugger.enable");
    await second.send("Debugger.setBreakpointByUrl", breakpoint);
    const heldAgain = second.next("Debugger.paused");
    const next = ask();
    await heldAgain;
    await second.send("Debugger.resume");
    expect(await next).toBe("five");
    expect(await debug.interrupt()).toBe(0);
    await second.closed;
    expect(await ask()).toBe("five");
  }, 60_000);

  it("refuses a debugger for functions that are not there, and a port that is taken", async () => {
    const unknown = run(["debug", "nobody", ...options()]);
    await unknown.says(/There is no function nobody/);
    const { port } = new URL(address);
    const taken = run(["debug", "greeter", ...options(), "--inspect", port]);
    await taken.says(/The port \d+ is in use/);
  });

  it("refuses the developer API to whoever does not sign as the root", async () => {
    const { origin } = new URL(address);
    expect((await fetch(`${origin}/_cumulet/developer/events`)).status).toBe(403);
    expect((await fetch(`${origin}/_cumulet/developer/debug?function=x`, { method: "POST" })).status).toBe(403);
  });

  it("ends with the platform that it has started", async () => {
    expect(await dev.interrupt()).toBe(0);
    await expect(fetch(address)).rejects.toThrow();
  });
});

interface Inspector {
  send(method: string, params?: object): Promise<unknown>;
  next(method: string): Promise<unknown>;
  readonly closed: Promise<void>;
}

/** A client of the inspector. Whoever comes between two environments waits for the next. */
async function attach(url: string): Promise<Inspector> {
  const socket = new WebSocket(url);
  const answers = new Map<number, (result: unknown) => void>();
  const waiting = new Map<string, (params: unknown) => void>();
  let id = 0;
  const closed = new Promise<void>((resolve) => socket.addEventListener("close", () => resolve()));
  socket.addEventListener("message", ({ data }) => {
    const message: unknown = JSON.parse(String(data));
    if (typeof message !== "object" || message === null) return;
    if ("id" in message) answers.get(Number(message.id))?.("result" in message ? message.result : message);
    else if ("method" in message) waiting.get(String(message.method))?.(message);
  });
  await new Promise((resolve, reject) => {
    socket.addEventListener("open", resolve);
    socket.addEventListener("error", () => reject(new Error("The inspector cannot be reached")));
  });
  return {
    closed,
    next: (method) => new Promise((resolve) => waiting.set(method, resolve)),
    send: (method, params = {}) =>
      new Promise((resolve) => {
        id += 1;
        answers.set(id, resolve);
        socket.send(JSON.stringify({ id, method, params }));
      }),
  };
}
