import { createHash } from "node:crypto";
import { mkdir, readdir, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Clock } from "../kernel/clock.ts";
import type { Ids } from "../kernel/ids.ts";
import type { Log } from "../kernel/log.ts";
import type { FunctionSpec } from "./compute.ts";
import { createFrameReader, encodeFrame, frameKind } from "./frames.ts";
import type { ComputeLimits } from "./limits.ts";
import type { Interpreter, Sandbox, SandboxDriver } from "./sandbox/sandbox.ts";
import type { Places } from "./variables.ts";

/**
 * What a language makes of a function's modules when it loads them, kept for the later environments of the same version: V8's code.
 * It is made once, when an init has taken long, in a sandbox of its own without any network, credentials or invocation, that hands
 * what it made to the platform. Environments only read it, and only that of their own version: what an invocation does to
 * one changes nothing for another.
 */
export interface CompileCaches {
  /** The folder to show to a new environment, if there is one already. */
  find(spec: FunctionSpec, interpreter: Interpreter): Promise<string | undefined>;
  /** An environment has been initialised without one. */
  note(spec: FunctionSpec, interpreter: Interpreter, initMs: number): void;
  stop(): Promise<void>;
}

export interface CompileCachesNeeds {
  readonly driver: SandboxDriver;
  readonly folder: string;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly limits: ComputeLimits;
  readonly log: Log;
  /** The variables of an environment that has no credentials. */
  variables(spec: FunctionSpec, interpreter: Interpreter, places: Places): Record<string, string>;
}

/** Names that Node.js gives them, of folders and of files. */
const safeName = /^(?:[\w-][\w.-]{0,127}\/){0,3}[\w-][\w.-]{0,127}$/u;

export function createCompileCaches(needs: CompileCachesNeeds): CompileCaches {
  const { driver, folder, clock, limits, log } = needs;
  const queue = new Map<string, () => Promise<void>>();
  /** Made, or not to be tried again. */
  const settled = new Set<string>();
  let working: Promise<void> | undefined;
  let cancel: (() => void) | undefined;
  let stopped = false;
  let current: Sandbox | undefined;

  const serves = (spec: FunctionSpec, { language }: Interpreter) =>
    driver.prepare !== undefined &&
    language === "node" &&
    spec.runtime.startsWith("nodejs") &&
    spec.multiConcurrency === undefined &&
    spec.environment["NODE_DISABLE_COMPILE_CACHE"] === undefined &&
    spec.environment["NODE_COMPILE_CACHE"] === undefined;

  const later = () => {
    if (stopped || working !== undefined || queue.size === 0) return;
    cancel?.();
    cancel = clock.after(limits.compileDelayMs, () => {
      cancel = undefined;
      const [next] = queue;
      if (next === undefined) return;
      queue.delete(next[0]);
      working = next[1]()
        .catch((error: unknown) => log.debug("A function's modules could not be compiled ahead", { error }))
        .finally(() => {
          working = undefined;
          later();
        });
    });
  };

  const make = async (spec: FunctionSpec, interpreter: Interpreter, name: string) => {
    const bare = await driver.prepare?.(limits.compileStorageMb, 0, true);
    if (bare === undefined) return;
    const shape = { interpreter, memoryMb: spec.memoryMb, ephemeralStorageMb: limits.compileStorageMb };
    const sandbox = await bare.become(shape);
    current = sandbox;
    const making = join(folder, `making-${Buffer.from(needs.ids.bytes(8)).toString("hex")}`);
    try {
      const places = await sandbox.place(spec);
      const begin = {
        runtime: spec.runtime,
        handler: spec.handler,
        taskRoot: places.task,
        layersRoot: places.layers,
        environment: needs.variables(spec, interpreter, places),
        logFormat: spec.logFormat,
        compileCache: true,
      };
      const files = await filesOf(sandbox, begin, clock, limits);
      for (const [file, content] of files) {
        await mkdir(join(making, dirname(file)), { recursive: true, mode: 0o755 });
        await writeFile(join(making, file), content, { mode: 0o644 });
      }
      if (files.size > 0) await rename(making, join(folder, name));
    } finally {
      current = undefined;
      sandbox.kill();
      await sandbox.ended;
      await sandbox.dispose();
      await rm(making, { recursive: true, force: true });
    }
    await tidy(folder, limits.compileCachesMax);
  };

  return {
    async find(spec, interpreter) {
      if (!serves(spec, interpreter)) return undefined;
      const at = join(folder, nameOf(spec, interpreter));
      const found = await stat(at).catch(() => undefined);
      if (found === undefined) return undefined;
      const now = new Date(clock.now());
      void utimes(at, now, now).catch(() => {});
      return at;
    },
    note(spec, interpreter, initMs) {
      if (stopped || initMs < limits.compileWorthMs || !serves(spec, interpreter)) return;
      const name = nameOf(spec, interpreter);
      if (settled.has(name) || queue.has(name) || queue.size >= limits.compileQueueMax) return;
      settled.add(name);
      queue.set(name, () => make(spec, interpreter, name));
      later();
    },
    async stop() {
      stopped = true;
      cancel?.();
      current?.kill();
      await working;
    },
  };
}

