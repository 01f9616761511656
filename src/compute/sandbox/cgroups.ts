import {
  closeSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  readdirSync,
  readlinkSync,
  existsSync,
  rmdirSync,
  writeFileSync,
} from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { availableParallelism } from "node:os";
import { dirname, join } from "node:path";
import type { Afterwards } from "./stage.ts";

/** Limits on what the processes of an environment may use together, and what they have used. */
export interface Cgroups {
  readonly name: "v2" | "v1" | "none";
  readonly why: string;
  readonly afterwards: Afterwards;
  create(name: string, limits: CgroupLimits): Cgroup;
  remove(): Promise<void>;
}

export interface CgroupLimits {
  readonly memoryMb: number;
  readonly processesMax: number;
}

export interface Cgroup {
  /** A process joins by writing its id to each. */
  readonly joinFiles: readonly string[];
  /** Whether someone else on this host has removed it: until a process has joined, it is empty, and anyone may tidy it away. */
  isGone(): boolean;
  resize(memoryMb: number): void;
  memoryPeakMb(): number;
  /** Processor time of all that has run in it; undefined where it is not counted. */
  cpuUsedMs(): number | undefined;
  outOfMemory(): boolean;
  freeze(frozen: boolean): void;
  /** After its processes have ended. */
  remove(): Promise<void>;
}

/** A sandbox's group was removed before its first process could join it. */
export class GroupGoneError extends Error {}

/** Ours: so often a sandbox is begun anew whose group others have removed. */
const triesMax = 5;

export async function withGroup<T>(begin: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await begin();
    } catch (error) {
      if (!(error instanceof GroupGoneError) || tries === triesMax) throw error;
    }
  }
}

/** AWS: 1,769 MB have the equivalent of one vCPU. */
const memoryMbPerCpu = 1_769;
const prefix = "cumulet-";
const leafName = `${prefix}server`;

/**
 * Finds out by trying: groups are made below this process's own, so that what limits the platform limits its functions too.
 * The processor is shared in proportion to memory while it is scarce; it is not withheld while it is idle.
 */
export function detectCgroups(pid: number, instance: string, supervisor?: number): Cgroups {
  const reasons: string[] = [];
  for (const detect of [detectV1, detectV2]) {
    try {
      const found = detect(`${prefix}${pid}-${instance}-${pidNamespace()}`, () => family(pid, supervisor));
      if (typeof found !== "string") return found;
      reasons.push(found);
    } catch (error) {
      reasons.push(error instanceof Error ? error.message : String(error));
    }
  }
  return {
    name: "none",
    why: `Memory, processes and processor of functions are not limited: ${reasons.join("; ")}.`,
    afterwards: { freezers: "", thawed: "", groups: [] },
    create: () => ({
      joinFiles: [],
      isGone: () => false,
      resize: () => {},
      memoryPeakMb: () => 0,
      cpuUsedMs: () => undefined,
      outOfMemory: () => false,
      freeze: () => {},
      remove: () => Promise.resolve(),
    }),
    remove: () => Promise.resolve(),
  };
}

interface Mount {
  readonly path: string;
  readonly controllers: readonly string[];
}

