import { createNodes } from "../../src/kernel/nodes/create-nodes.ts";
import { createShares } from "../../src/kernel/nodes/create-shares.ts";
import type { Nodes } from "../../src/kernel/nodes/nodes.ts";
import { createSettledStore } from "../../src/kernel/nodes/settled-store.ts";
import type { Shares } from "../../src/kernel/nodes/shares.ts";
import { createLog } from "../../src/kernel/log.ts";
import type { Key, Store } from "../../src/kernel/store/store.ts";
import { check, rateErrorMax } from "./job-oracle.ts";
import { createNodeOracle, type ServingNode } from "./node-oracle.ts";
import { createRandom, createSeededIds } from "./random.ts";
import { createSharedStore } from "./shared-store.ts";
import { calm, type ClockError, createProcess, createWorld, type Weather } from "./world.ts";

const log = createLog(
  "silent",
  () => {},
  () => 0,
);
const remembered: Key = ["remembered"];

interface Machine {
  readonly name: string;
  readonly clockError: ClockError;
  readonly weather: Weather;
  node: SimulatedNode | undefined;
  restarts: number;
}

interface SimulatedNode extends ServingNode {
  readonly nodes: Nodes;
  readonly shares: Shares;
  readonly store: Store;
  stopping: boolean;
}

/** What a run of the simulation showed, for tests of the simulation itself. */
export interface NodeOutcome {
  readonly settled: number;
  readonly servedFromMemory: number;
  readonly taken: number;
  /** Nodes that others gave up. */
  readonly givenUp: number;
}

/** Simulate one history of nodes, which the seed decides wholly. Throws, with its story, at the first thing that must not happen. */
export async function simulateNodes(seed: number): Promise<NodeOutcome> {
  const traceLimit = Error.stackTraceLimit;
  try {
    Error.stackTraceLimit = 0;
    return await simulate(seed, () => {});
  } catch {
    Error.stackTraceLimit = traceLimit;
    const story: string[] = [];
    return await simulate(seed, (event) => story.push(event)).catch((error: unknown) => {
      throw new Error(`${(error as Error).message}\nNODES_SEED=${seed} replays this:\n${story.join("\n")}`, {
        cause: error,
      });
    });
  } finally {
    Error.stackTraceLimit = traceLimit;
  }
}

/** One history and its story, for reading. */
export async function replayNodes(seed: number): Promise<readonly string[]> {
  const story: string[] = [];
  await simulate(seed, (event) => story.push(event)).catch((error: unknown) => story.push((error as Error).message));
  return story;
}