/** What the runtime hands over, until it says that it is done. Nothing of it is trusted but by the version whose code made it. */
function filesOf(
  sandbox: Sandbox,
  begin: Readonly<Record<string, unknown>>,
  clock: Clock,
  limits: ComputeLimits,
): Promise<ReadonlyMap<string, Buffer>> {
  return new Promise((resolve, reject) => {
    const files = new Map<string, Buffer>();
    let bytes = 0;
    const settle = (why?: string) => {
      cancel();
      if (why === undefined) resolve(files);
      else reject(new Error(why));
    };
    const read = createFrameReader(
      {
        frame(kind, body) {
          if (kind === frameKind.ready) {
            sandbox.channel.write(encodeFrame(frameKind.begin, Buffer.from(JSON.stringify(begin))));
          } else if (kind === frameKind.initialized) settle();
          else if (kind !== frameKind.compiled || body.length < 4) settle("The function could not be loaded");
          else {
            const nameBytes = body.readUInt32BE(0);
            const name = body.toString("utf8", 4, Math.min(body.length, 4 + nameBytes));
            bytes += body.length;
            if (!safeName.test(name) || files.has(name)) return settle("A file has a name that is not expected");
            if (bytes > limits.compileBytesMax) return settle("There is too much of it");
            files.set(name, Buffer.from(body.subarray(4 + nameBytes)));
          }
        },
        oversized: () => settle("There is too much of it"),
      },
      limits.compileBytesMax,
    );
    const cancel = clock.after(limits.compileTimeoutMs, () => settle("It took too long"));
    // What it prints was printed before, by the environment that had to wait.
    for (const stream of [sandbox.stdout, sandbox.stderr, sandbox.messages]) stream.resume();
    sandbox.channel.on("data", read);
    void sandbox.ended.then(() => settle("It ended"));
  });
}

/** Those go that no environment has been started with for longest. */
async function tidy(folder: string, most: number): Promise<void> {
  const names = await readdir(folder);
  if (names.length <= most) return;
  const ages = await Promise.all(
    names.map(async (name) => ({ name, at: (await stat(join(folder, name)).catch(() => undefined))?.mtimeMs ?? 0 })),
  );
  const old = ages.toSorted((a, b) => a.at - b.at).slice(0, names.length - most);
  for (const { name } of old) await rm(join(folder, name), { recursive: true, force: true });
}

/** All that decides what is made: another revision or interpreter has another. */
function nameOf(spec: FunctionSpec, { version, executable }: Interpreter): string {
  return createHash("sha256")
    .update(JSON.stringify([spec.id, spec.codeDir, spec.layersDir, version, executable, process.arch]))
    .digest("hex");
}
