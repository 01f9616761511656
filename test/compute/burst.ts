import { readFileSync, readdirSync } from "node:fs";
import { startHarness } from "./harness.ts";

export interface Burst {
  /** Invocations that were answered with what they had sent. */
  readonly answered: number;
  /** Processes of the sandboxes, after all have been idle for long enough. */
  readonly processesLeft: number;
  /** How much more memory this process holds than before. */
  readonly grownMb: number;
}

/** So many invocations at once, spread over so many functions; twice, of which the second is measured. */
export async function runBurst(invocations: number, functions: number): Promise<Burst> {
  const harness = await startHarness("auto", { idleMs: 500, freezeAfterMs: 100, blankIdleMs: 500, blankBurstMs: 100 });
  try {
    const specs = await Promise.all(
      Array.from({ length: functions }, () =>
        harness.define(
          {
            "index.js": `exports.handler = async (event) => {
              await new Promise((resolve) => setTimeout(resolve, 20));
              return event;
            };`,
          },
          { timeoutMs: 120_000 },
        ),
      ),
    );
    const once = async () => {
      const answers = await Promise.all(
        Array.from({ length: invocations }, async (_, index) => {
          const spec = specs[index % functions];
          return spec !== undefined && (await harness.answer(spec, index)) === index;
        }),
      );
      return answers.filter(Boolean).length;
    };
    await once();
    await quiet();
    const beforeMb = rssMb();
    const answered = await once();
    await quiet();
    return { answered, processesLeft: descendants(process.pid), grownMb: rssMb() - beforeMb };
  } finally {
    await harness.stop();
  }
}

/** Until no sandbox is left, or half a minute has passed. */
async function quiet(): Promise<void> {
  for (let tries = 0; tries < 300 && descendants(process.pid) > 0; tries += 1) {
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

function rssMb(): number {
  globalThis.gc?.();
  return process.memoryUsage().rss / 1_048_576;
}

/** Processes below this one that run a runtime of ours. */
export function descendants(pid: number): number {
  const parents = new Map<number, number>();
  const runtimes: number[] = [];
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/u.test(name)) continue;
    try {
      const stat = readFileSync(`/proc/${name}/stat`, "utf8");
      parents.set(Number(name), Number(stat.split(") ")[1]?.split(" ")[1]));
      if (/bootstrap\.(cjs|py)/u.test(readFileSync(`/proc/${name}/cmdline`, "utf8"))) runtimes.push(Number(name));
    } catch {
      // It has ended meanwhile.
    }
  }
  const isBelow = (child: number | undefined): boolean =>
    child !== undefined && child > 1 && (child === pid || isBelow(parents.get(child)));
  return runtimes.filter(isBelow).length;
}
