import { chmod, copyFile, lstat, mkdir, readdir, readlink, rmdir, writeFile } from "node:fs/promises";
import { readFileSync } from "node:fs";
import { join, relative } from "node:path";
import type { FunctionSpec } from "../compute.ts";
import type { ComputeLimits } from "../limits.ts";
import type { Places } from "../variables.ts";
import type { Cgroups } from "./cgroups.ts";
import { runtimeCommand } from "./command.ts";
import { serveEndpoint } from "./endpoint.ts";
import { createHull, type Hull, type HullNeeds, type HullSize } from "./hull.ts";
import { startImageSandbox } from "./image.ts";
import { memoryPeakMb } from "./memory.ts";
import { connectInside, terminateInside } from "./inside.ts";
import { stageNodeRuntime } from "./node-runtime.ts";
import type { Outside } from "./outside.ts";
import type { BareSandbox, Dedication, Interpreter, Sandbox, SandboxDriver, SandboxShape } from "./sandbox.ts";
import { seccompFilter } from "./seccomp.ts";
import type { Stage } from "./stage.ts";
import { createExtensionProcesses, supervisorProgram } from "./supervisor.ts";

export interface NamespacesNeeds {
  readonly stage: Stage;
  readonly cgroups: Cgroups;
  readonly limits: ComputeLimits;
  readonly runtimesDir: string;
  /** The packages that Node.js functions find in `/var/runtime/node_modules`, if this installation has them. */
  readonly sdkDir: string | undefined;
  readonly dataDir: string;
  /** With root's rights each environment gets a host user of its own, from this number on. */
  readonly firstUid: number | undefined;
  /** The way out, or the reason why there is none. */
  readonly outside: Promise<Outside | string>;
}

const inside: Places = { task: "/var/task", layers: "/opt", runtime: "/var/runtime", bin: "/var/lang/bin" };
/** AWS's sandbox user. */
const uid = 993;
const gid = 990;

/**
 * Joins the cgroups, drops to the environment's user, and becomes bubblewrap: arguments are the user (or nothing), the
 * filter's file, the file with bubblewrap's options, how many files it may open, the number of groups, the groups' files,
 * and bubblewrap's own.
 *
 * As batch work, a function that has been handed an invocation does not take the processor from the server that has just
 * done so, which has more to hand out: both run longer at a stretch. Where that is refused, it stays as it is.
 */
const launch = `
user=$1; filter=$2; arguments=$3; files=$4; groups=$5; shift 5
while [ "$groups" -gt 0 ]; do echo 0 > "$1" || exit 126; shift; groups=$((groups - 1)); done
ulimit -c 0; ulimit -n "$files"
if [ -n "$user" ]; then set -- setpriv --reuid "$user" --regid "$user" --clear-groups --no-new-privs -- "$@"; fi
chrt --batch --pid 0 $$ > /dev/null 2>&1
exec "$@" 9< "$filter" 8< "$arguments"
`;

