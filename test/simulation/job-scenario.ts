import { jobLimits } from "../../src/kernel/limits.ts";
import { createLog } from "../../src/kernel/log.ts";
import type { Job } from "../../src/kernel/jobs/jobs.ts";
import { createJobs } from "../../src/kernel/jobs/stored-jobs.ts";
import type { Jobs } from "../../src/kernel/jobs/jobs.ts";
import type { Store, Transaction } from "../../src/kernel/store/store.ts";
import { check, createOracle, type Holder, rateErrorMax, type Work } from "./job-oracle.ts";
import { createRandom, createSeededIds } from "./random.ts";
import { createSharedStore } from "./shared-store.ts";
import { calm, type ClockError, createProcess, createWorld, type SimulatedProcess, type Weather } from "./world.ts";

const attemptsMax = { work: 4, tick: 1_000_000 } as const;
const tickMs = 10_000;
const ticksMax = 4;
const minute = 60_000;
const log = createLog(
  "silent",
  () => {},
  () => 0,
);

interface Machine {
  readonly name: string;
  readonly clockError: ClockError;
  readonly weather: Weather;
  holder: Holder | undefined;
  jobs: Jobs | undefined;
  restarts: number;
}

interface ActiveRun {
  readonly job: Job;
  readonly id: string;
  readonly process: SimulatedProcess;
  readonly beganAt: number;
}

/** What a run of the simulation showed, for tests of the simulation itself. */
export interface Outcome {
  readonly virtualMs: number;
  readonly runs: number;
  /** Runs that were not the first attempt. */
  readonly takenOver: number;
}

/** Simulate one history, which the seed decides wholly. Throws, with its story, at the first thing that must not happen. */
export async function simulateJobs(seed: number): Promise<Outcome> {
  const traceLimit = Error.stackTraceLimit;
  try {
    // Thousands of errors are thrown and caught on the way.
    Error.stackTraceLimit = 0;
    return await simulate(seed, () => {});
  } catch {
    Error.stackTraceLimit = traceLimit;
    const story: string[] = [];
    return await simulate(seed, (event) => story.push(event)).catch((error: unknown) => {
      throw new Error(`${(error as Error).message}\nSEED=${seed} replays this:\n${story.join("\n")}`, { cause: error });
    });
  } finally {
    Error.stackTraceLimit = traceLimit;
  }
}

/** One history and its story, for reading. */
export async function replayJobs(seed: number): Promise<readonly string[]> {
  const story: string[] = [];
  await simulate(seed, (event) => story.push(event));
  return story;
}

