import type { Clock } from "../clock.ts";
import { shareLimits } from "../limits.ts";
import type { Log } from "../log.ts";
import type { Store, Transaction } from "../store/store.ts";
import { readMembers } from "./node-record.ts";
import type { Nodes } from "./nodes.ts";
import {
  heldKey,
  othersHold,
  readShare,
  readWants,
  wantKey,
  wantsPrefix,
  writeShare,
  type Want,
} from "./share-record.ts";
import type { Shares } from "./shares.ts";

export interface SharesNeeds {
  readonly store: Store;
  readonly nodes: Pick<Nodes, "id" | "isLive" | "join" | "live" | "underLease">;
  /** Steady, as the nodes' own. */
  readonly clock: Clock;
  readonly log: Log;
}

interface Counter {
  readonly key: string;
  running: number;
  /** What this node may use of `limit`, once divided; never more than is recorded for it. */
  held: number;
  /** The limit for which `held` was recorded. */
  limit: number;
  /** Who waits for one more, the first to come first. */
  readonly waiters: Waiter[];
  /** Who waits for this node to hold more than it did. */
  growers: Grower[];
  asking: boolean;
  /** Wakes who asks. */
  wake: () => void;
  /** The others had nothing: until then they are not asked again. */
  deniedUntil: number;
  /** Others are short: what comes back goes to them. */
  wantedByOthers: boolean;
  /** Steps that change `held`, one after the other. */
  steps: Promise<unknown>;
}

interface Waiter {
  readonly until: number;
  settle(leave: (() => void) | undefined): void;
}

interface Grower {
  readonly until: number;
  readonly from: number;
  settle(): void;
}

