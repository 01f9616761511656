import { mkdir, chown, readFile, rm, rmdir, writeFile } from "node:fs/promises";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import type { ImageSpec } from "../compute.ts";
import type { ComputeLimits } from "../limits.ts";
import { GroupGoneError, withGroup, type Cgroups } from "./cgroups.ts";
import { receiveListeners, startChild, type Child } from "./child.ts";
import { serveEndpoint } from "./endpoint.ts";
import { connectInside, terminateInside } from "./inside.ts";
import { memoryPeakMb } from "./memory.ts";
import type { Outside } from "./outside.ts";
import type { ImageStart, Sandbox } from "./sandbox.ts";
import type { Stage } from "./stage.ts";

/** What the driver of namespaces has for sandboxes of images too. */
export interface ImageHost {
  readonly stage: Stage;
  readonly cgroups: Cgroups;
  readonly limits: ComputeLimits;
  readonly runtimesDir: string;
  readonly outside: Promise<Outside | undefined>;
  /** Joins the cgroups, drops to the environment's user, and becomes the command that follows. */
  readonly launch: string;
  readonly uid: number;
  readonly gid: number;
  /** A place and a user for one more sandbox; `end` gives the place back. */
  begin(): { readonly name: string; readonly slot: number; readonly hostUid: number | undefined; end(): void };
  /** Show a folder to sandboxes, read-only, until `release`. */
  acquire(folder: string): Promise<string>;
  release(folder: string): Promise<void>;
}

const runtimeApiPort = 9001;
const fallbackEndpointPort = 4566;

/**
 * A sandbox whose file system is an image's. Nothing of ours is in it: bubblewrap makes it and waits; its listeners are opened from
 * outside, in its network; the first byte on its channel lets the image's program begin.
 */
export function startImageSandbox(host: ImageHost, start: ImageStart, endpointPort: number): Promise<Sandbox> {
  return withGroup(() => beginImageSandbox(host, start, endpointPort));
}

async function beginImageSandbox(host: ImageHost, start: ImageStart, endpointPort: number): Promise<Sandbox> {
  const { stage, cgroups, limits } = host;
  const { spec, image } = start;
  const { name, slot, hostUid, end } = host.begin();
  const folder = `envs/${name}`;
  const at = (part: string) => join(stage.path, part);
  const port = endpointPort >= 1024 && endpointPort !== runtimeApiPort ? endpointPort : fallbackEndpointPort;
  const endpoint = `http://127.0.0.1:${port}`;
  const runtimeApiAddress = `127.0.0.1:${runtimeApiPort}`;
  await mkdir(join(stage.outside, folder), { mode: 0o700 });
  if (hostUid !== undefined) await chown(join(stage.outside, folder), hostUid, hostUid);
  const cgroup = cgroups.create(name, { memoryMb: spec.memoryMb, processesMax: limits.processesMax });
  const root = await host.acquire(spec.codeDir);
  const giveBack = async () => {
    await host.release(spec.codeDir);
    await cgroup.remove();
    await rm(join(stage.outside, folder, "options"), { force: true }).catch(() => {});
    await rmdir(join(stage.outside, folder)).catch(() => {});
    end();
  };

  const options = [
    ["--unshare-all", "--die-with-parent", "--new-session", "--clearenv", "--block-fd", "3", "--info-fd", "4"],
    ["--uid", String(host.uid), "--gid", String(host.gid), "--hostname", "sandbox", "--cap-drop", "ALL"],
    ["--seccomp", "9", "--ro-bind", root, "/"],
    ["hosts", "resolv.conf"].flatMap((file) => ["--ro-bind", at(`etc/${file}`), `/etc/${file}`]),
    ["--proc", "/proc", "--dev", "/dev"],
    ["--size", String(spec.ephemeralStorageMb * 1_048_576), "--tmpfs", "/tmp", "--chdir", image.workingDirectory],
    Object.entries(start.variables({ endpoint, runtimeApi: runtimeApiAddress })).flatMap(([variable, value]) => [
      "--setenv",
      variable,
      value,
    ]),
  ].flat();
  // In a file: other users of the host can read command lines.
  await writeFile(join(stage.outside, folder, "options"), options.map((option) => `${option}\0`).join(""), {
    mode: 0o600,
  });
  const bubblewrap = ["sh", "-c", 'exec "$@" 5>&-', "sh", "bwrap", "--args", "8", "--", ...commandOf(image)];
  const child = startChild(
    {
      ...toCommand(stage, [
        ["sh", "-c", host.launch, "sh", String(hostUid ?? ""), at("filter"), at(`${folder}/options`)],
        [String(limits.filesMax), String(cgroup.joinFiles.length), ...cgroup.joinFiles, ...bubblewrap],
      ]),
      environment: { PATH: "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", LANG: "C" },
      cwd: "/",
      handsOver: false,
    },
    () => {},
  );
  let complaint = "";
  const note = (chunk: Buffer) => (complaint = (complaint + chunk.toString("utf8")).slice(-1_000));
  child.stderr.on("data", note);
  let listeners;
  try {
    const pid = await pidInside(child);
    await loopbackUp(pid, limits.spawnTimeoutMs);
    listeners = await openListeners(host, start, pid, port);
    await (await host.outside)?.attach(pid, slot);
  } catch (error) {
    child.process.kill("SIGKILL");
    await child.ended;
    const Failure = cgroup.isGone() ? GroupGoneError : Error;
    await giveBack();
    const reason = error instanceof Error ? error.message : String(error);
    throw new Failure(`${reason}${complaint === "" ? "" : `: ${complaint.trim()}`}`, { cause: error });
  }
  child.stderr.off("data", note);
  const { endpointListener, runtimeApi } = listeners;
  serveEndpoint(endpointListener, endpointPort);
  endpointListener.unref();
  runtimeApi.unref();

  let peakMb = 0;
  return {
    ...child,
    messages: Readable.from([]),
    endpoint,
    runtimeApi,
    runtimeApiAddress,
    ended: child.ended.then((exit) => ({ ...exit, outOfMemory: cgroup.outOfMemory() })),
    place: () => Promise.resolve({ task: "/var/task", layers: "/opt", runtime: "/var/runtime", bin: "/var/lang/bin" }),
    terminate: () => terminateInside(child.pid),
    connect: (port) => connectInside(stage, child.pid, port),
    resize: (memoryMb) => cgroup.resize(memoryMb),
    memoryUsedMb: () =>
      cgroups.name === "none"
        ? (peakMb = Math.max(peakMb, memoryPeakMb(child.pid, readFileSync)))
        : cgroup.memoryPeakMb(),
    cpuUsedMs: () => cgroup.cpuUsedMs(),
    freeze: () => cgroup.freeze(true),
    thaw: () => cgroup.freeze(false),
    kill: () => {
      cgroup.freeze(false);
      child.process.kill("SIGKILL");
    },
    async dispose() {
      endpointListener.close();
      runtimeApi.close();
      await giveBack();
    },
  };
}

