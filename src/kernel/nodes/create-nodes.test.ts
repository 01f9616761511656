import { setImmediate } from "node:timers/promises";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Clock } from "../clock.ts";
import { randomIds } from "../ids.ts";
import { nodeLimits } from "../limits.ts";
import { createLog } from "../log.ts";
import { createMemoryStore } from "../store/memory-store.ts";
import type { Store } from "../store/store.ts";
import { createNodes, type NodesNeeds } from "./create-nodes.ts";
import { NodeLeaseLostError, type NodePart, type Nodes } from "./nodes.ts";

const silent = createLog(
  "silent",
  () => {},
  () => 0,
);

/** One time for all nodes, of which each has a clock of its own: with its own epoch, and standing still while it is paused. */
function createWorld() {
  const store = createMemoryStore();
  const timers = new Set<{ at: number; action: () => void; owner: TestNode }>();
  const all: TestNode[] = [];
  let now = 0;

  interface TestNode {
    readonly nodes: Nodes;
    readonly store: { broken: boolean };
    paused: boolean;
  }

  const add = (options: Partial<NodesNeeds> & { readonly parts?: readonly NodePart[] } = {}): TestNode => {
    const epoch = all.length * 300_000;
    const breaking = { broken: false };
    const check = () => (breaking.broken ? Promise.reject(new Error("cut off")) : Promise.resolve());
    const own: Store = {
      ...store,
      read: (body) => check().then(() => store.read(body)),
      transact: (body) => check().then(() => store.transact(body)),
      caughtUp: () => check(),
      // A node that is paused or cut off is told nothing.
      watch: (prefix, listener) => store.watch(prefix, () => void (node.paused || breaking.broken || listener())),
    };
    const clock: Clock = {
      now: () => epoch + now,
      after: (delayMs, action) => {
        const timer = { at: now + Math.max(1, delayMs), action, owner: node };
        timers.add(timer);
        return () => void timers.delete(timer);
      },
    };
    const nodes = createNodes({ store: own, clock, ids: randomIds, log: silent, label: `n${all.length}`, ...options });
    for (const part of options.parts ?? []) nodes.join(part);
    const node: TestNode = { nodes, store: breaking, paused: false };
    all.push(node);
    return node;
  };

  return {
    store,
    add,
    turns,
    async pass(ms: number) {
      const until = now + ms;
      for (; now < until; now = Math.min(until, now + 50)) {
        await turns();
        for (const timer of new Set(timers)) {
          if (timer.at > now || timer.owner.paused) continue;
          timers.delete(timer);
          timer.action();
        }
      }
      await turns();
    },
    /** Time goes by without any node doing anything. */
    jump(ms: number) {
      now += ms;
    },
  };
}

async function turns() {
  for (let turn = 0; turn < 30; turn += 1) await setImmediate();
}

const start = async (
  world: ReturnType<typeof createWorld>,
  node: ReturnType<ReturnType<typeof createWorld>["add"]>,
) => {
  const started = node.nodes.start();
  await world.pass(200);
  await started;
  return node;
};

const stateOf = (promise: Promise<unknown>) => {
  const seen = { now: "pending" };
  promise.then(
    () => (seen.now = "resolved"),
    () => (seen.now = "rejected"),
  );
  return seen;
};

const labels = (nodes: Nodes) =>
  nodes
    .live()
    .map(({ label }) => label)
    .toSorted();

