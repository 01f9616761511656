import { readFileSync, readlinkSync } from "node:fs";
import type { Ids } from "../ids.ts";
import type { JobOwners } from "./lease-watch.ts";

/**
 * Owners by name of their process: the system tells which of those on this machine still run, so that what a killed
 * process had leased runs again at once. Where it cannot tell (another machine or container, a system without `/proc`,
 * this machine before it was started again), the lease's time decides.
 */
export function createProcessOwners(ids: Ids): JobOwners {
  const machine = readText("/proc/sys/kernel/random/boot_id");
  const space = readLink("/proc/self/ns/pid");
  const toPrefix = (pid: number, began: string) => [machine, space, pid, began].join("/");
  return {
    // Two platforms may be in one process.
    id: `${toPrefix(process.pid, beginningOf(process.pid))}/${ids.random(8, "abcdefghijklmnopqrstuvwxyz")}`,
    hasEnded: (id) => {
      const [theirMachine, theirSpace, pid, began, tail] = id.split("/");
      if (machine === "" || theirMachine !== machine || theirSpace !== space || tail === undefined) return false;
      return began !== "" && beginningOf(Number(pid)) !== began;
    },
  };
}

/** When a process began, in ticks since the machine did; empty when it does not run. */
function beginningOf(pid: number): string {
  // proc(5): after the name in parentheses, which may hold anything, the state is field 3 and the beginning field 22.
  const status = readText(`/proc/${pid}/stat`);
  const fields = status.slice(status.lastIndexOf(")") + 2).split(" ");
  const isDead = fields[0] === "Z" || fields[0] === "X";
  return isDead ? "" : (fields[19] ?? "");
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    return "";
  }
}

function readLink(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return "";
  }
}
