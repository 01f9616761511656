import type { Clock } from "../kernel/clock.ts";
import { createBareStock } from "./bare-stock.ts";
import { createFrameReader, frameKind } from "./frames.ts";
import type { ComputeLimits } from "./limits.ts";
import type { BareSandbox, Dedication, Sandbox, SandboxDriver, SandboxShape } from "./sandbox/sandbox.ts";

/** Sandboxes whose runtime waits for code, kept for the shapes that have been asked for. */
export interface Blanks {
  /** The first that is ready: one that waits, one that is being started already, or a new one. */
  take(shape: SandboxShape, dedication?: Dedication): Promise<Sandbox>;
  /** Keep a sandbox that has been started elsewhere. */
  put(shape: SandboxShape, sandbox: Sandbox): Promise<void>;
  stop(): Promise<void>;
}

interface Shelf {
  readonly shape: SandboxShape;
  readonly dedication: Dedication | undefined;
  readonly ready: Sandbox[];
  readonly waiting: Want[];
  starting: number;
  usedAt: number;
  /** How many were taken and have not been made again: what comes one after the other is no burst, however long it goes on. */
  missing: number;
  /** How many are kept: more after a burst, fewer when they have not been needed for a while. */
  target: number;
}

interface Want {
  readonly resolve: (sandbox: Sandbox) => void;
  readonly reject: (error: unknown) => void;
}

export interface BlanksNeeds {
  readonly driver: SandboxDriver;
  readonly clock: Clock;
  readonly limits: ComputeLimits;
  readonly endpointPort: () => number;
  /** Whether functions run now. */
  readonly serves?: () => boolean;
}

/** After the last start that somebody waited for, and between blanks. */
const refillDelayMs = 50;
const refillPauseMs = 5;
/**
 * While functions run, after a blank that is only there for the next burst: to start a sandbox takes a tenth of a second of processor time,
 * most of it not in this process, which those who are served would wait for.
 */
const servingPauseMs = 1_000;

