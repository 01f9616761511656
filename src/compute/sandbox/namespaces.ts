import {
  chmod,
  chown,
  copyFile,
  lstat,
  mkdir,
  readdir,
  readFile,
  readlink,
  rm,
  rmdir,
  symlink,
  unlink,
  writeFile,
} from "node:fs/promises";
import { existsSync, readFileSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import type { FunctionSpec } from "../compute.ts";
import type { ComputeLimits } from "../limits.ts";
import type { Places } from "../variables.ts";
import type { Cgroups } from "./cgroups.ts";
import { receiveListeners, startChild } from "./child.ts";
import { runtimeCommand } from "./command.ts";
import { serveEndpoint } from "./endpoint.ts";
import { startImageSandbox } from "./image.ts";
import { memoryPeakMb } from "./memory.ts";
import { connectInside, terminateInside } from "./inside.ts";
import { stageNodeRuntime } from "./node-runtime.ts";
import type { Outside } from "./outside.ts";
import type { Interpreter, SandboxDriver } from "./sandbox.ts";
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
const runtimeApiPort = 9001;
/** Ours: entries of a package that relative paths of Java lead to. */
const linksMax = 1_000;
const fallbackEndpointPort = 4566;
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
    await copyFile(join(needs.runtimesDir, "java", script), join(stage.outside, "handover", script));
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

  let nodeRuntimeStaged: Promise<string> | undefined;
  const nodeRuntime = (): Promise<string> =>
    (nodeRuntimeStaged ??= stageNodeRuntime(join(needs.runtimesDir, "node"), join(stage.outside, "runtime/node")).then(
      () => join(stage.path, "runtime/node"),
    ));

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

  return {
    name: "namespaces",
    async start(shape, endpointPort, dedication) {
      const slot = freeSlots.pop() ?? slots++;
      started += 1;
      const name = `${slot}-${started}`;
      const hostUid = needs.firstUid === undefined ? undefined : needs.firstUid + slot;
      const folder = `envs/${name}`;
      await mkdir(join(stage.outside, folder), { mode: 0o700 });
      for (const part of ["task", "opt"]) await mkdir(join(stage.outside, folder, part), { mode: 0o755 });
      if (hostUid !== undefined) await chown(join(stage.outside, folder), hostUid, hostUid);

      const at = (part: string) => join(stage.path, part);
      const { interpreter } = shape;
      const runtimeDir =
        interpreter.language === "node"
          ? await nodeRuntime()
          : await show("runtime", interpreter.runtime?.folder ?? join(needs.runtimesDir, interpreter.language));
      const sdk = interpreter.language === "node" && needs.sdkDir !== undefined ? await show("lang", needs.sdkDir) : "";
      const executable = await interpreterArguments(interpreter, show);
      // Nothing of a function may run before the channel for listeners is closed: what comes on it is trusted.
      const first =
        interpreter.language === "java" || dedication !== undefined
          ? await handOver(show, at("handover"))
          : { command: [], binds: [] };
      const command = runtimeCommand(shape, executable.path, inside.runtime);
      const port = endpointPort >= 1024 && endpointPort !== runtimeApiPort ? endpointPort : fallbackEndpointPort;
      const cgroup = cgroups.create(name, { memoryMb: shape.memoryMb, processesMax: limits.processesMax });
      const options = [
        ["--unshare-all", "--die-with-parent", "--new-session"],
        ["--uid", String(uid), "--gid", String(gid), "--hostname", "sandbox", "--cap-drop", "ALL", "--seccomp", "9"],
        system,
        executable.binds,
        first.binds,
        ["--ro-bind", runtimeDir, inside.runtime],
        sdk === "" ? [] : ["--ro-bind", sdk, `${inside.runtime}/node_modules`],
        ["--ro-bind", at(`${folder}/task`), inside.task, "--ro-bind", at(`${folder}/opt`), inside.layers],
        etcFiles.flatMap(([file]) => ["--ro-bind", at(`etc/${file}`), `/etc/${file}`]),
        ["--proc", "/proc", "--dev", "/dev"],
        ["--size", String(shape.ephemeralStorageMb * 1_048_576), "--tmpfs", "/tmp", "--remount-ro", "/"],
        ["--setenv", "LD_LIBRARY_PATH", "/var/lang/lib:/lib64:/usr/lib64", "--chdir", inside.task],
        // The locale that AWS has may not be installed here: names of files and what is printed would be ASCII.
        interpreter.language === "java" ? ["--setenv", "CUMULET_SET_LC_ALL", "C.UTF-8"] : [],
        Object.entries(dedication?.variables ?? {}).flatMap(([name, value]) => [
          "--setenv",
          `CUMULET_SET_${name}`,
          value,
        ]),
      ].flat();
      // In a file: other users of the host can read command lines.
      await writeFile(join(stage.outside, folder, "options"), options.map((option) => `${option}\0`).join(""), {
        mode: 0o600,
      });
      const wrapper = dedication?.wrapper === undefined ? [] : [dedication.wrapper];
      const supervisor = dedication?.supervised === true ? ["/usr/bin/perl", "-e", supervisorProgram, "--"] : [];
      const inner = [...first.command, ...supervisor, ...wrapper, command.file, ...command.args];
      const bubblewrap = ["bwrap", "--args", "8", "--", ...inner];
      const placed: string[] = [];
      let linked: readonly string[] = [];
      const mounted: string[] = [];
      const giveBack = async () => {
        for (const path of mounted) await stage.unmount(path).catch(() => {});
        for (const path of placed) await release(path);
        await cgroup.remove();
        // One by one: what is still mounted there must not be emptied.
        await rm(join(stage.outside, folder, "options"), { force: true }).catch(() => {});
        for (const link of linked) await unlink(join(stage.outside, folder, "task", link)).catch(() => {});
        for (const part of ["task", "opt", "."]) await rmdir(join(stage.outside, folder, part)).catch(() => {});
        freeSlots.push(slot);
      };
      const placeOne = async (from: string, part: string) => {
        placed.push(from);
        if (part === "task" && interpreter.language === "java")
          linked = await linkTask(join(stage.outside, folder, part), from);
        const source = await acquire(from);
        mounted.push(at(`${folder}/${part}`));
        await stage.bind(source, at(`${folder}/${part}`));
      };

      const place = async ({ codeDir, layersDir }: FunctionSpec) => {
        await Promise.all([
          placeOne(codeDir, "task"),
          ...(layersDir === undefined ? [] : [placeOne(layersDir, "opt")]),
        ]);
      };
      if (dedication !== undefined) await place(dedication.spec);

      const [enter, ...enterArguments] = stage.enter;
      const child = startChild(
        {
          file: enter ?? "nsenter",
          args: [
            enterArguments,
            ["sh", "-c", launch, "sh", String(hostUid ?? ""), at("filter"), at(`${folder}/options`)],
            [String(limits.filesMax), String(cgroup.joinFiles.length), ...cgroup.joinFiles, ...bubblewrap],
          ].flat(),
          environment: {
            PATH: "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
            LANG: "en_US.UTF-8",
            TZ: ":UTC",
            CUMULET_LISTEN: `endpoint=${port},runtime=${runtimeApiPort}`,
            ...(shape.preloadsSdk === true && sdk !== "" ? { CUMULET_PRELOAD: "sdk" } : {}),
          },
          cwd: "/",
          handsOver: true,
          supervised: dedication?.supervised === true,
        },
        () => {},
      );
      let complaint = "";
      const note = (chunk: Buffer) => (complaint = (complaint + chunk.toString("utf8")).slice(-1_000));
      child.stderr.on("data", note);

      let listeners;
      try {
        const attach = async () => (await opened)?.attach(await firstChild(child.pid), slot);
        // A program of the function's own may end at once: that is for its environment to tell.
        const waits = dedication !== undefined;
        listeners = await receiveListeners(child, ["endpoint", "runtime"], waits ? attach : undefined);
        if (!waits) await attach();
      } catch (error) {
        child.process.kill("SIGKILL");
        await child.ended;
        await giveBack();
        throw new Error(
          `${error instanceof Error ? error.message : String(error)}${complaint === "" ? "" : `: ${complaint.trim()}`}`,
        );
      }
      child.stderr.off("data", note);
      const endpoint = listeners.get("endpoint");
      const runtimeApi = listeners.get("runtime");
      if (endpoint === undefined || runtimeApi === undefined) throw new Error("A listener is missing");
      serveEndpoint(endpoint, endpointPort);
      endpoint.unref();
      runtimeApi.unref();

      let peakMb = 0;
      return {
        ...child,
        endpoint: `http://127.0.0.1:${port}`,
        runtimeApi,
        runtimeApiAddress: `127.0.0.1:${runtimeApiPort}`,
        ended: child.ended.then((exit) => ({ ...exit, outOfMemory: cgroup.outOfMemory() })),
        async place(spec) {
          if (dedication === undefined) await place(spec);
          return { ...inside, bin: executable.bin };
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
        async dispose() {
          endpoint.close();
          runtimeApi.close();
          await giveBack();
        },
      };
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
          begin() {
            const slot = freeSlots.pop() ?? slots++;
            started += 1;
            const hostUid = needs.firstUid === undefined ? undefined : needs.firstUid + slot;
            return { name: `${slot}-${started}`, slot, hostUid, end: () => freeSlots.push(slot) };
          },
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

async function interpreterArguments(
  interpreter: Interpreter,
  show: (kind: string, folder: string) => Promise<string>,
): Promise<{ readonly path: string; readonly bin: string; readonly binds: readonly string[] }> {
  const { prefix, executable } = interpreter;
  if (prefix === "/usr" || prefix.startsWith("/usr/")) {
    return { path: executable, bin: join(prefix, "bin"), binds: ["--dir", inside.bin] };
  }
  const place = await show("lang", prefix);
  return {
    path: join("/var/lang", executable.slice(prefix.length)),
    bin: inside.bin,
    binds: ["--ro-bind", place, "/var/lang"],
  };
}

/** A program of ours that passes the listeners and becomes the runtime, or the function's program. Perl starts in a tenth of Node's time. */
async function handOver(
  show: (kind: string, folder: string) => Promise<string>,
  scripts: string,
): Promise<{ readonly command: readonly string[]; readonly binds: readonly string[] }> {
  const place = "/var/handover";
  const binds = ["--ro-bind", scripts, place];
  const perl = "/usr/bin/perl";
  const sendmsg = process.arch === "arm64" ? "211" : "46";
  if (existsSync(perl)) {
    // It would complain of a locale that is not installed.
    return { command: [perl, `${place}/handover.pl`, sendmsg], binds: [...binds, "--setenv", "PERL_BADLANG", "0"] };
  }
  const script = `${place}/handover.cjs`;
  if (process.execPath.startsWith("/usr/")) return { command: [process.execPath, script], binds };
  const launcher = await show("lang", dirname(process.execPath));
  const node = join("/var/launcher", basename(process.execPath));
  return { command: [node, script], binds: [...binds, "--ro-bind", launcher, "/var/launcher"] };
}

/**
 * A process that cannot change its directory (Java) stays in the empty `/var/task` over which the code is mounted: links
 * there lead to what is in the code, so that relative paths work.
 */
async function linkTask(folder: string, codeDir: string): Promise<readonly string[]> {
  const names = (await readdir(codeDir)).slice(0, linksMax);
  for (const name of names) await symlink(join(inside.task, name), join(folder, name));
  return names;
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

/** Bubblewrap stays outside; its first child is inside. */
async function firstChild(pid: number): Promise<number> {
  return Number((await readFile(`/proc/${pid}/task/${pid}/children`, "utf8")).split(" ")[0]);
}

async function writeEtc(folder: string): Promise<void> {
  for (const [file, text] of etcFiles) await writeFile(join(folder, file), text, { mode: 0o644 });
}