function commandOf(image: ImageSpec): readonly string[] {
  return [...image.entryPoint, ...image.command];
}

function toCommand(stage: Stage, parts: readonly (readonly string[])[]): { file: string; args: readonly string[] } {
  const [file = "nsenter", ...args] = stage.enter;
  return { file, args: [...args, ...parts.flat()] };
}

/** Bubblewrap says which process is in the sandbox before it lets it go on. */
function pidInside(child: Child): Promise<number> {
  return new Promise((resolve, reject) => {
    let said = "";
    child.messages.on("data", (chunk: Buffer) => {
      said += chunk.toString("utf8");
      const pid = /"child-pid": (\d+)\D/.exec(said)?.[1];
      if (pid !== undefined) resolve(Number(pid));
    });
    void child.ended.then((exit) =>
      reject(new Error(`The sandbox ended before it was there (${exit.signal ?? `exit status ${exit.code}`})`)),
    );
  });
}

/** Bubblewrap brings up its loopback device after it has told of itself; addresses cannot be listened on before. */
async function loopbackUp(pid: number, timeoutMs: number): Promise<void> {
  const until = performance.now() + timeoutMs;
  while (!(await readFile(`/proc/${pid}/net/fib_trie`, "utf8")).includes("127.0.0.1")) {
    if (performance.now() > until) throw new Error("The sandbox's network did not come up");
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** The bootstrap of Node.js functions opens listeners wherever it starts: here, in the sandbox's network, but in none of its other namespaces. */
async function openListeners(host: ImageHost, { interpreter }: ImageStart, pid: number, port: number) {
  const helper = startChild(
    {
      ...toCommand(host.stage, [
        ["nsenter", "-t", String(pid), "-n", "--"],
        [interpreter.executable, join(host.runtimesDir, "node", "bootstrap.cjs")],
      ]),
      environment: { PATH: "/usr/bin:/bin", CUMULET_LISTEN: `endpoint=${port},runtime=${runtimeApiPort}` },
      cwd: "/",
      handsOver: true,
    },
    () => {},
  );
  try {
    const listeners = await receiveListeners(helper, ["endpoint", "runtime"]);
    const endpointListener = listeners.get("endpoint");
    const runtimeApi = listeners.get("runtime");
    if (endpointListener === undefined || runtimeApi === undefined) throw new Error("A listener is missing");
    return { endpointListener, runtimeApi };
  } finally {
    helper.process.kill("SIGKILL");
  }
}