function detectV1(group: string): Cgroups | string {
  const mounts = cgroupMounts("cgroup");
  const own = ownGroups();
  const folderOf = (controller: string) => {
    const mount = mounts.find((candidate) => candidate.controllers.includes(controller));
    const path = own.get(controller);
    return mount === undefined || path === undefined ? undefined : join(mount.path, path, group);
  };
  const memory = folderOf("memory");
  const pids = folderOf("pids");
  if (memory === undefined || pids === undefined) return "cgroup v1 has no memory and pids controllers here";
  const cpu = folderOf("cpu");
  const freezer = folderOf("freezer");
  const accounting = folderOf("cpuacct");
  // Controllers may share a hierarchy, as cpu and cpuacct mostly do.
  const roots = [...new Set([memory, pids, cpu, freezer, accounting])].filter((folder) => folder !== undefined);
  for (const root of roots) makeRoot(root);
  // All functions together weigh as much as this host's processors do, so that a busy host does not starve small ones.
  if (cpu !== undefined) writeFileSync(join(cpu, "cpu.shares"), String(2 * 1_024 * availableParallelism()));

  return {
    name: "v1",
    why: `Memory and processes are limited${cpu === undefined ? "" : ", the processor is shared in proportion to memory"}${freezer === undefined ? "" : ", idle environments are frozen"}.`,
    afterwards: {
      freezers: freezer === undefined ? "" : join(freezer, "*", "freezer.state"),
      thawed: "THAWED",
      groups: roots,
    },
    create(name, limits) {
      const folders = roots.map((root) => join(root, name));
      for (const folder of folders) mkdirSync(folder, { recursive: true });
      const resize = (memoryMb: number) => {
        writeFileSync(join(memory, name, "memory.limit_in_bytes"), String(memoryMb * 1_048_576));
        const shares = Math.max(2, Math.round((memoryMb / memoryMbPerCpu) * 1_024));
        if (cpu !== undefined) writeFileSync(join(cpu, name, "cpu.shares"), String(shares));
      };
      resize(limits.memoryMb);
      writeFileSync(join(pids, name, "pids.max"), String(limits.processesMax));
      const peak = createNumberFile(join(memory, name, "memory.max_usage_in_bytes"));
      const used = accounting === undefined ? undefined : createNumberFile(join(accounting, name, "cpuacct.usage"));
      return {
        joinFiles: folders.map((folder) => join(folder, "cgroup.procs")),
        isGone: () => !folders.every((folder) => existsSync(folder)),
        resize,
        memoryPeakMb: () => Math.ceil(peak.read() / 1_048_576),
        cpuUsedMs: () => (used === undefined ? undefined : used.read() / 1_000_000),
        outOfMemory: () => counted(join(memory, name, "memory.oom_control"), "oom_kill") > 0,
        freeze: (frozen) => {
          if (freezer !== undefined) tryWrite(join(freezer, name, "freezer.state"), frozen ? "FROZEN" : "THAWED");
        },
        async remove() {
          peak.close();
          used?.close();
          for (const folder of folders) await removeGroup(folder);
        },
      };
    },
    async remove() {
      for (const root of roots) await removeGroup(root);
    },
  };
}

function detectV2(group: string, ownProcesses: () => readonly number[]): Cgroups | string {
  const [mount] = cgroupMounts("cgroup2");
  // Where another process of this program has moved all of them to its leaf, groups are made beside that.
  const path = ownGroups()
    .get("")
    ?.replace(new RegExp(`/${leafName}$`, "u"), "");
  if (mount === undefined || path === undefined) return "cgroup v2 is not mounted";
  const own = join(mount.path, path);
  const available = readFileSync(join(own, "cgroup.controllers"), "utf8").trim().split(" ");
  if (!available.includes("memory") || !available.includes("pids")) {
    return "cgroup v2 has no memory and pids controllers to hand on here";
  }
  const wanted = ["memory", "pids", "cpu"].filter((controller) => available.includes(controller));
  const enable = wanted.map((controller) => `+${controller}`).join(" ");
  const root = join(own, group);
  makeRoot(root);
  try {
    writeFileSync(join(own, "cgroup.subtree_control"), enable);
  } catch {
    // Only a group without processes may hand controllers on: the platform moves to a leaf of its own.
    const leaf = join(own, leafName);
    mkdirSync(leaf, { recursive: true });
    for (const pid of ownProcesses()) writeFileSync(join(leaf, "cgroup.procs"), String(pid));
    writeFileSync(join(own, "cgroup.subtree_control"), enable);
  }
  const makeOwn = () => {
    mkdirSync(root, { recursive: true });
    writeFileSync(join(root, "cgroup.subtree_control"), enable);
    tryWrite(join(root, "cpu.weight"), String(Math.min(10_000, 2 * 100 * availableParallelism())));
  };
  makeOwn();

  return {
    name: "v2",
    why: "Memory and processes are limited, the processor is shared in proportion to memory, idle environments are frozen.",
    afterwards: { freezers: join(root, "*", "cgroup.freeze"), thawed: "0", groups: [root] },
    create(name, limits) {
      const folder = join(root, name);
      if (!existsSync(root)) makeOwn();
      mkdirSync(folder);
      const resize = (memoryMb: number) => {
        writeFileSync(join(folder, "memory.max"), String(memoryMb * 1_048_576));
        const weight = Math.min(10_000, Math.max(1, Math.round((memoryMb / memoryMbPerCpu) * 100)));
        tryWrite(join(folder, "cpu.weight"), String(weight));
      };
      resize(limits.memoryMb);
      tryWrite(join(folder, "memory.swap.max"), "0");
      writeFileSync(join(folder, "pids.max"), String(limits.processesMax));
      const peak = createNumberFile(
        join(folder, existsSync(join(folder, "memory.peak")) ? "memory.peak" : "memory.current"),
      );
      return {
        joinFiles: [join(folder, "cgroup.procs")],
        isGone: () => !existsSync(folder),
        resize,
        memoryPeakMb: () => Math.ceil(peak.read() / 1_048_576),
        cpuUsedMs: () => counted(join(folder, "cpu.stat"), "usage_usec") / 1_000,
        outOfMemory: () => counted(join(folder, "memory.events"), "oom_kill") > 0,
        freeze: (frozen) => tryWrite(join(folder, "cgroup.freeze"), frozen ? "1" : "0"),
        async remove() {
          peak.close();
          await removeGroup(folder);
        },
      };
    },
    remove: () => removeGroup(root),
  };
}

