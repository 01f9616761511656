import type { Clock } from "../kernel/clock.ts";
import { createFrameReader, frameKind } from "./frames.ts";
import type { ComputeLimits } from "./limits.ts";
import type { Dedication, Sandbox, SandboxDriver, SandboxShape } from "./sandbox/sandbox.ts";

/** Sandboxes whose runtime waits for code, kept for the shapes that have been asked for. */
export interface Blanks {
  take(shape: SandboxShape, dedication?: Dedication): Promise<Sandbox>;
  /** Keep a sandbox that has been started elsewhere. */
  put(shape: SandboxShape, sandbox: Sandbox): Promise<void>;
  stop(): Promise<void>;
}

interface Shelf {
  readonly shape: SandboxShape;
  readonly ready: Sandbox[];
  usedAt: number;
  starting: number;
  /** How many are kept: more after a burst found none, fewer when they have not been needed for a while. */
  target: number;
}

export interface BlanksNeeds {
  readonly driver: SandboxDriver;
  readonly clock: Clock;
  readonly limits: ComputeLimits;
  readonly endpointPort: () => number;
}

/** After the last start that somebody waited for, and between blanks. */
const refillDelayMs = 50;
const refillPauseMs = 5;

export function createBlanks(needs: BlanksNeeds): Blanks {
  const { driver, clock, limits } = needs;
  const shelves = new Map<string, Shelf>();
  let taking = 0;
  let refilling = false;
  let stopped = false;
  let starting: Promise<void> = Promise.resolve();

  const shelfOf = (shape: SandboxShape): Shelf => {
    const key = `${shape.interpreter.executable} ${shape.memoryMb} ${shape.ephemeralStorageMb}`;
    let shelf = shelves.get(key);
    if (shelf === undefined) {
      shelf = { shape, ready: [], usedAt: clock.now(), starting: 0, target: limits.blanksMin };
      shelves.set(key, shelf);
    }
    shelf.usedAt = clock.now();
    return shelf;
  };

  const start = async (shape: SandboxShape, dedication?: Dedication): Promise<Sandbox> => {
    const sandbox = await driver.start(shape, needs.endpointPort(), dedication);
    await waitUntilReady(sandbox, clock, limits.spawnTimeoutMs);
    return sandbox;
  };

  /** One at a time and only while nobody waits for a start: a blank must not slow down the burst that used it up. */
  const refill = (delayMs = refillDelayMs) => {
    if (refilling || stopped) return;
    refilling = true;
    clock.after(delayMs, () => void (starting = refillNow()));
  };
  const refillNow = async () => {
    refilling = false;
    if (stopped) return;
    if (taking > 0) return refill();
    const [shelf] = [...shelves.values()]
      .filter((candidate) => candidate.ready.length + candidate.starting < candidate.target)
      .toSorted((a, b) => b.usedAt - a.usedAt);
    if (shelf === undefined || total() >= limits.blanksMax) return;
    shelf.starting += 1;
    try {
      const sandbox = await start(shelf.shape);
      if (stopped) return await discard(sandbox);
      shelve(shelf, sandbox);
      refill(refillPauseMs);
    } catch {
      // The next one who asks meets the same trouble and is told of it.
    } finally {
      shelf.starting -= 1;
    }
  };

  const total = () => [...shelves.values()].reduce((sum, shelf) => sum + shelf.ready.length + shelf.starting, 0);

  const shelve = (shelf: Shelf, sandbox: Sandbox) => {
    shelf.ready.push(sandbox);
    const remove = () => {
      const at = shelf.ready.indexOf(sandbox);
      if (at !== -1) shelf.ready.splice(at, 1);
      return at !== -1;
    };
    void sandbox.ended.then(() => (remove() ? sandbox.dispose() : undefined));
    const expire = () => {
      const quietMs = clock.now() - shelf.usedAt;
      if (quietMs >= limits.blankBurstMs) shelf.target = limits.blanksMin;
      const superfluous = shelf.ready.length > shelf.target;
      if (!superfluous && quietMs < limits.blankIdleMs) clock.after(limits.blankBurstMs, expire);
      else if (remove()) void discard(sandbox);
    };
    clock.after(limits.blankBurstMs, expire);
  };

  return {
    async take(shape, dedication) {
      const shelf = dedication === undefined ? shelfOf(shape) : undefined;
      const waiting = shelf?.ready.pop();
      if (shelf !== undefined && waiting === undefined) shelf.target = Math.min(limits.blanksMax, shelf.target + 1);
      taking += 1;
      try {
        return waiting ?? (await start(shape, dedication));
      } finally {
        taking -= 1;
        refill();
      }
    },
    async put(shape, sandbox) {
      await waitUntilReady(sandbox, clock, limits.spawnTimeoutMs);
      shelve(shelfOf(shape), sandbox);
    },
    async stop() {
      stopped = true;
      const left = [...shelves.values()].flatMap((shelf) => shelf.ready.splice(0));
      await Promise.all([starting, ...left.map(discard)]);
    },
  };
}

async function discard(sandbox: Sandbox): Promise<void> {
  sandbox.kill();
  await sandbox.ended;
  await sandbox.dispose();
}

/** The first frame of every bootstrap says that it waits; what it printed until then is the reason when it does not come. */
function waitUntilReady(sandbox: Sandbox, clock: Clock, timeoutMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    let printed = "";
    const note = (chunk: Buffer) => (printed = (printed + chunk.toString("utf8")).slice(-2_000));
    const settle = (then: () => void) => {
      cancel();
      sandbox.stderr.off("data", note);
      sandbox.channel.off("data", read);
      then();
    };
    const read = createFrameReader(
      {
        frame: (kind) => settle(kind === frameKind.ready ? resolve : () => reject(new Error("Not a runtime of ours"))),
        oversized: () => settle(() => reject(new Error("Not a runtime of ours"))),
      },
      0,
    );
    const give = (why: string) => () => reject(new Error(`${why}${printed === "" ? "" : `: ${printed.trim()}`}`));
    const cancel = clock.after(timeoutMs, () => {
      settle(give(`The runtime was not ready after ${timeoutMs} ms`));
      void discard(sandbox);
    });
    sandbox.stderr.on("data", note);
    sandbox.channel.on("data", read);
    void sandbox.ended.then(() => settle(give("The runtime ended before it was ready")));
  });
}
