import assert from "node:assert/strict";
import type { Clock } from "../clock.ts";
import type { Ids } from "../ids.ts";
import { nodeLimits } from "../limits.ts";
import type { Log } from "../log.ts";
import type { Store, Transaction } from "../store/store.ts";
import {
  deleteNode,
  nodesPrefix,
  readBeat,
  readMember,
  readMembers,
  readNodes,
  writeBeat,
  writeMember,
  type MemberRecord,
  type StoredNode,
} from "./node-record.ts";
import { type NodeInfo, NodeLeaseLostError, type NodePart, type Nodes, NodesUnsettledError } from "./nodes.ts";
import { createObserver } from "./observer.ts";

export interface NodesNeeds {
  readonly store: Store;
  /** Runs evenly, whatever anybody does to the time of day: `steadyClock`. Its epoch is nobody else's business. */
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
  readonly label: string;
  readonly process?: MemberRecord["process"];
  /** Whether a process of this machine is known to have ended. */
  readonly hasEnded?: (identity: string) => boolean;
}

interface Waiter {
  readonly mark: number;
  /** Undefined: every node has taken it in. */
  readonly end: (error?: Error) => void;
}

/**
 * A node does one round after another: take in what has changed, look at who is there, give up those of whom nothing was
 * seen for too long, and write that it is there itself. A round begins when a node has written something, when it is time to
 * renew the lease, and when somebody waits for a change to be settled.
 */