/** Sandboxes of Linux namespaces, made by bubblewrap. */
export async function createNamespacesDriver(needs: NamespacesNeeds): Promise<SandboxDriver> {
  const { stage, cgroups, limits } = needs;
  const system = await systemArguments(needs.dataDir);
  for (const folder of ["lang", "runtime", "etc", "code", "envs", "handover"])
    await mkdir(join(stage.outside, folder), { mode: 0o711 });
  for (const script of ["handover.pl", "handover.cjs"]) {
    await copyFile(join(needs.runtimesDir, "handover", script), join(stage.outside, "handover", script));
    await chmod(join(stage.outside, "handover", script), 0o644);
  }
  const architecture = process.arch === "arm64" ? "arm64" : "x64";
  await writeFile(join(stage.outside, "filter"), seccompFilter(architecture));
  await writeEtc(join(stage.outside, "etc"));
  const opened = needs.outside.then(async (outside) => {
    if (typeof outside === "string") return undefined;
    await writeFile(join(stage.outside, "etc", "resolv.conf"), `nameserver ${outside.nameServer}\n`);
    return outside;
  });

  let shows = 0;
  const shown = new Map<string, Promise<string>>();
  /** A folder of the host, made reachable for users who cannot reach it where it is. */
  const show = (kind: string, folder: string): Promise<string> => {
    let place = shown.get(folder);
    if (place === undefined) {
      place = (async () => {
        shows += 1;
        const name = `${kind}/${shows}`;
        await mkdir(join(stage.outside, name));
        await stage.bindReadOnly(folder, join(stage.path, name));
        return join(stage.path, name);
      })();
      shown.set(folder, place);
      place.catch(() => shown.delete(folder));
    }
    return place;
  };

  /** Read-only, with the SDK mounted in it: all of it appears wherever the folder is bound. */
  let nodeRuntimeStaged: Promise<string> | undefined;
  const nodeRuntime = (): Promise<string> => (nodeRuntimeStaged ??= stageNode());
  const stageNode = async () => {
    const copied = "runtime/node";
    await stageNodeRuntime(join(needs.runtimesDir, "node"), join(stage.outside, copied));
    const place = await show("runtime", join(stage.path, copied));
    if (needs.sdkDir !== undefined) await stage.bind(await show("lang", needs.sdkDir), join(place, "node_modules"));
    return place;
  };

  /** Code is shown once for all environments that run it, and let go with the last of them: its folder may be removed then. */
  const uses = new Map<string, number>();
  const acquire = (folder: string): Promise<string> => {
    uses.set(folder, (uses.get(folder) ?? 0) + 1);
    return show("code", folder);
  };
  const release = async (folder: string): Promise<void> => {
    const left = (uses.get(folder) ?? 1) - 1;
    uses.set(folder, left);
    if (left > 0) return;
    const place = shown.get(folder);
    uses.delete(folder);
    shown.delete(folder);
    const at = await place?.catch(() => undefined);
    if (at === undefined) return;
    await stage.unmount(at).catch(() => {});
    await rmdir(join(stage.outside, relative(stage.path, at))).catch(() => {});
  };

  const freeSlots: number[] = [];
  let slots = 0;
  let started = 0;
  const begin = () => {
    const slot = freeSlots.pop() ?? slots++;
    started += 1;
    const hostUid = needs.firstUid === undefined ? undefined : needs.firstUid + slot;
    return { name: `${slot}-${started}`, slot, hostUid, end: () => void freeSlots.push(slot) };
  };
  const hullNeeds: HullNeeds = {
    stage,
    cgroups,
    limits,
    system,
    launch,
    outside: opened,
    uid,
    gid,
    etcFiles: etcFiles.map(([file]) => file),
    begin,
    show,
  };

  /** Make a hull the sandbox of a runtime, and of a function where it is for one alone. */
  const furnish = async (
    hull: Hull,
    { endpointPort, alone }: HullSize,
    shape: SandboxShape,
    dedication?: Dedication,
  ) => {
    const { child, cgroup } = hull;
    const { interpreter } = shape;
    const placed: string[] = [];
    const placeOne = async (from: string, over: "task" | "opt" | "compiled") => {
      placed.push(from);
      if (over === "task" && interpreter.language === "java") await hull.linkTask(from);
      await hull.mount(await acquire(from), over);
    };
    const place = async ({ codeDir, layersDir }: FunctionSpec, compiled?: string) => {
      await Promise.all([
        placeOne(codeDir, "task"),
        ...(layersDir === undefined ? [] : [placeOne(layersDir, "opt")]),
        ...(compiled === undefined ? [] : [placeOne(compiled, "compiled")]),
      ]);
    };
    const dispose = async () => {
      await hull.dispose();
      for (const path of placed) await release(path);
    };
    let executable;
    try {
      const runtimeDir =
        interpreter.language === "node"
          ? await nodeRuntime()
          : await show("runtime", interpreter.runtime?.folder ?? join(needs.runtimesDir, interpreter.language));
      executable = await placeOfInterpreter(interpreter, show);
      await Promise.all([
        hull.mount(runtimeDir, "runtime"),
        executable.source === undefined ? undefined : hull.mount(executable.source, "lang"),
        dedication === undefined ? undefined : place(dedication.spec),
      ]);
      cgroup.resize(shape.memoryMb);
    } catch (error) {
      child.process.kill("SIGKILL");
      await child.ended;
      await dispose();
      throw error;
    }
    const { bin } = executable;
    const command = runtimeCommand(shape, executable.path, inside.runtime);
    const supervisor = dedication?.supervised === true ? ["/usr/bin/perl", "-e", supervisorProgram, "--"] : [];
    const wrapper = dedication?.wrapper === undefined ? [] : [dedication.wrapper];
    hull.become([...supervisor, ...wrapper, command.file, ...command.args], {
      LD_LIBRARY_PATH: "/var/lang/lib:/lib64:/usr/lib64",
      // The locale that AWS has may not be installed here: names of files and what is printed would be ASCII.
      ...(interpreter.language === "java" ? { LC_ALL: "C.UTF-8" } : {}),
      ...(shape.preloadsSdk === true && needs.sdkDir !== undefined ? { CUMULET_PRELOAD: "sdk" } : {}),
      ...dedication?.variables,
    });
    if (alone) hull.endpoint.close();
    else serveEndpoint(hull.endpoint, endpointPort);

    let peakMb = 0;
    const sandbox: Sandbox = {
      ...child,
      endpoint: hull.endpointAddress,
      runtimeApi: hull.runtimeApi,
      runtimeApiAddress: hull.runtimeApiAddress,
      ended: child.ended.then((exit) => ({ ...exit, outOfMemory: cgroup.outOfMemory() })),
      async place(spec, compiled) {
        if (dedication === undefined) await place(spec, compiled);
        return { ...inside, bin };
      },
      ...(child.supervision && {
        extensions: createExtensionProcesses(child.supervision.control, child.supervision.output, () =>
          cgroup.outOfMemory(),
        ),
      }),
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
      dispose,
    };
    return sandbox;
  };

  const prepareHull = async (size: HullSize): Promise<BareSandbox> => {
    const hull = await createHull(hullNeeds, size);
    return {
      ended: hull.child.ended,
      become: (shape, dedication) => furnish(hull, size, shape, dedication),
      async discard() {
        hull.child.process.kill("SIGKILL");
        await hull.child.ended;
        await hull.dispose();
      },
    };
  };

  return {
    name: "namespaces",
    prepare: (ephemeralStorageMb, endpointPort, alone = false) =>
      prepareHull({ ephemeralStorageMb, endpointPort, supervised: false, alone }),
    async start(shape, endpointPort, dedication) {
      const { ephemeralStorageMb } = shape;
      const supervised = dedication?.supervised === true;
      const bare = await prepareHull({ ephemeralStorageMb, endpointPort, supervised, alone: false });
      return bare.become(shape, dedication);
    },
    startImage: (start, endpointPort) =>
      startImageSandbox(
        {
          stage,
          cgroups,
          limits,
          outside: opened,
          launch,
          uid,
          gid,
          acquire,
          release,
          runtimesDir: needs.runtimesDir,
          begin,
        },
        start,
        endpointPort,
      ),
    async stop() {
      await (await opened)?.close();
      await stage.close();
      await cgroups.remove();
    },
  };
}