export function createBlanks(needs: BlanksNeeds): Blanks {
  const { driver, clock, limits } = needs;
  const shelves = new Map<string, Shelf>();
  const bare = createBareStock(needs);
  /** A shelf for each start that somebody waits for, in order. */
  const queue: Shelf[] = [];
  const starts = new Set<Promise<unknown>>();
  let refills = 0;
  let refillAt: (() => void) | undefined;
  let sweeping = false;
  let stopped = false;

  const shelfOf = (shape: SandboxShape): Shelf => {
    const key = shelfKey(shape);
    let shelf = shelves.get(key);
    if (shelf === undefined) {
      shelf = newShelf(shape, undefined);
      shelf.target = limits.blanksMin;
      shelves.set(key, shelf);
    }
    return shelf;
  };
  const newShelf = (shape: SandboxShape, dedication: Dedication | undefined): Shelf => ({
    shape,
    dedication,
    ready: [],
    waiting: [],
    starting: 0,
    usedAt: clock.now(),
    missing: 0,
    target: 0,
  });

  /** Twice what a burst took: one that comes before all are there again finds enough. */
  const note = (shelf: Shelf) => {
    shelf.missing += 1;
    shelf.usedAt = clock.now();
    shelf.target = Math.min(limits.blanksMax, Math.max(shelf.target, limits.blanksMin, 2 * shelf.missing));
  };

  /** @returns whether it succeeded */
  const startOne = (shelf: Shelf, shape: SandboxShape, ahead?: BareSandbox): Promise<boolean> => {
    shelf.starting += 1;
    return track(startIt(shelf, shape, ahead).finally(() => (shelf.starting -= 1)));
  };
  const track = (start: Promise<boolean>): Promise<boolean> => {
    const tracked = start.finally(() => starts.delete(tracked));
    starts.add(tracked);
    return tracked;
  };
  const startIt = async (shelf: Shelf, shape: SandboxShape, ahead: BareSandbox | undefined): Promise<boolean> => {
    try {
      const sandbox = await (ahead === undefined
        ? driver.start(shape, needs.endpointPort(), shelf.dedication)
        : ahead.become(shape, shelf.dedication));
      const failure = await waitUntilReady(sandbox, clock, limits.spawnTimeoutMs);
      if (failure !== undefined) {
        sandbox.kill();
        // A program of the function's own has not become a runtime: its environment tells how it ended.
        if (shelf.dedication === undefined || shelf.waiting.length === 0) {
          void discard(sandbox);
          throw failure;
        }
      }
      const want = shelf.waiting.shift();
      if (want !== undefined) want.resolve(sandbox);
      else if (stopped || shelf.dedication !== undefined) await discard(sandbox);
      else shelve(shelf, sandbox);
      return true;
    } catch (error) {
      shelf.waiting.shift()?.reject(error);
      return false;
    }
  };

  /** What somebody waits for, as many at a time as this host starts without making each of them slower. */
  const pump = () => {
    while (starts.size < limits.sandboxStartsMax && queue.length > 0) {
      const shelf = queue.shift();
      if (shelf === undefined || shelf.waiting.length <= shelf.starting) continue;
      const { shape, dedication } = shelf;
      const ahead = dedication?.supervised === true ? undefined : bare.take(shape.ephemeralStorageMb);
      // A function that waits loads no more than it uses.
      void startOne(shelf, { ...shape, preloadsSdk: false }, ahead).then(pump);
    }
    if (queue.length === 0) refillLater(refillDelayMs);
  };

  const refillLater = (delayMs: number) => {
    if (stopped) return;
    refillAt?.();
    refillAt = clock.after(delayMs, () => {
      refillAt = undefined;
      refill();
    });
  };

  /** Only while nobody waits for a start: blanks must not slow down the burst that used them up. */
  const refill = () => {
    if (stopped || queue.length > 0) return;
    while (starts.size < limits.refillsMax) {
      // Those first that take little time to make.
      const shelf = bare.wants ? undefined : poorest();
      if (shelf === undefined && !bare.wants) return;
      refills += 1;
      void (shelf === undefined ? track(bare.makeOne()) : startOne(shelf, shelf.shape)).then((succeeded) => {
        refills -= 1;
        if (shelf === undefined) sweepLater();
        // After a failure the next one who asks meets the same trouble and is told of it.
        if (queue.length > 0) pump();
        else if (succeeded && refillAt === undefined) refillLater(pause());
      });
    }
  };

  const pause = (): number => {
    const isShort = [...shelves.values()].some(isBelowLeast);
    return isShort || needs.serves?.() !== true ? refillPauseMs : servingPauseMs;
  };

  /** Without the few that there always are. */
  const isBelowLeast = ({ ready, starting, target }: Shelf): boolean =>
    ready.length + starting < Math.min(target, limits.blanksMin);

  const poorest = (): Shelf | undefined => {
    const [shelf] = [...shelves.values()]
      .filter((one) => one.ready.length + one.starting < one.target)
      .toSorted((a, b) => Number(isBelowLeast(b)) - Number(isBelowLeast(a)) || b.usedAt - a.usedAt);
    if (shelf === undefined || total() < limits.blanksMax) return shelf;
    // All places are taken: by what was used before this one was.
    const [rich] = [...shelves.values()]
      .filter((one) => one.usedAt < shelf.usedAt && one.ready.length > limits.blanksMin)
      .toSorted((a, b) => a.usedAt - b.usedAt);
    const superfluous = rich?.ready.shift();
    if (superfluous === undefined) return undefined;
    void discard(superfluous);
    return shelf;
  };
  const total = () => [...shelves.values()].reduce((sum, shelf) => sum + shelf.ready.length + shelf.starting, 0);

  const shelve = (shelf: Shelf, sandbox: Sandbox) => {
    shelf.ready.push(sandbox);
    shelf.missing = shelf.ready.length >= shelf.target ? 0 : Math.max(0, shelf.missing - 1);
    void sandbox.ended.then(() => {
      const at = shelf.ready.indexOf(sandbox);
      if (at === -1) return;
      shelf.ready.splice(at, 1);
      void sandbox.dispose();
    });
    sweepLater();
  };
  const sweepLater = () => {
    if (sweeping || stopped) return;
    sweeping = true;
    clock.after(limits.blankBurstMs, sweep);
  };

  /** Half of what a burst has added goes each time, and all when the shape has not been used for long. */
  const sweep = () => {
    sweeping = false;
    bare.sweep();
    let left = !bare.empty;
    for (const [key, shelf] of shelves) {
      const quietMs = clock.now() - shelf.usedAt;
      if (quietMs >= limits.blankBurstMs) shelf.target = Math.max(limits.blanksMin, Math.floor(shelf.target / 2));
      const unused = quietMs >= limits.blankIdleMs;
      if (unused) shelf.target = 0;
      for (const sandbox of shelf.ready.splice(0, Math.max(0, shelf.ready.length - shelf.target)))
        void discard(sandbox);
      if (shelf.ready.length > 0) left = true;
      else if (unused && shelf.starting === 0 && shelf.waiting.length === 0) shelves.delete(key);
    }
    if (left) sweepLater();
  };

  return {
    async take(shape, dedication) {
      if (stopped) throw new Error("The platform is stopping");
      const shelf = dedication === undefined ? shelfOf(shape) : newShelf(shape, dedication);
      if (dedication === undefined) note(shelf);
      bare.expect(shape.ephemeralStorageMb);
      // The oldest: it has had time to warm up.
      let sandbox = shelf.ready.shift();
      if (sandbox === undefined) {
        const { promise, resolve, reject } = Promise.withResolvers<Sandbox>();
        shelf.waiting.push({ resolve, reject });
        queue.push(shelf);
        pump();
        sandbox = await promise;
      } else if (starts.size === refills) {
        refillLater(refillDelayMs);
      }
      if (shape.memoryMb !== shelf.shape.memoryMb) sandbox.resize(shape.memoryMb);
      return sandbox;
    },
    async put(shape, sandbox) {
      await waitUntilReady(sandbox, clock, limits.spawnTimeoutMs);
      shelve(shelfOf(shape), sandbox);
    },
    async stop() {
      stopped = true;
      refillAt?.();
      for (const { waiting } of queue.splice(0)) {
        for (const want of waiting.splice(0)) want.reject(new Error("The platform is stopping"));
      }
      const left = [...shelves.values()].flatMap((shelf) => shelf.ready.splice(0));
      await Promise.all([bare.stop(), ...starts, ...left.map(discard)]);
    },
  };
}

