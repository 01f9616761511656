import { chownSync, existsSync, mkdirSync, rmdirSync, unlinkSync, writeFileSync } from "node:fs";
import { readdir, readFile, symlink } from "node:fs/promises";
import type { Server } from "node:net";
import { basename, dirname, join } from "node:path";
import type { ComputeLimits } from "../limits.ts";
import { GroupGoneError, withGroup, type Cgroup, type Cgroups } from "./cgroups.ts";
import { receiveListeners, startChild, type Child } from "./child.ts";
import type { Outside } from "./outside.ts";
import { compiledPlace } from "./sandbox.ts";
import type { Stage } from "./stage.ts";

/**
 * The inside of a sandbox before anything is in it: namespaces, user, cgroups, network and listeners, and one small program
 * of ours that waits to become a runtime. It serves any interpreter, memory size and function: what they need is mounted over
 * empty folders.
 */
export interface Hull {
  readonly child: Child;
  readonly cgroup: Cgroup;
  readonly endpoint: Server;
  readonly runtimeApi: Server;
  /** On the sandbox's own loopback. */
  readonly endpointAddress: string;
  readonly runtimeApiAddress: string;
  /** Mount a folder of the stage, and what is mounted in it, over one of the empty ones. */
  mount(source: string, over: EmptyFolder): Promise<void>;
  /**
   * A process that cannot change its directory (Java) stays in the empty `/var/task` over which the code is mounted: links
   * there lead to what is in the code, so that relative paths work. To be called before that.
   */
  linkTask(codeDir: string): Promise<void>;
  /** Run a runtime in it, with these variables beside those that all have. To be called once. */
  become(program: readonly string[], variables: Readonly<Record<string, string>>): void;
  /** After its processes have ended: give back what the host lent. */
  dispose(): Promise<void>;
}

export type EmptyFolder = keyof typeof emptyFolders;

export interface HullNeeds {
  readonly stage: Stage;
  readonly cgroups: Cgroups;
  readonly limits: ComputeLimits;
  /** bubblewrap's arguments for what is of the host's system. */
  readonly system: readonly string[];
  /** Joins the cgroups, drops to the environment's user, and becomes the command that follows. */
  readonly launch: string;
  readonly outside: Promise<Outside | undefined>;
  readonly uid: number;
  readonly gid: number;
  readonly etcFiles: readonly string[];
  /** A place and a user for one more sandbox; `end` gives the place back. */
  begin(): { readonly name: string; readonly slot: number; readonly hostUid: number | undefined; end(): void };
  /** Show a folder of this host in the stage. */
  show(kind: string, folder: string): Promise<string>;
}

export interface HullSize {
  readonly ephemeralStorageMb: number;
  readonly endpointPort: number;
  /** Its first program will be a supervisor, with two streams more. */
  readonly supervised: boolean;
  /** Without the way out. */
  readonly alone: boolean;
}

/** Where in the sandbox they are, and what an interpreter of the system leaves there. */
const emptyFolders = {
  task: "/var/task",
  opt: "/opt",
  runtime: "/var/runtime",
  lang: "/var/lang",
  compiled: compiledPlace,
} as const;
const folderNames = ["task", "opt", "runtime", "lang", "compiled"] as const;
const langBin = "lang/bin";
const runtimeApiPort = 9001;
const fallbackEndpointPort = 4566;
/** Until it is known for which function: what the small program takes. */
const firstMemoryMb = 128;
/** Ours: entries of a package that relative paths of Java lead to. */
const linksMax = 1_000;

export function createHull(needs: HullNeeds, size: HullSize): Promise<Hull> {
  return withGroup(() => beginHull(needs, size));
}