export function createNodes(needs: NodesNeeds): Nodes {
  const { store, clock, ids, log } = needs;
  const id = ids.uuid();
  const observer = createObserver({ id, clock, ...pick(needs) });
  const parts: NodePart[] = [];
  const listeners = new Set<() => void>();
  const waiters = new Set<Waiter>();

  let state: "created" | "started" | "stopped" = "created";
  /** The lease under which this node is registered. */
  let lease: string | undefined;
  let alone = false;
  /** The lease is confirmed to have run at this time. */
  let confirmedAt = Number.NEGATIVE_INFINITY;
  let wroteAt = Number.NEGATIVE_INFINITY;
  let mark = 0;
  let members: readonly NodeInfo[] = [{ id, label: needs.label, isSelf: true }];
  let failing = false;

  let running: Promise<void> | undefined;
  let again = false;
  let cancelNext = nothing;
  let unwatch = nothing;

  const isLive = () => clock.now() - confirmedAt < nodeLimits.ownLeaseMs;

  async function round(): Promise<void> {
    const began = clock.now();
    const considered = mark;
    await store.caughtUp?.();
    let nodes = await store.read(readNodes);
    observer.see(nodes);
    for (const lost of nodes.filter((node) => node.id !== id && observer.isLost(node))) {
      if (await remove(lost)) log.warn("A node is gone: its lease has ended", { node: lost.id, label: lost.label });
      nodes = nodes.filter((node) => node !== lost);
    }
    const own = nodes.find((node) => node.id === id);
    const others = nodes.filter((node) => node.id !== id);
    if (lease === undefined || own?.lease !== lease) await register();
    else if (others.length > 0) await keepWith(others, own, began);
    else if (!alone || !own.alone) await unite();
    // Nothing can have been missed while nobody waited for this node: all of that is taken in before it counts as live.
    if (!isLive()) await store.caughtUp?.();
    // While it is alone nobody waits for it to write; whoever comes is seen long before he would give it up.
    if (alone || wroteAt >= began) confirmedAt = began;
    tellOf(nodes);
    for (const waiter of waiters) {
      if (waiter.mark > considered || others.some((other) => (other.acks[id] ?? 0) < waiter.mark)) continue;
      waiter.end();
    }
  }

  /** Come, or come again after the others had given this node up. */
  async function register(): Promise<void> {
    if (lease !== undefined) log.warn("This node had lost its lease and comes again", { node: id });
    await Promise.all(parts.map((part) => part.divide()));
    const next = ids.uuid();
    const began = clock.now();
    const first = await store.transact(async (tx) => {
      const known = await readMembers(tx);
      const isFirst = [...known.keys()].every((each) => each === id);
      writeMember(tx, id, ownRecord(next, isFirst));
      writeBeat(tx, id, { beat: 1, mark, acks: {} });
      return isFirst;
    });
    lease = next;
    alone = first;
    wroteAt = began;
    for (const part of parts) {
      if (alone) part.unite();
      else part.divided();
    }
  }

  /** Renew the lease, tell of changes, and answer others', where it is time for any of these. */
  async function keepWith(others: readonly StoredNode[], own: StoredNode, began: number): Promise<void> {
    // The answer to what wrote the record may have been lost: what others read is what counts.
    if (alone || own.alone) await divide();
    const acks = Object.fromEntries(others.filter((other) => other.mark > 0).map((other) => [other.id, other.mark]));
    const acksAreDue = others.some((other) => (own.acks[other.id] ?? 0) < other.mark);
    if (!acksAreDue && own.mark >= mark && began - wroteAt < nodeLimits.beatMs) return;
    const told = mark;
    await store.transact(async (tx) => {
      await underOwnLease(tx);
      const before = await readBeat(tx, id);
      writeBeat(tx, id, { beat: (before?.beat ?? 0) + 1, mark: told, acks });
    });
    wroteAt = began;
  }

  async function divide(): Promise<void> {
    await Promise.all(parts.map((part) => part.divide()));
    await store.transact(async (tx) => {
      await underOwnLease(tx);
      for (const part of parts) await part.record(tx);
      writeMember(tx, id, ownRecord(lease ?? "", false));
    });
    alone = false;
    for (const part of parts) part.divided();
  }

  async function unite(): Promise<void> {
    alone = await store.transact(async (tx) => {
      await underOwnLease(tx);
      if ((await readMembers(tx)).size > 1) return false;
      writeMember(tx, id, ownRecord(lease ?? "", true));
      return true;
    });
    if (alone) for (const part of parts) part.unite();
  }

  async function underOwnLease(tx: Transaction): Promise<void> {
    if ((await readMember(tx, id))?.lease !== lease) throw new NodeLeaseLostError();
  }

  /** Give a node up, unless it has been heard of meanwhile. */
  function remove(lost: StoredNode): Promise<boolean> {
    return store.transact(async (tx) => {
      const member = await readMember(tx, lost.id);
      const beat = await readBeat(tx, lost.id);
      if (member?.lease !== lost.lease || (beat?.beat ?? 0) !== lost.beat) return false;
      deleteNode(tx, lost.id);
      return true;
    });
  }

  function ownRecord(own: string, isAlone: boolean): MemberRecord {
    const { label, process } = needs;
    return { v: 1, lease: own, label, ...(process && { process }), alone: isAlone };
  }

  function tellOf(nodes: readonly StoredNode[]): void {
    const ofSelf = { id, label: needs.label, isSelf: true };
    const found = nodes
      .filter((node) => node.id !== id)
      .map((node) => ({ id: node.id, label: node.label, isSelf: false }));
    const now = [...found, ofSelf].toSorted((a, b) => (a.id < b.id ? -1 : 1));
    const same = now.length === members.length && now.every((node, at) => node.id === members[at]?.id);
    members = now;
    if (!same) for (const listener of listeners) listener();
  }

  function look(): void {
    if (state !== "started") return;
    again = true;
    running ??= lookUntilDone();
  }

  async function lookUntilDone(): Promise<void> {
    let nextMs: number = nodeLimits.beatMs;
    // So that `running` is set before it is cleared.
    await Promise.resolve();
    while (again && isStarted()) {
      again = false;
      cancelNext();
      try {
        await round();
        failing = false;
        nextMs = waiters.size > 0 ? nodeLimits.waitingLookMs : nodeLimits.beatMs;
      } catch (error) {
        nextMs = nodeLimits.retryMs;
        if (!failing && !(error instanceof NodeLeaseLostError)) {
          log.warn("This node could not renew its lease", { node: id, error });
        }
        failing = true;
      }
    }
    running = undefined;
    if (state === "started") cancelNext = clock.after(nextMs, look);
  }

  function settled(): Promise<void> {
    if (state === "created") return Promise.resolve();
    if (state === "stopped") return Promise.reject(new NodesUnsettledError());
    mark += 1;
    const own = mark;
    return new Promise((resolve, reject) => {
      const cancel = clock.after(nodeLimits.settledMsMax, () => waiter.end(new NodesUnsettledError()));
      const waiter: Waiter = {
        mark: own,
        end: (error) => {
          waiters.delete(waiter);
          cancel();
          if (error) reject(error);
          else resolve();
        },
      };
      waiters.add(waiter);
      look();
    });
  }

  async function renewed(): Promise<boolean> {
    look();
    let cancel = nothing;
    const late = new Promise<void>((resolve) => {
      cancel = clock.after(nodeLimits.renewedMsMax, resolve);
    });
    await Promise.race([running ?? Promise.resolve(), late]);
    cancel();
    return isLive();
  }

  /** Those who were there first have divided what they had. */
  async function othersKnow(): Promise<boolean> {
    if (lease === undefined || !isLive()) return false;
    const known = await store.read(readMembers);
    return [...known].every(([each, member]) => each === id || !member.alone);
  }

  return {
    id,
    async start() {
      assert(state === "created", "A node starts once");
      state = "started";
      unwatch = store.watch(nodesPrefix, look);
      look();
      await running;
      const wait = nodeLimits.waitingLookMs;
      while (!(await othersKnow().catch(() => false))) {
        await new Promise<void>((resolve) => clock.after(wait, resolve));
        assert(isStarted(), "The node was stopped while it started");
        look();
        await running;
      }
    },
    live: () => members,
    isLive: () => state === "created" || isLive(),
    renewed,
    settled,
    underLease: async (tx) => {
      if (state === "created") return;
      if (!isLive()) throw new NodeLeaseLostError();
      await underOwnLease(tx);
    },
    watch: (listener) => {
      listeners.add(listener);
      return () => {
        listeners.delete(listener);
      };
    },
    join: (part) => {
      assert(state === "created", "What nodes divide is named before the start");
      parts.push(part);
    },
    async stop() {
      if (state !== "started") return;
      state = "stopped";
      unwatch();
      cancelNext();
      for (const waiter of waiters) waiter.end(new NodesUnsettledError());
      const ended = (running ?? Promise.resolve()).then(() => store.transact(async (tx) => deleteNode(tx, id)));
      // Without it, the others wait until the lease has ended.
      await Promise.race([
        ended.catch((error: unknown) => log.warn("This node could not say that it goes", { node: id, error })),
        new Promise<void>((resolve) => clock.after(nodeLimits.goodbyeMsMax, resolve)),
      ]);
      confirmedAt = Number.NEGATIVE_INFINITY;
    },
  };

  function isStarted(): boolean {
    return state === "started";
  }
}

function pick({ process, hasEnded }: NodesNeeds) {
  return { ...(process && { machine: process.machine }), ...(hasEnded && { hasEnded }) };
}

function nothing(): void {}