async function simulate(seed: number, write: (event: string) => void): Promise<Outcome> {
  const random = createRandom(seed);
  const ids = createSeededIds(random);
  const world = createWorld();
  const holders = new Map<string, Holder>();
  const deathsAreSeen = random.chance(0.3);
  /** Each history has its own sorts of trouble. */
  const trouble = {
    skewMs: random.chance(0.7) ? 5 * minute : 0,
    steps: random.chance(0.3),
    pauses: random.chance(0.5),
    kills: random.chance(0.5),
    stops: random.chance(0.4),
    cuts: random.chance(0.4),
    replaces: random.chance(0.5),
    fails: random.chance(0.4),
  };
  const weather = (): Weather => ({
    delayMsMax: random.pick([5, 50, 1_500]),
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

  const oracle = createOracle({
    now: world.now,
    holders,
    deathsAreSeen,
    tell,
    attemptsMax: (kind) => (kind === "tick" ? attemptsMax.tick : attemptsMax.work),
  });
  const shared = createSharedStore(world, random, (commit, by) => guard(() => oracle.onCommit(commit, by)));

  const active = new Set<ActiveRun>();
  let runs = 0;
  let takenOver = 0;
  let scheduled = 0;
  let calmed = false;
  const newWork = (): Work => ({ id: `work-${(scheduled += 1)}` });

  // ---- what the jobs do

  const pausedSince = (run: ActiveRun) => run.process.isPaused() || run.process.lastPausedAt() >= run.beganAt;

  /** No two runs of a job at a time, but where a process stood still and could not know. */
  function beginRun(job: Job, process: SimulatedProcess): ActiveRun {
    const { id: work, tick } = job.payload as Work;
    const id = tick === undefined ? work : `${work}#${tick}`;
    const run = { job, id, process, beganAt: world.now() };
    runs += 1;
    tell(`attempt ${job.attempt} of ${id} begins`);
    if (job.attempt > 1) takenOver += 1;
    guard(() => {
      for (const other of active) {
        const isOver = other.id !== id || other.process.isDead() || other.job.signal.aborted || pausedSince(other);
        check(isOver, `${id} runs twice at a time, as attempt ${other.job.attempt} and ${job.attempt}`);
      }
    });
    active.add(run);
    return run;
  }

  async function work(job: Job, process: SimulatedProcess, jobs: Jobs): Promise<void> {
    const { id } = job.payload as Work;
    const run = beginRun(job, process);
    try {
      await sleep(process, random.pick([0, 100, 4_000, 9_000, 30_000]), job.signal, random.chance(0.7));
      if (trouble.fails && random.chance(0.3)) throw new Error("the work failed");
      const follows = scheduled < 12 && random.chance(0.3) ? newWork() : undefined;
      await job.finish(async (tx) => {
        tx.set(["done", id], job.attempt);
        if (follows) {
          const key = random.chance(0.5) ? job.key : [follows.id];
          jobs.schedule(tx, { kind: "work", key, at: process.clock.now(), payload: follows });
        }
      });
    } finally {
      active.delete(run);
    }
  }

  async function tick(job: Job, process: SimulatedProcess): Promise<void> {
    const { id, tick: number = 0 } = job.payload as Work;
    const run = beginRun(job, process);
    try {
      await sleep(process, random.pick([0, 50, 7_000]), job.signal, true);
      const fire = async (tx: Transaction) => {
        tx.set(["tick", id, number], true);
        if (number + 1 >= ticksMax) tx.set(["done", id], job.attempt);
      };
      if (number + 1 >= ticksMax) await job.finish(fire);
      else await job.repeat(job.at + tickMs, { id, tick: number + 1 }, fire);
    } finally {
      active.delete(run);
    }
  }

  // ---- processes

  function boot(machine: Machine): void {
    machine.restarts += 1;
    const name = `${machine.name}.${machine.restarts}`;
    const process = createProcess(world, machine.clockError);
    const holder: Holder = { process, stopping: false };
    const store: Store = shared.connect(process, machine.weather, name);
    const owners = { id: name, hasEnded: (id: string) => deathsAreSeen && holders.get(id)?.process.isDead() === true };
    const jobs = createJobs({ store, clock: process.clock, steady: process.steady, ids, log, owners });
    const concurrency = random.between(1, 3);
    jobs.handle("work", { concurrency, attemptsMax: attemptsMax.work, run: (job) => work(job, process, jobs) });
    jobs.handle("tick", { concurrency: 1, attemptsMax: attemptsMax.tick, run: (job) => tick(job, process) });
    holders.set(name, holder);
    machine.holder = holder;
    machine.jobs = jobs;
    tell(`${name} begins`);
    jobs.start();
  }

  function kill(machine: Machine): void {
    tell(`${machine.name} is killed`);
    machine.holder?.process.kill();
    machine.holder = undefined;
  }

  async function stop(machine: Machine): Promise<void> {
    const { holder, jobs } = machine;
    if (!holder || !jobs || holder.stopping) return;
    tell(`${machine.name} stops`);
    holder.stopping = true;
    await jobs.stop(5_000);
    holder.process.kill();
    if (machine.holder === holder) machine.holder = undefined;
  }

  const machines: Machine[] = Array.from({ length: random.between(1, 3) }, (_, at) => ({
    name: `node${at}`,
    clockError: {
      skewMs: trouble.skewMs === 0 ? 0 : random.between(-trouble.skewMs, trouble.skewMs),
      rate: 1 + (random.fraction() * 2 - 1) * (rateErrorMax / 2),
    },
    weather: weather(),
    holder: undefined,
    jobs: undefined,
    restarts: 0,
  }));

  // ---- what happens to them

  const troubleMs = random.between(15_000, 50_000);
  const someTime = () => random.between(0, troubleMs);

  for (const machine of machines) {
    // One that was stopped or killed before may have come back already.
    world.at(random.between(0, 5_000), () => machine.holder ?? boot(machine));
    if (trouble.steps && random.chance(0.5)) {
      world.at(someTime(), () => {
        machine.clockError.skewMs += random.between(-10 * minute, 10 * minute);
        tell(`${machine.name}'s clock is set`);
      });
    }
    if (trouble.pauses && random.chance(0.6)) {
      world.at(someTime(), () => {
        const process = machine.holder?.process;
        tell(`${machine.name} stands still`);
        process?.pause();
        world.at(random.between(1_000, 60_000), () => process?.resume());
      });
    }
    if (trouble.kills && random.chance(0.6)) {
      world.at(someTime(), () => {
        kill(machine);
        world.at(random.between(0, 30_000), () => machine.holder ?? boot(machine));
      });
    }
    if (trouble.stops && random.chance(0.6)) {
      world.at(someTime(), () => {
        void stop(machine);
        world.at(random.between(6_000, 30_000), () => machine.holder ?? boot(machine));
      });
    }
    if (trouble.cuts && random.chance(0.6)) {
      world.at(someTime(), () => {
        tell(`${machine.name} is cut off`);
        const { lostRequest } = machine.weather;
        machine.weather.lostRequest = 1;
        world.at(random.between(2_000, 40_000), () => {
          if (!calmed) machine.weather.lostRequest = lostRequest;
        });
      });
    }
  }

  const scheduler = createJobs({ store: shared as never, clock: { now: () => 0, after: () => () => {} }, ids, log });
  const plan = (kind: "work" | "tick", key: string, payload: Work) =>
    world.at(someTime() / 2, () => {
      const at = 1_700_000_000_000 + Math.floor(world.now()) + random.pick([0, 0, 3_000]);
      void shared.transact(async (tx) => scheduler.schedule(tx, { kind, key: [key], at, payload }));
    });
  for (let n = random.between(1, 5); n > 0; n -= 1) {
    plan("work", `job-${trouble.replaces ? random.between(0, 2) : n}`, newWork());
  }
  if (random.chance(0.5)) plan("tick", "every", { ...newWork(), tick: 0 });
  if (trouble.replaces && random.chance(0.5)) {
    world.at(someTime(), () => void shared.transact(async (tx) => scheduler.cancel(tx, "work", ["job-1"])));
  }

  // ---- and how it ends

  await world.run(() => problem !== undefined, troubleMs);
  tell("all is well again");
  calmed = true;
  for (const machine of machines) {
    Object.assign(machine.weather, calm);
    machine.holder?.process.resume();
    // One that is about to stop, or was killed, comes back.
    if (!machine.holder || machine.holder.stopping) {
      machine.holder?.process.kill();
      boot(machine);
    }
  }
  const settleMsMax = 30 * minute + jobLimits.lookMsMax;
  await world.run(() => problem !== undefined || (oracle.unsettled.size === 0 && oracle.left.size === 0), settleMsMax);
  guard(() => {
    if (problem) return;
    check(oracle.unsettled.size === 0, `${[...oracle.unsettled].join(", ")} did not come to an end`);
    check(
      oracle.left.size === 0,
      `${[...oracle.left].map((key) => JSON.stringify(key)).join(", ")} stays in the store`,
    );
  });
  if (problem) throw problem;
  return { virtualMs: world.now(), runs, takenOver };
}

function sleep(process: SimulatedProcess, ms: number, signal: AbortSignal, heeds: boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    process.clock.after(ms, resolve);
    if (heeds) signal.addEventListener("abort", () => reject(new Error("aborted")));
  });
}