/** This process, or all workers with the process that supervises them: those that it starts later begin where it is. */
function family(pid: number, supervisor: number | undefined): readonly number[] {
  if (supervisor === undefined) return [pid];
  const children = readFileSync(`/proc/${supervisor}/task/${supervisor}/children`, "utf8").trim().split(" ");
  return [supervisor, ...children.map(Number).filter((child) => existsSync(`/proc/${child}`))];
}

/** Groups are the host's, process ids those of a namespace: what has no process here may have one there. */
function pidNamespace(): string {
  return /\d+/u.exec(readlinkSync("/proc/self/ns/pid"))?.[0] ?? "0";
}

/** Makes the folder for this process's groups, and clears away those of processes that did not get to it. */
function makeRoot(root: string): void {
  const parent = dirname(root);
  for (const name of readdirSync(parent)) {
    const [, pid, namespace] = /^cumulet-(\d+)-[0-9a-f]+-(\d+)$/u.exec(name) ?? [];
    if (pid === undefined || namespace !== pidNamespace() || existsSync(`/proc/${pid}`)) continue;
    for (const entry of readdirSync(join(parent, name), { withFileTypes: true })) {
      if (entry.isDirectory()) tryRemove(join(parent, name, entry.name));
    }
    tryRemove(join(parent, name));
  }
  mkdirSync(root, { recursive: true });
}

function cgroupMounts(type: string): readonly Mount[] {
  return readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .flatMap((line) => {
      const [before, after] = line.split(" - ");
      const path = before?.split(" ")[4];
      const [filesystem, , options] = after?.split(" ") ?? [];
      if (filesystem !== type || path === undefined) return [];
      return [{ path, controllers: options?.split(",") ?? [] }];
    });
}

/** This process's group in each hierarchy, by controller; `""` is the unified one. */
function ownGroups(): ReadonlyMap<string, string> {
  const groups = new Map<string, string>();
  for (const line of readFileSync("/proc/self/cgroup", "utf8").trim().split("\n")) {
    const [, controllers = "", ...path] = line.split(":");
    for (const controller of controllers.split(",")) groups.set(controller, path.join(":"));
  }
  return groups;
}

/** A file of the kernel that holds one number, kept open because it is read for every invocation. */
function createNumberFile(path: string) {
  const descriptor = openSync(path, "r");
  const buffer = Buffer.alloc(32);
  let closed = false;
  let last = 0;
  const read = () => {
    if (!closed) last = Number.parseInt(buffer.toString("latin1", 0, readSync(descriptor, buffer, 0, 32, 0)), 10);
    return last;
  };
  return {
    read,
    close: () => {
      if (closed) return;
      try {
        read();
      } catch {
        // The group has gone with all others when the platform stops: the figure read last will do.
      }
      closeSync(descriptor);
      closed = true;
    },
  };
}

function counted(path: string, name: string): number {
  try {
    const line = readFileSync(path, "utf8")
      .split("\n")
      .find((text) => text.startsWith(`${name} `));
    return Number(line?.slice(name.length + 1) ?? 0);
  } catch {
    return 0;
  }
}

function tryWrite(path: string, text: string): void {
  try {
    writeFileSync(path, text);
  } catch {
    // The group has gone, or the kernel lacks this file: nothing depends on it.
  }
}

function tryRemove(folder: string): boolean {
  try {
    rmdirSync(folder);
    return true;
  } catch {
    return !existsSync(folder);
  }
}

/** The kernel lets go of a group a moment after the last process has ended. */
async function removeGroup(folder: string): Promise<void> {
  for (let tries = 0; tries < 50; tries += 1) {
    if (tryRemove(folder)) return;
    await delay(10);
  }
}
