import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";

/** A name for a process that no later process of this machine bears: its id and when it started. */
export function processIdentity(pid: number): string {
  return `${pid}-${startOf(pid) ?? 0}`;
}

/** Whether the process of that name has ended. */
export function hasEnded(identity: string): boolean {
  const [pid, start] = identity.split("-").map(Number);
  if (pid === undefined || start === undefined || !Number.isInteger(pid)) return true;
  const now = startOf(pid);
  if (now !== undefined) return now !== start;
  if (start !== 0) return true;
  // A host without /proc can say no more than whether some process has that id.
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return !(error instanceof Error && "code" in error && error.code === "EPERM");
  }
}

/** In ticks since the machine started; undefined when there is no such process, or no `/proc`. */
function startOf(pid: number): number | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "latin1");
    // The name in parentheses may hold anything; the 22nd field is the 20th behind it.
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    return Number(fields[19]);
  } catch {
    return undefined;
  }
}

/** What names this process to others that share its store, on whatever machine they are. */
export function thisProcess(): {
  readonly label: string;
  readonly process?: { readonly machine: string; readonly identity: string };
} {
  const machine = machineName();
  return {
    label: `${hostname()}:${process.pid}`,
    ...(machine !== undefined && { process: { machine, identity: processIdentity(process.pid) } }),
  };
}

/** The same for exactly those who see each other's processes: this run of this kernel, and the namespace of process ids. */
function machineName(): string | undefined {
  try {
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "latin1").trim();
    return `${boot} ${readlinkSync("/proc/self/ns/pid")}`;
  } catch {
    return undefined;
  }
}