/** The heaps of Node and Java are sized by their command lines and cannot be later; Python and Ruby take what the cgroup gives them. */
function shelfKey({ interpreter, memoryMb, ephemeralStorageMb, preloadsSdk }: SandboxShape): string {
  const sized = interpreter.language === "node" || interpreter.language === "java";
  return `${interpreter.executable} ${ephemeralStorageMb} ${sized ? memoryMb : ""} ${preloadsSdk === true}`;
}

async function discard(sandbox: Sandbox): Promise<void> {
  sandbox.kill();
  await sandbox.ended;
  await sandbox.dispose();
}

/**
 * The first frame of every bootstrap says that it waits; what it printed until then is the reason when it does not come.
 * @returns why it is not ready
 */
function waitUntilReady(sandbox: Sandbox, clock: Clock, timeoutMs: number): Promise<Error | undefined> {
  return new Promise((resolve) => {
    let printed = "";
    const note = (chunk: Buffer) => (printed = (printed + chunk.toString("utf8")).slice(-2_000));
    const settle = (why?: string) => {
      cancel();
      sandbox.stderr.off("data", note);
      sandbox.channel.off("data", read);
      resolve(why === undefined ? undefined : new Error(`${why}${printed === "" ? "" : `: ${printed.trim()}`}`));
    };
    const read = createFrameReader(
      {
        frame: (kind) => settle(kind === frameKind.ready ? undefined : "Not a runtime of ours"),
        oversized: () => settle("Not a runtime of ours"),
      },
      0,
    );
    const cancel = clock.after(timeoutMs, () => settle(`The runtime was not ready after ${timeoutMs} ms`));
    sandbox.stderr.on("data", note);
    sandbox.channel.on("data", read);
    void sandbox.ended.then(() => settle("The runtime ended before it was ready"));
  });
}