async function simulate(seed: number, write: (event: string) => void): Promise<NodeOutcome> {
  const random = createRandom(seed);
  const ids = createSeededIds(random);
  const world = createWorld();
  const deathsAreSeen = random.chance(0.3);
  const limit = random.between(1, 6);
  const trouble = {
    pauses: random.chance(0.5),
    kills: random.chance(0.5),
    stops: random.chance(0.4),
    cuts: random.chance(0.5),
  };
  const weather = (): Weather => ({
    delayMsMax: random.pick([2, 20, 20, 500]),
    lostRequest: random.pick([0, 0, 0.05, 0.2]),
    lostAnswer: random.pick([0, 0, 0.05, 0.2]),
    late: random.pick([0, 0, 0.05]),
    conflict: random.pick([0, 0, 0.1]),
  });
  const tell = (event: string) => write(`${Math.round(world.now())} ${event}`);
  let problem: Error | undefined;
  const guard = (body: () => void) => {
    try {
      body();
    } catch (error) {
      problem ??= error as Error;
    }
  };

  const serving = new Map<string, SimulatedNode>();
  const oracle = createNodeOracle({ serving, deathsAreSeen, limit, tell });
  const shared = createSharedStore(world, random, (commit, by) => guard(() => oracle.onCommit(commit, by)));
  let changes = 0;
  let settled = 0;
  let servedFromMemory = 0;
  let taken = 0;
  let calmed = false;
  let idle = false;

  // ---- what a node does

  /** Again and again, while it serves. */
  function often(node: SimulatedNode, everyMs: number, action: () => Promise<void>): void {
    node.process.clock.after(random.between(1, everyMs), () => {
      if (node.stopping || idle) return;
      action().then(
        () => often(node, everyMs, action),
        () => often(node, everyMs, action),
      );
    });
  }

  async function change(node: SimulatedNode): Promise<void> {
    const value = (changes += 1);
    const store = createSettledStore(node.store, node.nodes, [remembered]);
    await store.transact(async (tx) => tx.set(remembered, value));
    settled += 1;
    tell(`${node.name} knows that change ${value} is settled`);
    guard(() => oracle.onSettled(value));
  }

  async function serve(node: SimulatedNode): Promise<void> {
    if (!node.nodes.isLive() && !(await node.nodes.renewed())) return;
    // From here to the look at what is remembered nothing else runs.
    if (node.remembered !== undefined) {
      servedFromMemory += 1;
      guard(() => oracle.onServed(node));
      return;
    }
    const { drops } = node;
    const value = await node.store.read((reader) => reader.get<number>(remembered));
    if (node.drops === drops) node.remembered = value ?? 0;
  }

  async function commit(node: SimulatedNode): Promise<void> {
    await node.store.transact(async (tx) => {
      await node.nodes.underLease(tx);
      tx.set(["under lease", node.nodes.id], changes);
    });
  }

  async function take(node: SimulatedNode): Promise<void> {
    if (!node.nodes.isLive()) return;
    const leave = node.shares.take("k", limit) ?? (await node.shares.takeSoon("k", limit));
    if (!leave) return;
    taken += 1;
    const run = { lease: oracle.leaseOf(node.nodes.id) };
    node.runs.add(run);
    guard(() => oracle.checkShares());
    node.process.clock.after(random.pick([1, 30, 400, 1_500]), () => {
      node.runs.delete(run);
      leave();
    });
  }

  // ---- processes

  function boot(machine: Machine): void {
    machine.restarts += 1;
    const name = `${machine.name}.${machine.restarts}`;
    const process = createProcess(world, machine.clockError);
    const { steady, clock } = process;
    const store = shared.connect(process, machine.weather, name);
    const nodes = createNodes({
      store,
      clock: { ...steady, after: clock.after },
      ids,
      log,
      label: name,
      process: { machine: "m", identity: name },
      hasEnded: (identity) => deathsAreSeen && oracle.isDead(identity),
    });
    const shares = createShares({ store, nodes, clock: { ...steady, after: clock.after }, log });
    const node: SimulatedNode = {
      name,
      process,
      store,
      nodes,
      shares,
      isLive: () => nodes.isLive(),
      held: () => shares.held("k", limit),
      isServing: false,
      stopping: false,
      remembered: undefined,
      drops: 0,
      runs: new Set(),
    };
    store.watch(remembered, () => {
      node.drops += 1;
      node.remembered = undefined;
    });
    serving.set(nodes.id, node);
    machine.node = node;
    tell(`${name} begins as ${nodes.id}`);
    nodes.start().then(
      () => {
        if (node.stopping) return;
        tell(`${name} serves`);
        node.isServing = true;
        often(node, 6_000, () => change(node));
        often(node, 1_500, () => serve(node));
        often(node, 3_000, () => commit(node));
        for (let n = 0; n < 2; n += 1) often(node, 2_000, () => take(node));
      },
      () => tell(`${name} did not come to serve`),
    );
  }

  function kill(machine: Machine): void {
    tell(`${machine.name} is killed`);
    machine.node?.process.kill();
    machine.node = undefined;
  }

  async function stop(machine: Machine): Promise<void> {
    const { node } = machine;
    if (!node || node.stopping) return;
    tell(`${machine.name} stops`);
    node.stopping = true;
    node.isServing = false;
    node.runs.clear();
    node.shares.stop();
    await node.nodes.stop();
    node.process.kill();
    if (machine.node === node) machine.node = undefined;
  }

  const machines: Machine[] = Array.from({ length: random.between(2, 3) }, (_, at) => ({
    name: `node${at}`,
    clockError: { skewMs: 0, rate: 1 + (random.fraction() * 2 - 1) * (rateErrorMax / 2) },
    weather: weather(),
    node: undefined,
    restarts: 0,
  }));

  // ---- what happens to them

  const troubleMs = random.between(6_000, 20_000);
  const someTime = () => random.between(0, troubleMs);
  for (const machine of machines) {
    world.at(random.between(0, 5_000), () => machine.node ?? boot(machine));
    if (trouble.pauses && random.chance(0.6)) {
      world.at(someTime(), () => {
        const process = machine.node?.process;
        tell(`${machine.name} stands still`);
        process?.pause();
        world.at(random.between(1_000, 20_000), () => {
          tell(`${machine.name} goes on`);
          process?.resume();
        });
      });
    }
    if (trouble.kills && random.chance(0.5)) {
      world.at(someTime(), () => {
        kill(machine);
        world.at(random.between(0, 15_000), () => machine.node ?? boot(machine));
      });
    }
    if (trouble.stops && random.chance(0.5)) {
      world.at(someTime(), () => {
        void stop(machine);
        world.at(random.between(3_000, 10_000), () => machine.node ?? boot(machine));
      });
    }
    if (trouble.cuts && random.chance(0.6)) {
      world.at(someTime(), () => {
        tell(`${machine.name} is cut off`);
        const { lostRequest } = machine.weather;
        machine.weather.lostRequest = 1;
        world.at(random.between(2_000, 20_000), () => {
          if (!calmed) machine.weather.lostRequest = lostRequest;
        });
      });
    }
  }

  // ---- and how it ends

  await world.run(() => problem !== undefined, troubleMs);
  tell("all is well again");
  calmed = true;
  for (const machine of machines) {
    Object.assign(machine.weather, calm);
    machine.node?.process.resume();
    if (!machine.node || machine.node.stopping) {
      machine.node?.process.kill();
      boot(machine);
    }
  }
  const isWell = () =>
    machines.every(
      ({ node }) => node?.isServing === true && node.isLive() && node.nodes.live().length === machines.length,
    );
  await world.run(() => problem !== undefined || isWell(), 60_000);
  idle = true;
  guard(() => check(isWell(), "the nodes do not find together again"));
  // One after the other can settle a change, and has the whole of the limit when nobody else uses it.
  await world.run(() => problem !== undefined, 5_000);
  for (const { node } of machines) {
    if (problem || !node) break;
    let done = false;
    void (async () => {
      await change(node);
      // What another has just handed over may come when the first have been told that there is none.
      for (let tries = 0, had = 0; had < limit; tries += 1) {
        const asked = Array.from(
          { length: limit },
          () => node.shares.take("k", limit) ?? node.shares.takeSoon("k", limit),
        );
        const leaves = await Promise.all(asked);
        had = leaves.filter((leave) => leave !== undefined).length;
        for (const leave of leaves) leave?.();
        check(tries < 10 || had === limit, `${node.name} has ${had} of ${limit}, which nobody else uses`);
        await new Promise<void>((resolve) => node.process.clock.after(200, resolve));
      }
      done = true;
    })().catch((error: unknown) => {
      problem ??= error as Error;
    });
    await world.run(() => problem !== undefined || done, 20_000);
    guard(() => check(done, `${node.name} does not come to an end`));
    await world.run(() => problem !== undefined, 200);
  }
  if (problem) throw problem;
  return { settled, servedFromMemory, taken, givenUp: oracle.givenUp() };
}