describe("a node", () => {
  test("that is alone is live, and settled at once", async () => {
    const world = createWorld();
    const { nodes } = await start(world, world.add());
    expect(labels(nodes)).toEqual(["n0"]);
    await nodes.settled();
    await world.pass(60_000);
    expect(nodes.isLive()).toBe(true);
  });

  test("that is alone writes nothing as time goes by", async () => {
    const world = createWorld();
    await start(world, world.add());
    let changes = 0;
    world.store.watch([], () => (changes += 1));
    await world.pass(30_000);
    expect(changes).toBe(0);
  });

  test("is known to those who were there before, and knows them", async () => {
    const world = createWorld();
    const nodes = [await start(world, world.add()), await start(world, world.add()), await start(world, world.add())];
    for (const node of nodes) expect(labels(node.nodes)).toEqual(["n0", "n1", "n2"]);
    await world.pass(60_000);
    for (const node of nodes) expect(node.nodes.isLive()).toBe(true);
  });

  test("that stops is gone at once", async () => {
    const world = createWorld();
    const [a, b] = [await start(world, world.add()), await start(world, world.add())];
    await b.nodes.stop();
    await world.turns();
    expect(labels(a.nodes)).toEqual(["n0"]);
    expect(b.nodes.isLive()).toBe(false);
  });

  test("that fell silent is given up, after it has ceased to count on its own lease", async () => {
    const world = createWorld();
    const [a, b] = [await start(world, world.add()), await start(world, world.add())];
    b.paused = true;
    for (let at = 0; labels(a.nodes).length === 2; at += 100) {
      expect(at).toBeLessThan(nodeLimits.lostMs + nodeLimits.beatMs + 1000);
      await world.pass(100);
    }
    expect(b.nodes.isLive()).toBe(false);
    await expect(world.store.transact((tx) => b.nodes.underLease(tx))).rejects.toThrow(NodeLeaseLostError);
  });

  test("whose process has ended on the same machine is given up without waiting", async () => {
    const world = createWorld();
    const machine = "m";
    const ended = new Set<string>();
    const a = await start(
      world,
      world.add({ process: { machine, identity: "1-1" }, hasEnded: (who) => ended.has(who) }),
    );
    const b = await start(world, world.add({ process: { machine, identity: "2-2" } }));
    b.paused = true;
    ended.add("2-2");
    await a.nodes.settled();
    expect(labels(a.nodes)).toEqual(["n0"]);
  });

  test("that was paused knows on waking that its lease may be over, and comes again", async () => {
    const world = createWorld();
    const [a, b] = [await start(world, world.add()), await start(world, world.add())];
    b.paused = true;
    await world.pass(60_000);
    expect(b.nodes.isLive()).toBe(false);
    expect(labels(a.nodes)).toEqual(["n0"]);
    b.paused = false;
    expect(b.nodes.isLive()).toBe(false);
    expect(await b.nodes.renewed()).toBe(true);
    await world.pass(100);
    expect(labels(a.nodes)).toEqual(["n0", "n1"]);
  });

  test("whose lease was given up cannot commit under it", async () => {
    const world = createWorld();
    const [, b] = [await start(world, world.add()), await start(world, world.add())];
    await world.store.transact((tx) => b.nodes.underLease(tx));
    await world.store.transact(async (tx) => tx.delete(["nodes", "member", b.nodes.id]));
    // It has not noticed: its own lease still runs.
    expect(b.nodes.isLive()).toBe(true);
    await expect(world.store.transact((tx) => b.nodes.underLease(tx))).rejects.toThrow(NodeLeaseLostError);
  });

  test("that is cut off from the store ceases to be live, also when it is alone", async () => {
    const world = createWorld();
    const { nodes, store } = await start(world, world.add());
    store.broken = true;
    await world.pass(nodeLimits.ownLeaseMs - nodeLimits.beatMs - 100);
    expect(nodes.isLive()).toBe(true);
    await world.pass(nodeLimits.beatMs + 200);
    expect(nodes.isLive()).toBe(false);
    const settled = stateOf(nodes.settled());
    await world.pass(1000);
    expect(settled.now).toBe("pending");
    store.broken = false;
    await world.pass(nodeLimits.retryMs + 100);
    expect(nodes.isLive()).toBe(true);
  });

  test("does not give others up for a time in which it saw nothing itself", async () => {
    const world = createWorld();
    const nodes = [await start(world, world.add()), await start(world, world.add())];
    for (const node of nodes) node.store.broken = true;
    await world.pass(60_000);
    for (const node of nodes) node.store.broken = false;
    let goings = 0;
    for (const node of nodes) node.nodes.watch(() => (goings += 1));
    await world.pass(5000);
    for (const node of nodes) expect(labels(node.nodes)).toEqual(["n0", "n1"]);
    expect(goings).toBe(0);
  });
});

