import type { Clock } from "../kernel/clock.ts";
import type { FunctionSpec, Invocation, InvocationOutcome } from "./compute.ts";
import { ComputeSaturatedError } from "./compute.ts";
import type { InitOutcome } from "./endings.ts";
import type { Environment } from "./environment.ts";
import type { ComputeLimits } from "./limits.ts";
import { createPace, type Pace } from "./pace.ts";
import type { KeepingPool } from "./pool-kept.ts";

export interface PoolNeeds {
  readonly clock: Clock;
  readonly limits: ComputeLimits;
  /** A new environment of this function, its init not yet begun. */
  readonly create: (spec: FunctionSpec) => Promise<Environment>;
}

/** All environments of this host, by function revision. */
export interface Pool extends KeepingPool {
  invoke(spec: FunctionSpec, invocation: Invocation): Promise<InvocationOutcome>;
  retire(specId: string): void;
  running(functionArn: string): number;
  /** Invocations are under way. */
  readonly serves: boolean;
  stop(graceMs: number): Promise<void>;
}

interface Member {
  readonly environment: Environment;
  idleSince: number;
  frozen: boolean;
}

interface Revision {
  readonly spec: FunctionSpec;
  /** How long its invocations take. */
  readonly pace: Pace;
  /** Environments with an invocation or more. */
  readonly busy: Set<Environment>;
  /** The most recently used last: that one is taken first, so that the others can go. */
  readonly idle: Member[];
  readonly waiting: Waiter[];
  starting: number;
  /** What runs now. */
  readonly runs: Set<Run>;
  /** Somebody looks at who waits after `patienceMs`. */
  watched: boolean;
  retired: boolean;
}

interface Run {
  readonly since: number;
}

interface Waiter {
  readonly invocation: Invocation;
  readonly since: number;
  readonly resolve: (outcome: InvocationOutcome) => void;
  readonly reject: (error: unknown) => void;
}

const sweepMs = 1_000;