/** @param needs absent: this node is always alone */
export function createShares(needs?: SharesNeeds): Shares {
  const counters = new Map<string, Counter>();
  /** Undivided: this node is alone. */
  let divided = false;
  /** What was in use when this node ceased to be alone is recorded: it may ask for more. */
  let mayAsk = true;
  let recorded = new Map<string, number>();
  /** How often all that was held became void. */
  let divisions = 0;
  let stopped = false;

  const counterOf = (key: string): Counter => {
    let counter = counters.get(key);
    if (counter === undefined) {
      if (counters.size >= shareLimits.countersMax) forgetIdle();
      counter = createCounter(key);
      counters.set(key, counter);
    }
    return counter;
  };

  const forgetIdle = () => {
    for (const [key, counter] of counters) {
      if (counter.running === 0 && !isWaitedFor(counter) && !counter.asking) counters.delete(key);
    }
  };

  const hasRoom = (counter: Counter, limit: number): boolean => {
    if (!divided) return counter.running < limit;
    return counter.running < counter.held && counter.limit === limit && needs?.nodes.isLive() === true;
  };

  const enter = (counter: Counter): (() => void) => {
    counter.running += 1;
    let left = false;
    return () => {
      if (left) return;
      left = true;
      counter.running -= 1;
      if (!divided) return;
      if (counter.waiters.length > 0) counter.wake();
      else if (counter.wantedByOthers) handOver(counter.key);
    };
  };

  /** Let those in whom there is room for, and tell those who have waited long enough. */
  const admit = (counter: Counter, now: number) => {
    const { waiters } = counter;
    while (waiters.length > 0 && hasRoom(counter, counter.limit)) waiters.shift()?.settle(enter(counter));
    while (waiters[0] !== undefined && waiters[0].until <= now) waiters.shift()?.settle(undefined);
    counter.growers = counter.growers.filter((grower) => {
      const goesOn = divided && grower.until > now && (counter.held <= grower.from || !(counter.limit > grower.from));
      if (!goesOn) grower.settle();
      return goesOn;
    });
  };

  const isWaitedFor = ({ waiters, growers }: Counter) => waiters.length > 0 || growers.length > 0;

  /** Ask for one counter until nobody waits for it. */
  const ask = async ({ store, clock, log }: SharesNeeds, counter: Counter, limitOf: () => number): Promise<void> => {
    counter.asking = true;
    const unwatch = store.watch(heldKey(counter.key), () => counter.wake());
    let short = true;
    try {
      while (isWaitedFor(counter)) {
        const woken = new Promise<void>((resolve) => (counter.wake = resolve));
        if (divided && mayAsk) short = !(await step(counter, () => acquire(counter, limitOf())));
        if (!divided) counter.limit = limitOf();
        admit(counter, clock.now());
        if (!isWaitedFor(counter)) return;
        let cancel = nothing;
        const later = new Promise<void>((resolve) => (cancel = clock.after(shareLimits.lookMs, resolve)));
        await Promise.race([woken, later]);
        cancel();
      }
    } catch (error) {
      log.warn("A share of a limit could not be had", { key: counter.key, error });
      turnAway(counter);
    } finally {
      unwatch();
      counter.asking = false;
      counter.wake = () => {};
      if (short && divided) counter.deniedUntil = clock.now() + shareLimits.deniedMs;
      clock.after(shareLimits.wantMs, () => void withdrawWant(counter));
    }
  };

  /** Record more for this node, of what nobody holds; whether there is enough. A lower limit takes from it what is too much. */
  const acquire = async (counter: Counter, limit: number): Promise<boolean> => {
    if (!needs) return true;
    const { store, nodes } = needs;
    const { key } = counter;
    const before = counter.held;
    const division = divisions;
    const wanted = counter.growers.length > 0 ? limit : counter.running + counter.waiters.length;
    const target = await store.transact(async (tx) => {
      await nodes.underLease(tx);
      const members = await readMembers(tx);
      // One that is still alone has the whole: it records what it uses before anybody else begins.
      if ([...members].some(([id, member]) => id !== nodes.id && member.alone)) return 0;
      const known = await readShare(tx, key);
      const others = othersHold(known, nodes.id, members);
      const room = Math.max(0, limit - sum(Object.values(others)));
      const free = Math.max(0, room - before);
      const more = wanted > before ? Math.min(free, Math.max(wanted - before, Math.ceil(free / members.size))) : 0;
      const own = Math.min(room, before + more);
      // While it waits for others nothing new is written.
      if (known?.holders[nodes.id] !== own) writeShare(tx, key, { ...others, [nodes.id]: own });
      const want = (await tx.get<number>(wantKey(key, nodes.id))) ?? 0;
      const lacking = Math.max(0, Math.min(wanted, limit) - own);
      if (want !== lacking && lacking > 0) tx.set(wantKey(key, nodes.id), lacking);
      else if (want !== lacking) tx.delete(wantKey(key, nodes.id));
      return own;
    });
    if (division !== divisions) return false;
    counter.held = target;
    counter.limit = limit;
    return target >= wanted;
  };

  /** Steps that change what is held come one after the other; those of before a division are void. */
  const step = <T>(counter: Counter, run: () => Promise<T>): Promise<T> => {
    const next = counter.steps.then(run);
    counter.steps = next.catch(() => undefined);
    return next;
  };

  const withdrawWant = async (counter: Counter): Promise<void> => {
    if (!needs || stopped || !divided || counter.asking) return;
    const key = wantKey(counter.key, needs.nodes.id);
    try {
      if ((await needs.store.read((reader) => reader.get(key))) === undefined || counter.asking) return;
      await needs.store.transact((tx) => Promise.resolve(tx.delete(key)));
    } catch (error) {
      needs.log.warn("A want could not be withdrawn", { key: counter.key, error });
    }
  };

  let handingOver = false;
  let handOverAgain = false;
  /** Look who is short, and hand over what this node does not use. */
  const handOver = (key?: string): void => {
    if (!needs || stopped || !divided) return;
    if (key !== undefined) counterOf(key).wantedByOthers = false;
    if (handingOver) {
      handOverAgain = true;
      return;
    }
    handingOver = true;
    const { store, log } = needs;
    void (async () => {
      do {
        handOverAgain = false;
        const wants = await store.read((reader) => readWants(reader, shareLimits.wantsMax));
        await giveAll(needs, wants);
      } while (handOverAgain);
    })()
      .catch((error: unknown) => log.warn("Shares could not be handed over", { error }))
      .finally(() => (handingOver = false));
  };

  const giveAll = async ({ nodes }: SharesNeeds, wants: readonly Want[]): Promise<void> => {
    const live = new Set(nodes.live().map(({ id }) => id));
    const amounts = new Map<string, number>();
    for (const { key, node, amount } of wants) {
      if (node !== nodes.id && live.has(node)) amounts.set(key, (amounts.get(key) ?? 0) + amount);
    }
    for (const counter of counters.values()) counter.wantedByOthers = amounts.has(counter.key);
    for (const [key, amount] of amounts) {
      const counter = counterOf(key);
      counter.wantedByOthers = true;
      await step(counter, () => give(counter, amount));
    }
  };

  const give = async (counter: Counter, wanted: number): Promise<void> => {
    if (!needs || !divided || !mayAsk) return;
    const { store, nodes } = needs;
    const { key } = counter;
    const idle = counter.held - counter.running - counter.waiters.length;
    // From here on nobody enters on these, whatever becomes of the transaction.
    counter.held -= Math.max(0, Math.min(idle, wanted));
    const { held } = counter;
    const known = await store.read((reader) => readShare(reader, key));
    if ((known?.holders[nodes.id] ?? 0) <= held) return;
    await store.transact(async (tx) => {
      await nodes.underLease(tx);
      const others = othersHold(await readShare(tx, key), nodes.id, await readMembers(tx));
      writeShare(tx, key, held > 0 ? { ...others, [nodes.id]: held } : others);
    });
  };

  const record = async (tx: Transaction): Promise<void> => {
    if (!needs) return;
    const members = await readMembers(tx);
    const inUse = new Map<string, number>();
    for (const { key, running } of counters.values()) {
      if (running === 0) continue;
      inUse.set(key, running);
      writeShare(tx, key, {
        ...othersHold(await readShare(tx, key), needs.nodes.id, members),
        [needs.nodes.id]: running,
      });
    }
    recorded = inUse;
  };

  const wakeAll = () => {
    for (const counter of counters.values()) counter.wake();
  };

  const turnAway = (counter: Counter) => {
    for (const waiter of counter.waiters.splice(0)) waiter.settle(undefined);
    for (const grower of counter.growers.splice(0)) grower.settle();
  };

  needs?.nodes.join({
    async divide() {
      divided = true;
      mayAsk = false;
      divisions += 1;
      recorded = new Map();
      for (const counter of counters.values()) {
        counter.held = 0;
        counter.deniedUntil = 0;
      }
      // What was under way ends first: it was for a share that is void now.
      await Promise.all([...counters.values()].map(({ steps }) => steps));
    },
    record,
    divided() {
      for (const counter of counters.values()) {
        counter.held = recorded.get(counter.key) ?? 0;
        counter.limit = Number.NaN;
      }
      mayAsk = true;
      wakeAll();
      handOver();
    },
    unite() {
      divided = false;
      wakeAll();
    },
  });
  const unwatch = needs?.store.watch(wantsPrefix, () => handOver());

  const wait = (counter: Counter, limit: number): Promise<(() => void) | undefined> => {
    if (!needs) return Promise.resolve(undefined);
    const { clock } = needs;
    const now = clock.now();
    if (limit <= 0 || stopped || isDenied(counter, limit, now)) return Promise.resolve(undefined);
    if (counter.waiters.length >= shareLimits.waitersMax) return Promise.resolve(undefined);
    return new Promise((settle) => {
      counter.waiters.push({ until: now + shareLimits.waitMsMax, settle });
      if (!counter.asking) void ask(needs, counter, () => limits.get(counter) ?? limit);
    });
  };
  /** The others had nothing of that limit a moment ago. */
  const isDenied = (counter: Counter, limit: number, now: number) =>
    divided && now < counter.deniedUntil && limit === counter.limit;
  /** The limit as it was named last. */
  const limits = new WeakMap<Counter, number>();

  return {
    take(key, limit) {
      const counter = counterOf(key);
      if (counter.waiters.length > 0 || !hasRoom(counter, limit)) return undefined;
      return enter(counter);
    },
    takeSoon(key, limit) {
      const counter = counterOf(key);
      limits.set(counter, limit);
      return wait(counter, limit);
    },
    held(key, limit) {
      if (!divided) return limit;
      return Math.min(limit, counterOf(key).held);
    },
    gather(key, limit) {
      const counter = counterOf(key);
      if (!needs || !divided || stopped) return Promise.resolve();
      const now = needs.clock.now();
      if (counter.held >= limit || isDenied(counter, limit, now)) return Promise.resolve();
      limits.set(counter, limit);
      return new Promise((settle) => {
        counter.growers.push({ until: now + shareLimits.waitMsMax, from: counter.held, settle });
        if (!counter.asking) void ask(needs, counter, () => limits.get(counter) ?? limit);
        else counter.wake();
      });
    },
    isDivided: () => divided,
    stop() {
      stopped = true;
      unwatch?.();
      for (const counter of counters.values()) turnAway(counter);
    },
  };
}

function nothing(): void {}

function createCounter(key: string): Counter {
  return {
    key,
    running: 0,
    held: 0,
    limit: Number.NaN,
    waiters: [],
    growers: [],
    asking: false,
    wake: () => {},
    deniedUntil: 0,
    wantedByOthers: false,
    steps: Promise.resolve(),
  };
}

function sum(amounts: readonly number[]): number {
  return amounts.reduce((total, amount) => total + amount, 0);
}