async function beginHull(needs: HullNeeds, size: HullSize): Promise<Hull> {
  const { stage, cgroups, limits } = needs;
  const { endpointPort } = size;
  const { name, slot, hostUid, end } = needs.begin();
  const folder = `envs/${name}`;
  const at = (part: string) => join(stage.path, folder, part);
  const outsideAt = (part: string) => join(stage.outside, folder, part);
  // At once: each takes some microseconds, and a turn of a busy event loop takes milliseconds.
  mkdirSync(outsideAt("."), { mode: 0o700 });
  for (const part of [...folderNames, langBin]) mkdirSync(outsideAt(part), { mode: 0o755 });
  if (hostUid !== undefined) chownSync(outsideAt("."), hostUid, hostUid);

  const first = await firstProgram(needs.show, join(stage.path, "handover"));
  const port = endpointPort >= 1024 && endpointPort !== runtimeApiPort ? endpointPort : fallbackEndpointPort;
  const cgroup = cgroups.create(name, { memoryMb: firstMemoryMb, processesMax: limits.processesMax });
  const options = [
    ["--unshare-all", "--die-with-parent", "--new-session"],
    ["--uid", String(needs.uid), "--gid", String(needs.gid), "--hostname", "sandbox", "--cap-drop", "ALL"],
    ["--seccomp", "9"],
    needs.system,
    first.binds,
    folderNames.flatMap((part) => ["--ro-bind", at(part), emptyFolders[part]]),
    needs.etcFiles.flatMap((file) => ["--ro-bind", join(stage.path, "etc", file), `/etc/${file}`]),
    ["--proc", "/proc", "--dev", "/dev"],
    ["--size", String(size.ephemeralStorageMb * 1_048_576), "--tmpfs", "/tmp", "--remount-ro", "/"],
    ["--chdir", emptyFolders.task],
  ].flat();
  // In a file: other users of the host can read command lines.
  writeFileSync(outsideAt("options"), options.map((option) => `${option}\0`).join(""), { mode: 0o600 });

  const mounted: string[] = [];
  let linked: readonly string[] = [];
  const dispose = async () => {
    for (const path of mounted) await stage.unmount(path).catch(() => {});
    await cgroup.remove();
    // One by one: what is still mounted there must not be emptied.
    for (const file of ["options", ...linked.map((link) => join("task", link))]) attempt(unlinkSync, outsideAt(file));
    for (const part of [langBin, ...folderNames, "."]) attempt(rmdirSync, outsideAt(part));
    end();
  };

  const [enter = "nsenter", ...enterArguments] = stage.enter;
  const child = startChild(
    {
      file: enter,
      args: [
        enterArguments,
        ["sh", "-c", needs.launch, "sh", String(hostUid ?? ""), join(stage.path, "filter"), at("options")],
        [String(limits.filesMax), String(cgroup.joinFiles.length), ...cgroup.joinFiles],
        ["bwrap", "--args", "8", "--", ...first.command],
      ].flat(),
      environment: {
        PATH: "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
        LANG: "en_US.UTF-8",
        TZ: ":UTC",
        CUMULET_LISTEN: `endpoint=${port},runtime=${runtimeApiPort}`,
        // Perl would complain of a locale that is not installed.
        PERL_BADLANG: "0",
      },
      cwd: "/",
      handsOver: true,
      supervised: size.supervised,
    },
    () => {},
  );
  let complaint = "";
  const note = (chunk: Buffer) => (complaint = (complaint + chunk.toString("utf8")).slice(-1_000));
  child.stderr.on("data", note);
  try {
    const attach = async () =>
      size.alone ? undefined : (await needs.outside)?.attach(await firstChild(child.pid), slot);
    const listeners = await receiveListeners(child, ["endpoint", "runtime"], attach);
    child.stderr.off("data", note);
    const endpoint = listeners.get("endpoint");
    const runtimeApi = listeners.get("runtime");
    if (endpoint === undefined || runtimeApi === undefined) throw new Error("A listener is missing");
    endpoint.unref();
    runtimeApi.unref();
    return {
      child,
      cgroup,
      endpoint,
      runtimeApi,
      endpointAddress: `http://127.0.0.1:${port}`,
      runtimeApiAddress: `127.0.0.1:${runtimeApiPort}`,
      async mount(source, over) {
        mounted.push(at(over));
        await stage.bind(source, at(over));
      },
      async linkTask(codeDir) {
        linked = (await readdir(codeDir)).slice(0, linksMax);
        for (const link of linked) await symlink(join(emptyFolders.task, link), outsideAt(join("task", link)));
      },
      become(program, variables) {
        const fields = [String(program.length), ...program, ...Object.entries(variables).map((pair) => pair.join("="))];
        const body = Buffer.from(fields.map((field) => `${field.replaceAll("\0", "")}\0`).join(""));
        const head = Buffer.allocUnsafe(4);
        head.writeUInt32BE(body.length, 0);
        child.channel.write(Buffer.concat([head, body]));
      },
      async dispose() {
        endpoint.close();
        runtimeApi.close();
        await dispose();
      },
    };
  } catch (error) {
    child.process.kill("SIGKILL");
    await child.ended;
    const Failure = cgroup.isGone() ? GroupGoneError : Error;
    await dispose();
    const reason = error instanceof Error ? error.message : String(error);
    throw new Failure(`${reason}${complaint === "" ? "" : `: ${complaint.trim()}`}`, { cause: error });
  }
}

function attempt(remove: (path: string) => void, path: string): void {
  try {
    remove(path);
  } catch {
    // The stage goes as a whole in the end.
  }
}

/** A program of ours that passes the listeners and becomes what it is told. Perl starts in a tenth of Node's time. */
async function firstProgram(
  show: HullNeeds["show"],
  scripts: string,
): Promise<{ readonly command: readonly string[]; readonly binds: readonly string[] }> {
  const place = "/var/handover";
  const binds = ["--ro-bind", scripts, place];
  const perl = "/usr/bin/perl";
  const sendmsg = process.arch === "arm64" ? "211" : "46";
  if (existsSync(perl)) return { command: [perl, `${place}/handover.pl`, sendmsg], binds };
  const script = `${place}/handover.cjs`;
  if (process.execPath.startsWith("/usr/")) return { command: [process.execPath, script], binds };
  const launcher = await show("lang", dirname(process.execPath));
  const node = join("/var/launcher", basename(process.execPath));
  return { command: [node, script], binds: [...binds, "--ro-bind", launcher, "/var/launcher"] };
}

/** Bubblewrap stays outside; its first child is inside. */
async function firstChild(pid: number): Promise<number> {
  return Number((await readFile(`/proc/${pid}/task/${pid}/children`, "utf8")).split(" ")[0]);
}
