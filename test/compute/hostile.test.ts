import { existsSync, readFileSync, readdirSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { startHarness, type Harness } from "./harness.ts";

const bubblewrap = existsSync("/usr/bin/bwrap");

/** Does what hurts its own environment, and should hurt nothing else. */
const bomb = `
const fs = require("node:fs");
const { spawn, execFileSync } = require("node:child_process");
exports.handler = async ({ what, mark }) => {
  switch (what) {
    case "wait": console.log(mark); await new Promise((resolve) => setTimeout(resolve, 60_000)); break;
    case "fork": spawn("/bin/sh", ["-c", "f() { f | f & }; while :; do f; done"], { stdio: "ignore" }); await new Promise(() => setInterval(() => {}, 1_000)); break;
    case "memory": { const held = []; for (;;) held.push(Buffer.alloc(8_388_608, 1)); }
    case "shared memory": execFileSync("/bin/sh", ["-c", "cat /dev/zero > /dev/shm/full"]); break;
    case "descriptors": { const open = []; for (;;) open.push(fs.openSync("/dev/null", "r")); }
    case "kill all": process.kill(-1, "SIGKILL"); break;
    case "frames": for (const byte of [0, 255, 0x84]) fs.writeSync(3, Buffer.alloc(65_536, byte)); await new Promise(() => setInterval(() => {}, 1_000)); break;
    case "answers": for (let count = 0; count < 3; count += 1) fs.writeSync(3, Buffer.concat([Buffer.from([0, 0, 0, 2, 0x84]), Buffer.from("{}")])); await new Promise(() => setInterval(() => {}, 1_000)); break;
    case "messages": fs.writeSync(4, Buffer.alloc(65_536, 255)); fs.writeSync(4, Buffer.alloc(65_536, 0)); break;
  }
  return "here";
};`;

describe.skipIf(!bubblewrap)(
  "a function that means harm, in a sandbox of namespaces (skipped without bubblewrap)",
  () => {
    let harness: Harness;
    let neighbour: Awaited<ReturnType<Harness["define"]>>;
    beforeAll(async () => {
      harness = await startHarness("namespaces", { processesMax: 128 });
      neighbour = await harness.define({ "index.js": bomb }, { functionName: "neighbour" });
      await harness.answer(neighbour, {});
    });
    afterAll(() => harness.stop());

    /** Until it is over the neighbour is asked again and again; how often it answered, and its longest time. */
    async function beside<T>(action: Promise<T>): Promise<{ result: T; answers: number; slowestMs: number }> {
      const state = { over: false };
      void action.finally(() => (state.over = true)).catch(() => {});
      let answers = 0;
      let slowestMs = 0;
      do {
        const began = performance.now();
        expect(await harness.answer(neighbour, {})).toBe("here");
        slowestMs = Math.max(slowestMs, performance.now() - began);
        answers += 1;
        await new Promise((resolve) => setTimeout(resolve, 20));
      } while (!state.over);
      return { result: await action, answers, slowestMs };
    }

    it("whose processes are killed from outside answers Runtime.ExitError; an invocation beside it goes on", async () => {
      const victim = await harness.define({ "index.js": `${bomb}// victim` }, { timeoutMs: 30_000 });
      const answer = harness.answer(victim, { what: "wait", mark: "waits" });
      await vi.waitFor(() => expect(harness.log(victim).join("")).toContain("waits"), {
        timeout: 10_000,
        interval: 10,
      });
      const pids = processesOf(`${bomb}// victim`);
      expect(pids.length).toBeGreaterThan(0);
      const { result } = await beside(
        (async () => {
          for (const pid of pids) process.kill(pid, "SIGKILL");
          return answer;
        })(),
      );
      expect(result).toEqual({
        errorType: "Runtime.ExitError",
        errorMessage: expect.stringMatching(/^RequestId: \S+ Error: Runtime exited with error: signal: killed$/u),
      });
      expect(await harness.answer(victim, {})).toBe("here");
    });

    it.each([
      ["fork", { timeoutMs: 1_500 }, { errorType: expect.stringMatching(/^(Sandbox\.Timedout|Runtime\.)/u) }],
      ["memory", { memoryMb: 160 }, { errorType: "Runtime.OutOfMemory" }],
      ["shared memory", { memoryMb: 160 }, { errorType: expect.anything() }],
      ["descriptors", {}, { errorType: "Error", errorMessage: expect.stringContaining("EMFILE") }],
      ["kill all", {}, { errorMessage: "kill ESRCH" }],
      ["frames", {}, { errorType: "Runtime.ExitError" }],
      ["answers", {}, {}],
      ["messages", {}, "here"],
    ])(
      "with a bomb of the kind: %s, ends with an error of its own, while others are answered",
      async (what, overrides, expected) => {
        const { cgroups } = await harness.compute.capabilities();
        if (cgroups.name === "none" && /fork|memory/u.test(what)) return;
        const spec = await harness.define({ "index.js": bomb }, overrides);
        const { result, answers } = await beside(harness.answer(spec, { what }));
        if (typeof expected === "string") expect(result).toBe(expected);
        else expect(result).toMatchObject(expected);
        expect(answers).toBeGreaterThan(0);
        // Who forges answers is ended in the midst of what follows: that is its own affair.
        await vi.waitFor(async () => expect(await harness.answer(spec, {})).toBe("here"), { timeout: 5_000 });
      },
    );

    it("cannot speak on the channel by which listeners are handed over, with a wrapper or by NODE_OPTIONS", async () => {
      const garbage = [
        "echo garbage >&5",
        `echo '{"cmd":"NODE_HANDLE","type":"net.Server","msg":{"listener":"endpoint"}}' >&5`,
        `echo '{"cmd":"NODE_HANDLE_ACK"}' >&5`,
        `echo '{"listener":"endpoint"}' >&5`,
      ];
      const index = { "index.mjs": `export const handler = async () => process.env.ADDED ?? "nothing";` };
      const answers = await Promise.all(
        garbage.map(async (line) => {
          const wrapper = `#!/bin/sh\n${line} 2> /dev/null\nexport ADDED="$GIVEN, and by the wrapper"\nexec "$@"\n`;
          const environment = { AWS_LAMBDA_EXEC_WRAPPER: "/var/task/wrapper", GIVEN: "given" };
          return harness.answer(await harness.define({ ...index, wrapper }, { environment }), {});
        }),
      );
      expect(answers).toEqual(garbage.map(() => "given, and by the wrapper"));
      const early = `process.env.ADDED = [process.channel === undefined, process.send === undefined].join();`;
      const required = await harness.define(
        { ...index, "early.cjs": early },
        { environment: { NODE_OPTIONS: "--require /var/task/early.cjs" } },
      );
      expect(await harness.answer(required, {})).toBe("true,true");
      const perl = await harness.define(
        { ...index, "Early.pm": `print {*STDERR} "perl ran\\n"; syscall(1, 5, "garbage\\n", 8); 1;` },
        { environment: { PERL5OPT: "-I/var/task -MEarly", LD_BIND_NOW: "1" } },
      );
      expect(await harness.answer(perl, {})).toBe("nothing");
      expect(harness.log(perl).join("")).not.toContain("perl ran");
    });

    it.each([
      ["is not there", "", "exit status 2"],
      ["does not start the runtime", "#!/bin/sh\nexit 7\n", "exit status 7"],
      [
        "says something else than the runtime, and stays",
        "#!/bin/sh\nhead -c 65536 /dev/zero >&3; sleep 60\n",
        "signal: killed",
      ],
    ])(
      "with a wrapper that %s, ends with an error of its own, and nothing of it stays",
      async (_what, wrapper, reason) => {
        const source = `exports.handler = async () => 1; // ${reason}`;
        const spec = await harness.define(
          { "index.js": source, ...(wrapper === "" ? {} : { wrapper }) },
          { environment: { AWS_LAMBDA_EXEC_WRAPPER: "/var/task/wrapper" } },
        );
        expect(await harness.answer(spec, {})).toEqual({
          errorType: "Runtime.ExitError",
          errorMessage: expect.stringContaining(`Runtime exited with error: ${reason}`),
        });
        await vi.waitFor(() => expect(processesOf(source)).toEqual([]), { timeout: 5_000, interval: 20 });
      },
    );

    it("that speaks nonsense to its Runtime API, over many connections, gets no answer but its own", async () => {
      const bootstrap = `#!/usr/bin/python3
import os, socket, urllib.request
host, port = os.environ["AWS_LAMBDA_RUNTIME_API"].split(":")
api = f"http://{host}:{port}/2018-06-01/runtime"
def send(text):
    connection = socket.create_connection((host, int(port)))
    connection.sendall(text)
    return connection
while True:
    with urllib.request.urlopen(api + "/invocation/next") as next:
        id, _ = next.headers["Lambda-Runtime-Aws-Request-Id"], next.read()
    kept = [send(text) for text in [
        b"nonsense\\r\\n\\r\\n", b"GET / HTTP/9.9\\r\\n\\r\\n", b"\\x16\\x03\\x01" + b"\\0" * 500,
        b"POST /2018-06-01/runtime/invocation/other/response HTTP/1.1\\r\\nHost: x\\r\\nContent-Length: 2\\r\\n\\r\\n{}",
        b"POST /2018-06-01/runtime/init/error HTTP/1.1\\r\\nHost: x\\r\\nContent-Length: 99999999999\\r\\n\\r\\n{}",
        b"GET / HTTP/1.1\\r\\nx: " + b"y" * 2000000,
    ] for _ in range(20)]
    urllib.request.urlopen(urllib.request.Request(f"{api}/invocation/{id}/response", b'"mine"', method="POST")).read()
`;
      if (!existsSync("/usr/bin/python3")) return;
      const spec = await harness.define({ bootstrap }, { runtime: "provided.al2023", timeoutMs: 20_000 });
      const { result } = await beside(harness.answer(spec, {}));
      expect(result).toBe("mine");
      expect(await harness.answer(spec, {})).toBe("mine");
    });
  },
);

/** The host's processes that run this code. */
function processesOf(source: string): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/u.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cwd/index.js`, "utf8") === source;
      } catch {
        return false;
      }
    });
}
