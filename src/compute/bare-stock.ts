import type { Clock } from "../kernel/clock.ts";
import type { ComputeLimits } from "./limits.ts";
import type { BareSandbox, SandboxDriver } from "./sandbox/sandbox.ts";

/**
 * Sandboxes without a runtime, kept for starts that no waiting runtime can serve: their network, user and limits are what takes
 * longest besides the interpreter. Each takes a tenth of a waiting runtime's memory.
 */
export interface BareStock {
  /** From now on some wait for starts with this size of `/tmp`. */
  expect(ephemeralStorageMb: number): void;
  take(ephemeralStorageMb: number): BareSandbox | undefined;
  /** More are wanted than there are. */
  readonly wants: boolean;
  /** Make one. @returns whether it succeeded */
  makeOne(): Promise<boolean>;
  /** Let go of those that a burst has added and nobody has needed since. */
  sweep(): void;
  readonly empty: boolean;
  stop(): Promise<void>;
}

export interface BareStockNeeds {
  readonly driver: SandboxDriver;
  readonly clock: Clock;
  readonly limits: ComputeLimits;
  readonly endpointPort: () => number;
}

interface Shelf {
  readonly ephemeralStorageMb: number;
  readonly ready: BareSandbox[];
  making: number;
  usedAt: number;
  /** How many were taken and have not been made again. */
  missing: number;
  target: number;
}

export function createBareStock({ driver, clock, limits, endpointPort }: BareStockNeeds): BareStock {
  const shelves = new Map<number, Shelf>();
  let stopped = false;
  /** Where the listener was when they were made: each leads there. */
  let port: number | undefined;

  const shelfOf = (ephemeralStorageMb: number): Shelf => {
    let shelf = shelves.get(ephemeralStorageMb);
    if (shelf === undefined) {
      shelf = { ephemeralStorageMb, ready: [], making: 0, usedAt: clock.now(), missing: 0, target: limits.bareMin };
      shelves.set(ephemeralStorageMb, shelf);
    }
    return shelf;
  };
  const wanting = () => {
    const total = [...shelves.values()].reduce((sum, shelf) => sum + shelf.ready.length + shelf.making, 0);
    if (driver.prepare === undefined || stopped || total >= limits.bareMax) return undefined;
    return [...shelves.values()]
      .filter((shelf) => shelf.ready.length + shelf.making < shelf.target)
      .toSorted((a, b) => b.usedAt - a.usedAt)[0];
  };

  return {
    expect: (ephemeralStorageMb) => void shelfOf(ephemeralStorageMb),
    take(ephemeralStorageMb) {
      const shelf = shelfOf(ephemeralStorageMb);
      shelf.missing += 1;
      shelf.usedAt = clock.now();
      shelf.target = Math.min(limits.bareMax, Math.max(shelf.target, limits.bareMin, shelf.missing));
      return port === endpointPort() ? shelf.ready.shift() : undefined;
    },
    get wants() {
      return wanting() !== undefined;
    },
    async makeOne() {
      const shelf = wanting();
      if (shelf === undefined || driver.prepare === undefined) return true;
      shelf.making += 1;
      const at = endpointPort();
      try {
        const bare = await driver.prepare(shelf.ephemeralStorageMb, at);
        if (port !== at) {
          for (const other of shelves.values()) for (const old of other.ready.splice(0)) void old.discard();
          port = at;
        }
        if (stopped) await bare.discard();
        else shelf.ready.push(bare);
        shelf.missing = shelf.ready.length >= shelf.target ? 0 : Math.max(0, shelf.missing - 1);
        void bare.ended.then(() => {
          const place = shelf.ready.indexOf(bare);
          if (place === -1) return;
          shelf.ready.splice(place, 1);
          void bare.discard();
        });
        return true;
      } catch {
        // Whoever needs one meets the same trouble, and is told.
        return false;
      } finally {
        shelf.making -= 1;
      }
    },
    sweep() {
      for (const [key, shelf] of shelves) {
        const quietMs = clock.now() - shelf.usedAt;
        if (quietMs >= limits.blankBurstMs) shelf.target = Math.max(limits.bareMin, Math.floor(shelf.target / 2));
        if (quietMs >= limits.blankIdleMs) shelf.target = 0;
        for (const bare of shelf.ready.splice(0, Math.max(0, shelf.ready.length - shelf.target))) void bare.discard();
        if (shelf.target === 0 && shelf.ready.length === 0 && shelf.making === 0) shelves.delete(key);
      }
    },
    get empty() {
      return [...shelves.values()].every((shelf) => shelf.ready.length === 0);
    },
    async stop() {
      stopped = true;
      await Promise.all([...shelves.values()].flatMap((shelf) => shelf.ready.splice(0).map((bare) => bare.discard())));
    },
  };
}
