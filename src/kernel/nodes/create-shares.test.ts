import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, expect, test, vi } from "vitest";
import { steadyClock, systemClock } from "../clock.ts";
import { randomIds } from "../ids.ts";
import { createLog } from "../log.ts";
import { openLmdbStore } from "../store/lmdb-store.ts";
import type { Store } from "../store/store.ts";
import { createNodes } from "./create-nodes.ts";
import { createShares } from "./create-shares.ts";

const log = createLog("silent", () => {}, Date.now);

/** Nodes that share a folder, each as if in a process of its own. */
async function startNodes(count: number) {
  const folder = await mkdtemp(join(tmpdir(), "cumulet-shares-"));
  const add = async () => {
    const store = await openLmdbStore({ folder, clock: systemClock });
    const broken = { is: false };
    const check = () => (broken.is ? Promise.reject(new Error("cut off")) : Promise.resolve());
    const own: Store = {
      ...store,
      read: (body) => check().then(() => store.read(body)),
      transact: (body) => check().then(() => store.transact(body)),
    };
    const process = { machine: "m", identity: randomIds.uuid() };
    const nodes = createNodes({
      store: own,
      clock: steadyClock,
      ids: randomIds,
      log,
      label: "n",
      process,
      hasEnded: (who) => dead.has(who),
    });
    const shares = createShares({ store: own, nodes, clock: steadyClock, log });
    await nodes.start();
    const node = {
      nodes,
      shares,
      /** As `kill -9`: it is never heard of again. */
      kill: () => {
        broken.is = true;
        dead.add(process.identity);
      },
      stop: async () => {
        broken.is = false;
        shares.stop();
        await nodes.stop();
        await store.close();
      },
    };
    all.push(node);
    return node;
  };
  const dead = new Set<string>();
  const all: { stop(): Promise<void> }[] = [];
  ends.push(async () => {
    for (const node of all) await node.stop();
    await rm(folder, { recursive: true });
  });
  const nodes = [];
  for (let at = 0; at < count; at += 1) nodes.push(await add());
  return { nodes, add };
}

const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

type Node = Awaited<ReturnType<typeof startNodes>>["nodes"][number];
const takeSoon = async (node: Node | undefined, limit: number, key = "k") =>
  node?.shares.take(key, limit) ?? (await node?.shares.takeSoon(key, limit));
const takeMany = async (node: Node | undefined, count: number, limit: number, key = "k") => {
  const taken = await Promise.all(Array.from({ length: count }, () => takeSoon(node, limit, key)));
  return taken.filter((leave) => leave !== undefined);
};

test("a node that is alone has the whole, from memory", async () => {
  const [a] = (await startNodes(1)).nodes;
  for (let at = 0; at < 12; at += 1) expect(a?.shares.take("k", 12)).toBeDefined();
  expect(a?.shares.take("k", 12)).toBeUndefined();
  expect(a?.shares.isDivided()).toBe(false);
});

test("of 40 that two nodes are asked for at the same time, exactly the 12 of the limit are had", async () => {
  const [a, b] = (await startNodes(2)).nodes;
  for (let round = 0; round < 3; round += 1) {
    const had = (await Promise.all([takeMany(a, 20, 12), takeMany(b, 20, 12)])).flat();
    expect(had).toHaveLength(12);
    for (const leave of had) leave();
    await delay(120);
  }
});

test("a node that runs short has what the others do not use, within the time it waits", async () => {
  const [a, b] = (await startNodes(2)).nodes;
  const first = await takeMany(a, 12, 12);
  expect(first).toHaveLength(12);
  expect(await takeSoon(b, 12)).toBeUndefined();
  for (const leave of first) leave();
  await delay(150);
  expect(await takeMany(b, 12, 12)).toHaveLength(12);
  expect(await takeSoon(a, 12)).toBeUndefined();
});

test("what a node that was alone has in use is not there for the one that comes", async () => {
  const { nodes, add } = await startNodes(1);
  const [a] = nodes;
  const first = await takeMany(a, 9, 12);
  const b = await add();
  expect(await takeMany(b, 12, 12)).toHaveLength(3);
  for (const leave of first) leave();
  await delay(150);
  expect(await takeMany(b, 12, 12)).toHaveLength(9);
});

test("the share of a node that was killed returns to the others", async () => {
  const [a, b] = (await startNodes(2)).nodes;
  expect(await takeMany(b, 12, 12)).toHaveLength(12);
  expect(await takeSoon(a, 12)).toBeUndefined();
  b?.kill();
  await vi.waitFor(async () => expect(await takeSoon(a, 12)).toBeDefined(), { timeout: 5000, interval: 100 });
  expect(await takeMany(a, 12, 12)).toHaveLength(11);
});

test("a limit that was lowered is that of all nodes together", async () => {
  const [a, b] = (await startNodes(2)).nodes;
  const had = (await Promise.all([takeMany(a, 6, 12), takeMany(b, 6, 12)])).flat();
  expect(had).toHaveLength(12);
  for (const leave of had) leave();
  const fewer = (await Promise.all([takeMany(a, 6, 5), takeMany(b, 6, 5)])).flat();
  expect(fewer).toHaveLength(5);
});

test("a node that is cut off takes nothing that it would have to ask for", async () => {
  const [a, b] = (await startNodes(2)).nodes;
  a?.kill();
  expect(await takeSoon(a, 12)).toBeUndefined();
  expect(await takeSoon(b, 12)).toBeDefined();
});

test("whatever three nodes take and give back, they never have more than the limit", async () => {
  const { nodes } = await startNodes(3);
  let running = 0;
  let most = 0;
  const ends = Date.now() + 2500;
  const work = async (node: Node | undefined) => {
    while (Date.now() < ends) {
      const leave = await takeSoon(node, 7);
      if (!leave) continue;
      running += 1;
      most = Math.max(most, running);
      await delay(Math.random() * 10);
      running -= 1;
      leave();
    }
  };
  await Promise.all(nodes.flatMap((node) => Array.from({ length: 6 }, () => work(node))));
  expect(most).toBe(7);
});