export function createPool(needs: PoolNeeds): Pool {
  const { clock, limits } = needs;
  const revisions = new Map<string, Revision>();
  const runningByArn = new Map<string, number>();
  const startQueue: Revision[] = [];
  let starts = 0;
  let environments = 0;
  let waitingTotal = 0;
  let sweeping = false;
  let stopped = false;
  const all = new Set<Environment>();
  /** Those among the idle of their revisions: nowhere twice, or one would be frozen while it runs. */
  const resting = new WeakSet<Environment>();
  /** Not removed for being idle. Among a revision's idle ones they come last: they are taken first, and the others can go. */
  const kept = new Set<Environment>();
  let onQuiet: (() => void) | undefined;

  /** Each tenant has environments of its own. */
  const revisionOf = (spec: FunctionSpec, tenantId?: string): Revision => {
    const id = tenantId === undefined ? spec.id : `${spec.id}\n${tenantId}`;
    let revision = revisions.get(id);
    if (revision === undefined) {
      revision = {
        spec,
        pace: createPace(),
        busy: new Set(),
        idle: [],
        waiting: [],
        starting: 0,
        runs: new Set(),
        watched: false,
        retired: false,
      };
      revisions.set(id, revision);
    }
    return revision;
  };

  const count = (arn: string, by: number) => {
    const now = (runningByArn.get(arn) ?? 0) + by;
    if (now === 0) runningByArn.delete(arn);
    else runningByArn.set(arn, now);
    if (by < 0 && runningByArn.size === 0) onQuiet?.();
  };

  const track = (environment: Environment) => {
    environments += 1;
    all.add(environment);
    void environment.sandbox.ended.then(async () => {
      environments -= 1;
      all.delete(environment);
      await environment.sandbox.dispose();
      pump();
    });
  };

  /** Start what is wanted and allowed. Those who wait may be served by an environment that becomes free before. */
  const pump = () => {
    while (starts < limits.startsMax && startQueue.length > 0) {
      const revision = startQueue[0];
      if (revision === undefined) return;
      if (revision.waiting.length < revision.starting) {
        revision.starting -= 1;
        startQueue.shift();
        continue;
      }
      if (environments + starts >= limits.environmentsMax && !evict()) return;
      startQueue.shift();
      starts += 1;
      void start(revision).finally(() => {
        starts -= 1;
        pump();
      });
    }
  };

  const start = async (revision: Revision): Promise<void> => {
    let environment: Environment;
    try {
      environment = await needs.create(revision.spec);
    } catch (error) {
      revision.starting -= 1;
      takeWaiter(revision)?.reject(error);
      return;
    }
    track(environment);
    const init = await environment.init("init", limits.initTimeoutMs);
    revision.starting -= 1;
    if (init.outcome === "initialized") return give(revision, environment);
    const waiter = takeWaiter(revision);
    if (waiter === undefined) return;
    const now: Run = { since: clock.now() };
    revision.runs.add(now);
    try {
      waiter.resolve(await startAgain(revision, waiter.invocation));
    } catch (error) {
      waiter.reject(error);
    } finally {
      revision.runs.delete(now);
    }
  };

  /** AWS: an init that failed is run once more as part of the invocation, under the function's own timeout. */
  const startAgain = async (revision: Revision, invocation: Invocation): Promise<InvocationOutcome> => {
    const environment = await needs.create(revision.spec);
    track(environment);
    const { timeoutMs } = revision.spec;
    const init: InitOutcome = await environment.init("invoke", timeoutMs);
    if (init.outcome !== "initialized") return environment.conclude(invocation, init);
    const outcome = await new Promise<InvocationOutcome>((concluded, reject) => {
      const returned = () => reject(new Error("An environment ended between its init and its first invocation"));
      environment.run(invocation, Math.max(1, timeoutMs - init.durationMs), { concluded, returned });
    });
    give(revision, environment);
    return outcome;
  };

  /** An environment has answered: it is for who waits longest, or for later. */
  const give = (revision: Revision, environment: Environment) => {
    if (environment.load === 0) revision.busy.delete(environment);
    const takesMore = environment.idle || (environment.load > 0 && takesOneMore(revision, environment));
    if (!takesMore) return;
    if (environment.idle && revision.retired && revision.waiting.length === 0) return environment.end();
    const waiter = takeWaiter(revision);
    if (waiter !== undefined) {
      run(revision, environment, waiter);
      while (isSaturated(revision, revision.runs.size) && takesOneMore(revision, environment)) {
        // Whoever wants the tail of its log runs with nobody behind or before it.
        const next = revision.waiting[0]?.invocation.logTail === true ? undefined : takeWaiter(revision);
        if (next === undefined) break;
        run(revision, environment, next);
      }
      return;
    }
    // Answers that come together each give it back.
    if (!environment.idle || resting.has(environment)) return;
    if (stopped) return environment.end();
    resting.add(environment);
    const member = { environment, idleSince: clock.now(), frozen: false };
    if (kept.size === 0 || kept.has(environment)) revision.idle.push(member);
    else revision.idle.splice(firstKept(revision), 0, member);
    sweepLater();
  };

  const run = (revision: Revision, environment: Environment, waiter: Waiter) => {
    const now: Run = { since: clock.now() };
    revision.runs.add(now);
    revision.busy.add(environment);
    try {
      environment.run(waiter.invocation, revision.spec.timeoutMs, {
        concluded: (outcome) => {
          revision.runs.delete(now);
          revision.pace.note(outcome.report.durationMs);
          give(revision, environment);
          waiter.resolve(outcome);
        },
        returned: () => {
          revision.runs.delete(now);
          revision.busy.delete(environment);
          waitAgain(revision, waiter);
        },
      });
    } catch (error) {
      revision.runs.delete(now);
      revision.busy.delete(environment);
      environment.end();
      waiter.reject(error);
    }
  };

  /** It had been given to an environment that ended before its turn came. */
  const waitAgain = (revision: Revision, waiter: Waiter) => {
    if (stopped) return waiter.reject(new Error("The platform is stopping"));
    revision.waiting.push(waiter);
    waitingTotal += 1;
    const unserved = revision.waiting.length - servedSoon(revision, revision.runs.size) - revision.starting;
    if (unserved > 0) startMore(revision, 1);
    watch(revision);
  };

  /**
   * Whether one that already runs an invocation is given another, to begin with at once when it has answered: that spares both
   * sides a round trip, most of what a very short invocation costs. Only for functions that are steadily so short that
   * waiting behind a few others is nothing: a little longer on average than they are by themselves, for on a busy host each
   * waits for a processor, and that is where round trips cost most.
   */
  const takesOneMore = (revision: Revision, environment: Environment): boolean =>
    environment.quiet &&
    environment.load < limits.followersMax &&
    revision.pace.meanMs() <= limits.steadyMs &&
    revision.pace.longestMs() <= limits.patienceMs &&
    isQuick(revision) &&
    environment.credentialsExpireAt > clock.now();

  const leastBusy = (revision: Revision): Environment | undefined => {
    let least: Environment | undefined;
    for (const environment of revision.busy)
      if (environment.load < (least?.load ?? Infinity) && takesOneMore(revision, environment)) least = environment;
    return least;
  };

  /** How many of those who wait will be served within our patience by so many running invocations' environments. */
  const servedSoon = (revision: Revision, running: number): number =>
    running > 0 && isQuick(revision)
      ? Infinity
      : Math.floor((running * limits.patienceMs) / revision.pace.shortestMs());

  /**
   * Invocations too short to wait for anything but the processor: more of them at a time than there are processors only
   * take turns, so that a further environment would make all of them later.
   */
  const isQuick = (revision: Revision): boolean => revision.pace.shortestMs() <= limits.quickMs;
  const isSaturated = (revision: Revision, running: number): boolean =>
    running >= limits.quickRunsMax && isQuick(revision);

  const startMore = (revision: Revision, environments: number) => {
    for (let index = 0; index < environments; index += 1) {
      revision.starting += 1;
      startQueue.push(revision);
    }
    if (environments > 0) pump();
  };

  /** Those who wait were expected to be served by now: if they have not been, more environments are needed after all. */
  const watch = (revision: Revision) => {
    if (revision.watched) return;
    revision.watched = true;
    const since = clock.now();
    clock.after(limits.patienceMs, () => {
      revision.watched = false;
      const [first] = revision.waiting;
      if (first === undefined) return;
      const now = clock.now();
      // When this comes late, it is this process that was held up, and answers may be waiting to be read.
      if (now - first.since >= limits.patienceMs && now - since < 2 * limits.patienceMs) {
        let brisk = 0;
        for (const { since } of revision.runs) if (now - since < limits.stuckMs) brisk += 1;
        while (revision.waiting.length > 0 && !isSaturated(revision, brisk)) {
          const free = takeIdle(revision);
          const waiter = free === undefined ? undefined : takeWaiter(revision);
          if (free === undefined || waiter === undefined) break;
          brisk += 1;
          run(revision, free, waiter);
        }
        const unserved = revision.waiting.length - servedSoon(revision, brisk) - revision.starting;
        if (!isSaturated(revision, brisk)) {
          const wanted = Math.max(unserved, revision.starting === 0 ? 1 : 0);
          // So far its invocations were short: it may be the host that stalls, so that more are started in steps.
          const most =
            revision.pace.shortestMs() <= limits.patienceMs
              ? Math.max(1, revision.runs.size) - revision.starting
              : wanted;
          startMore(revision, Math.min(wanted, most));
        }
      }
      if (revision.waiting.length > 0) watch(revision);
    });
  };

  const takeWaiter = (revision: Revision): Waiter | undefined => {
    const waiter = revision.waiting.shift();
    if (waiter !== undefined) waitingTotal -= 1;
    return waiter;
  };

  const takeIdle = (revision: Revision): Environment | undefined => {
    for (let member = revision.idle.pop(); member !== undefined; member = revision.idle.pop()) {
      resting.delete(member.environment);
      if (!member.environment.idle) continue;
      if (member.environment.credentialsExpireAt <= clock.now()) {
        member.environment.end();
        continue;
      }
      if (member.frozen) member.environment.sandbox.thaw();
      return member.environment;
    }
    return undefined;
  };

  const isKept = (member: Member): boolean => kept.has(member.environment);

  const firstKept = (revision: Revision): number => {
    const at = revision.idle.findIndex(isKept);
    return at === -1 ? revision.idle.length : at;
  };

  /** Make room by ending the environment that has been idle longest, whichever function's it is. */
  const evict = (): boolean => {
    let oldest: { revision: Revision; member: Member } | undefined;
    for (const revision of revisions.values()) {
      const [member] = revision.idle;
      if (member === undefined || isKept(member)) continue;
      if (member.idleSince < (oldest?.member.idleSince ?? Infinity)) oldest = { revision, member };
    }
    if (oldest === undefined) return false;
    oldest.revision.idle.shift();
    endMember(oldest.member);
    return false;
  };

  /** One that is kept, but whose credentials expire, is replaced before somebody asks for it. */
  const renew = (revision: Revision, now: number) => {
    for (const member of revision.idle.filter((each) => isKept(each) && each.environment.credentialsExpireAt <= now)) {
      revision.idle.splice(revision.idle.indexOf(member), 1);
      endMember(member);
    }
  };

  const sweepLater = () => {
    if (sweeping) return;
    sweeping = true;
    clock.after(sweepMs, sweep);
  };

  const sweep = () => {
    sweeping = false;
    const now = clock.now();
    let left = false;
    for (const [id, revision] of revisions) {
      for (let [member] = revision.idle; member !== undefined; [member] = revision.idle) {
        if (now - member.idleSince < limits.idleMs || isKept(member)) break;
        revision.idle.shift();
        endMember(member);
      }
      if (kept.size > 0) renew(revision, now);
      for (const member of revision.idle) {
        left = true;
        if (!member.frozen && now - member.idleSince >= limits.freezeAfterMs) {
          member.frozen = true;
          member.environment.sandbox.freeze();
        }
      }
      const unused = revision.idle.length === 0 && revision.waiting.length === 0;
      if (unused && revision.starting === 0 && revision.runs.size === 0) revisions.delete(id);
    }
    if (left) sweepLater();
  };

  return {
    invoke(spec, invocation) {
      if (stopped) return Promise.reject(new Error("The platform is stopping"));
      const revision = revisionOf(spec, invocation.tenantId);
      const { promise, resolve, reject } = Promise.withResolvers<InvocationOutcome>();
      const arn = spec.functionArn;
      const waiter: Waiter = {
        invocation,
        since: clock.now(),
        resolve: (outcome) => {
          count(arn, -1);
          resolve(outcome);
        },
        reject: (error) => {
          count(arn, -1);
          reject(error);
        },
      };
      count(arn, 1);
      const running = revision.runs.size;
      const saturated = isSaturated(revision, running);
      const taker = !saturated ? takeIdle(revision) : invocation.logTail === true ? undefined : leastBusy(revision);
      if (taker !== undefined) {
        run(revision, taker, waiter);
        return promise;
      }
      if (waitingTotal >= limits.waitingMax) {
        waiter.reject(new ComputeSaturatedError());
        return promise;
      }
      revision.waiting.push(waiter);
      waitingTotal += 1;
      const unserved = revision.waiting.length - servedSoon(revision, running) - revision.starting;
      if (unserved > 0) startMore(revision, 1);
      watch(revision);
      return promise;
    },
    retire(specId) {
      for (const [id, revision] of revisions) {
        if (revision.spec.id !== specId) continue;
        revision.retired = true;
        revisions.delete(id);
        for (const member of revision.idle.splice(0)) endMember(member);
      }
    },
    keep(environment) {
      kept.add(environment);
      track(environment);
    },
    letGo(environment) {
      if (!kept.delete(environment)) return;
      for (const revision of revisions.values()) {
        const at = revision.idle.findIndex((member) => member.environment === environment);
        const [member] = at === -1 ? [] : revision.idle.splice(at, 1);
        if (member?.environment.idle !== true) continue;
        revision.idle.splice(firstKept(revision), 0, { ...member, idleSince: clock.now() });
      }
    },
    offer: (spec, environment) => give(revisionOf(spec), environment),
    running: (arn) => runningByArn.get(arn) ?? 0,
    get serves() {
      return runningByArn.size > 0;
    },
    async stop(graceMs) {
      stopped = true;
      for (const revision of revisions.values()) for (const member of revision.idle.splice(0)) endMember(member);
      if (runningByArn.size > 0 && graceMs > 0) {
        await new Promise<void>((resolve) => {
          onQuiet = resolve;
          clock.after(graceMs, resolve);
        });
      }
      const ended = [...all].map((environment) => environment.sandbox.ended);
      for (const environment of all) endMember({ environment, idleSince: 0, frozen: true });
      await Promise.all(ended);
    },
  };
}

function endMember(member: Member): void {
  // What is frozen does not die before it thaws.
  if (member.frozen) member.environment.sandbox.thaw();
  member.environment.end();
}