async function placeOfInterpreter(
  interpreter: Interpreter,
  show: (kind: string, folder: string) => Promise<string>,
): Promise<{ readonly path: string; readonly bin: string; readonly source: string | undefined }> {
  const { prefix, executable } = interpreter;
  if (prefix === "/usr" || prefix.startsWith("/usr/")) {
    return { path: executable, bin: join(prefix, "bin"), source: undefined };
  }
  const source = await show("lang", prefix);
  return { path: join("/var/lang", executable.slice(prefix.length)), bin: inside.bin, source };
}

/** What programs need of the host's system, and nothing of its data: no /home, /root, /run, /srv, /sys, /var. */
async function systemArguments(dataDir: string): Promise<readonly string[]> {
  const args = ["--ro-bind", "/usr", "/usr"];
  for (const folder of ["/bin", "/sbin", "/lib", "/lib32", "/lib64"]) {
    const found = await lstat(folder).catch(() => undefined);
    if (found?.isSymbolicLink() === true) args.push("--symlink", await readlink(folder), folder);
    else if (found?.isDirectory() === true) args.push("--ro-bind", folder, folder);
  }
  for (const path of [
    "ssl",
    "pki",
    "ca-certificates",
    "alternatives",
    "ld.so.cache",
    "ld.so.conf",
    "ld.so.conf.d",
    "localtime",
    "mime.types",
    "protocols",
    "services",
  ]) {
    args.push("--ro-bind-try", `/etc/${path}`, `/etc/${path}`);
  }
  // Debian keeps the configuration of JDKs there.
  for (const name of await readdir("/etc")) {
    if (name.startsWith("java")) args.push("--ro-bind", `/etc/${name}`, `/etc/${name}`);
  }
  if (dataDir.startsWith("/usr/")) args.push("--tmpfs", dataDir);
  return args;
}

const etcFiles = [
  ["passwd", `root:x:0:0:root:/root:/bin/sh\nsbx_user1051:x:${uid}:${gid}::/home/sbx_user1051:/sbin/nologin\n`],
  ["group", `root:x:0:\nsbx_user1051:x:${gid}:\n`],
  ["hosts", "127.0.0.1 localhost sandbox sandbox.localdomain\n"],
  ["nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\n"],
  ["resolv.conf", ""],
] as const;

async function writeEtc(folder: string): Promise<void> {
  for (const [file, text] of etcFiles) await writeFile(join(folder, file), text, { mode: 0o644 });
}
