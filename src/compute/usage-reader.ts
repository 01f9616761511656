import type { Sandbox } from "./sandbox/sandbox.ts";

/** What an environment has used of the host. */
export interface UsageReader {
  /** @param exactly now, not as it was up to a tenth of a second ago */
  read(exactly: boolean): Usage;
}

interface Usage {
  readonly maxMemoryUsedMb: number;
  /** Since the reading before; absent where the host does not count it. */
  readonly cpuMs?: number;
}

const readEveryMs = 100;

/** The kernel's figures, asked for at most ten times a second: a warm invocation of a millisecond hardly moves them. */
export function createUsageReader(
  sandbox: Pick<Sandbox, "memoryUsedMb" | "cpuUsedMs">,
  memoryMbMax: number,
  elapsed: () => number,
): UsageReader {
  let memoryMb = 0;
  let readAt = -Infinity;
  let cpuReadMs = sandbox.cpuUsedMs();
  return {
    read(exactly) {
      const now = elapsed();
      const before = cpuReadMs;
      if (exactly || now - readAt >= readEveryMs) {
        readAt = now;
        memoryMb = Math.min(memoryMbMax, sandbox.memoryUsedMb());
        const read = sandbox.cpuUsedMs();
        // Of a group that has gone there is nothing to read any more.
        if (read !== undefined && before !== undefined) cpuReadMs = Math.max(before, read);
      }
      if (cpuReadMs === undefined || before === undefined) return { maxMemoryUsedMb: memoryMb };
      return { maxMemoryUsedMb: memoryMb, cpuMs: cpuReadMs - before };
    },
  };
}