describe("a change is settled", () => {
  test("when every node has taken it in", async () => {
    const world = createWorld();
    const [a, b] = [await start(world, world.add()), await start(world, world.add())];
    const settled = stateOf(a.nodes.settled());
    await world.turns();
    expect(settled.now).toBe("resolved");
    b.paused = true;
    const waits = stateOf(a.nodes.settled());
    await world.pass(2000);
    expect(waits.now).toBe("pending");
    b.paused = false;
    await world.pass(nodeLimits.beatMs + 100);
    expect(waits.now).toBe("resolved");
  });

  test("when a node that does not answer has lost its lease", async () => {
    const world = createWorld();
    const [a, b] = [await start(world, world.add()), await start(world, world.add())];
    b.paused = true;
    const settled = stateOf(a.nodes.settled());
    await world.pass(nodeLimits.lostMs + nodeLimits.beatMs);
    expect(settled.now).toBe("resolved");
    expect(b.nodes.isLive()).toBe(false);
  });

  test("or it is not known, when the store does not answer", async () => {
    const world = createWorld();
    const [a] = [await start(world, world.add()), await start(world, world.add())];
    a.store.broken = true;
    const settled = stateOf(a.nodes.settled());
    await world.pass(nodeLimits.settledMsMax + 100);
    expect(settled.now).toBe("rejected");
  });

  test("many at once are settled together", async () => {
    const world = createWorld();
    const [a, b] = [await start(world, world.add()), await start(world, world.add())];
    const changes = Array.from({ length: 50 }, (_, at) => stateOf((at % 2 ? a : b).nodes.settled()));
    await world.turns();
    expect(changes.every(({ now }) => now === "resolved")).toBe(true);
  });
});

const createPart = () => {
  const seen: string[] = [];
  const part: NodePart = {
    divide: async () => void seen.push("divide"),
    record: async () => void seen.push("record"),
    divided: () => void seen.push("divided"),
    unite: () => void seen.push("unite"),
  };
  return { seen, part };
};

describe("what nodes divide", () => {
  test("is one node's while it is alone, and is recorded before another has started", async () => {
    const world = createWorld();
    const { seen, part } = createPart();
    await start(world, world.add({ parts: [part] }));
    expect(seen.splice(0)).toEqual(["divide", "unite"]);
    const second = await start(world, world.add());
    expect(seen.splice(0)).toEqual(["divide", "record", "divided"]);
    await second.nodes.stop();
    await world.turns();
    expect(seen.splice(0)).toEqual(["unite"]);
  });

  test("keeps one who comes waiting while who was alone does not answer", async () => {
    const world = createWorld();
    const first = await start(world, world.add());
    first.paused = true;
    const second = world.add();
    const started = stateOf(second.nodes.start());
    await world.pass(nodeLimits.lostMs - 500);
    expect(started.now).toBe("pending");
    await world.pass(3000);
    expect(started.now).toBe("resolved");
    expect(first.nodes.isLive()).toBe(false);
  });
});

test("whatever is paused and goes on, nobody that counts on its lease was given up, and all come back", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ node: fc.nat({ max: 2 }), forMs: fc.integer({ min: 50, max: 15_000 }) }), { maxLength: 8 }),
      async (pauses) => {
        const world = createWorld();
        const nodes = [
          await start(world, world.add()),
          await start(world, world.add()),
          await start(world, world.add()),
        ];
        const check = () => {
          for (const each of nodes) {
            if (each.paused || !each.nodes.isLive()) continue;
            for (const other of nodes) {
              if (other.nodes.isLive()) expect(each.nodes.live().map(({ id }) => id)).toContain(other.nodes.id);
            }
          }
        };
        for (const { node, forMs } of pauses) {
          const paused = nodes[node];
          if (paused) paused.paused = !paused.paused;
          for (let past = 0; past < forMs; past += 500) {
            await world.pass(500);
            check();
          }
        }
        for (const node of nodes) node.paused = false;
        await world.pass(5000);
        for (const node of nodes) {
          expect(node.nodes.isLive()).toBe(true);
          expect(labels(node.nodes)).toEqual(["n0", "n1", "n2"]);
        }
      },
    ),
    { numRuns: 15 },
  );
});
