import type { Clock } from "../../kernel/clock.ts";
import { ComputeSaturatedError } from "../compute.ts";
import type { FleetPlan, FleetState, FunctionSpec, Invocation, InvocationOutcome } from "../compute.ts";
import type { ComputeLimits } from "../limits.ts";
import type { ConcurrentEnvironment } from "./concurrent-environment.ts";
import { environmentsFor } from "./scaling.ts";

export interface FleetsNeeds {
  readonly clock: Clock;
  readonly limits: ComputeLimits;
  /** A new environment, its init not yet begun. */
  readonly create: (spec: FunctionSpec) => Promise<ConcurrentEnvironment>;
}

/**
 * Environments with several invocations at once. They are there before anybody invokes: an invocation gets a place in one of
 * them or is refused, and their number follows their utilization. Source: "Scaling Lambda Managed Instances".
 */
export interface Fleets {
  maintain(plans: readonly FleetPlan[]): void;
  state(specId: string): FleetState | undefined;
  /** Rejects with `ComputeSaturatedError` when no environment has a place left. */
  invoke(spec: FunctionSpec, invocation: Invocation): Promise<InvocationOutcome>;
  running(functionArn: string): number;
  stop(graceMs: number): Promise<void>;
}

interface Member {
  readonly environment: ConcurrentEnvironment;
  ready: boolean;
  /** Since then it takes no more invocations; it ends when it has none. */
  leavingSince: number | undefined;
  cpuMs: number;
}

interface Waiter {
  readonly invocation: Invocation;
  readonly resolve: (outcome: InvocationOutcome) => void;
  readonly reject: (error: unknown) => void;
}

interface Fleet {
  plan: FleetPlan;
  wanted: number;
  readonly members: Set<Member>;
  /** Invocations that came before the first environment was there. */
  readonly waiting: Waiter[];
  starting: number;
  failures: number;
  failure: string | undefined;
  cancelRetry: (() => void) | undefined;
  refused: number;
  /** Since when it has been larger than it need be. */
  tooLargeSince: number | undefined;
  lookedAt: number;
  gone: boolean;
}

export function createFleets({ clock, limits, create }: FleetsNeeds): Fleets {
  const fleets = new Map<string, Fleet>();
  /** Invocations of functions that somebody is about to have a fleet for: they have just been published. */
  const early = new Map<string, Waiter[]>();
  const environments = new Set<ConcurrentEnvironment>();
  const runningByArn = new Map<string, number>();
  let sweeping = false;
  let stopped = false;
  let onQuiet: (() => void) | undefined;

  const staying = (fleet: Fleet) => [...fleet.members].filter((member) => member.leavingSince === undefined);
  const takers = (fleet: Fleet) => staying(fleet).filter((member) => member.ready);

  const adjust = (fleet: Fleet) => {
    if (stopped) return;
    const wanted = fleet.gone ? 0 : Math.min(fleet.wanted, roomFor(fleet));
    const members = staying(fleet);
    // Those that are not there yet leave first, then those with the least to do.
    members.sort((a, b) => Number(a.ready) - Number(b.ready) || a.environment.load - b.environment.load);
    for (const member of members.slice(0, Math.max(0, members.length - wanted))) leave(member);
    if (fleet.cancelRetry !== undefined) return;
    let there = Math.min(members.length, wanted) + fleet.starting;
    while (there < wanted && fleet.starting < limits.fleetStartsMax) {
      there += 1;
      fleet.starting += 1;
      void start(fleet);
    }
  };

  const leave = (member: Member) => {
    member.leavingSince ??= clock.now();
    if (member.environment.load === 0) member.environment.end();
  };

  /** Environments that its group's processors, and this host, have left for it. */
  const roomFor = (fleet: Fleet): number => {
    const { group, groupVcpusMax, spec } = fleet.plan;
    let others = 0;
    let vcpus = 0;
    for (const other of fleets.values()) {
      if (other === fleet) continue;
      const there = other.members.size + other.starting;
      others += there;
      if (other.plan.group === group) vcpus += there * vcpusOf(other.plan.spec);
    }
    const byProcessors = Math.floor((groupVcpusMax - vcpus) / vcpusOf(spec) + 1e-9);
    return Math.max(0, Math.min(limits.fleetEnvironmentsMax - others, byProcessors));
  };

  const start = async (fleet: Fleet): Promise<void> => {
    const { spec } = fleet.plan;
    const begun = () => {
      fleet.starting -= 1;
    };
    const failure = await create(spec).then(
      async (environment) => {
        begun();
        const member: Member = { environment, ready: false, leavingSince: undefined, cpuMs: 0 };
        environments.add(environment);
        fleet.members.add(member);
        void environment.sandbox.ended.then(async () => {
          fleet.members.delete(member);
          environments.delete(environment);
          // Not at once: a function may end its environments again and again.
          if (member.ready && member.leavingSince === undefined) adjustLater(fleet, limits.keptRetryFirstMs);
          await environment.sandbox.dispose();
        });
        if (stopped || fleet.gone) {
          leave(member);
          return undefined;
        }
        const init = await environment.init(Math.max(limits.keptInitTimeoutMs, spec.timeoutMs));
        // Nobody wants it any more: however its init has ended.
        if (member.leavingSince !== undefined) return void environment.end();
        if (init.outcome !== "initialized") return failureOf(init);
        member.ready = true;
        member.cpuMs = environment.sandbox.cpuUsedMs() ?? 0;
        return undefined;
      },
      (error: unknown) => {
        begun();
        return error instanceof Error ? error.message : String(error);
      },
    );
    if (stopped) return;
    fleet.failure = failure ?? undefined;
    if (failure === undefined) {
      fleet.failures = 0;
      serveWaiting(fleet);
      return adjust(fleet);
    }
    fleet.failures += 1;
    if (takers(fleet).length === 0) refuseWaiting(fleet);
    adjustLater(fleet, Math.min(limits.keptRetryFirstMs * 2 ** (fleet.failures - 1), limits.keptRetryMostMs));
  };

  const adjustLater = (fleet: Fleet, delayMs: number) => {
    if (stopped || fleet.gone) return;
    fleet.cancelRetry ??= clock.after(delayMs, () => {
      fleet.cancelRetry = undefined;
      adjust(fleet);
    });
  };

  const serveWaiting = (fleet: Fleet) => {
    if (takers(fleet).length === 0) return;
    for (const waiter of fleet.waiting.splice(0)) {
      const free = freest(fleet);
      if (free === undefined) waiter.reject(refuse(fleet));
      else run(fleet, free, waiter.invocation).then(waiter.resolve, waiter.reject);
    }
  };
  const refuseWaiting = (fleet: Fleet) => {
    for (const waiter of fleet.waiting.splice(0)) waiter.reject(new ComputeSaturatedError());
  };
  const refuse = (fleet: Fleet) => {
    fleet.refused += 1;
    return new ComputeSaturatedError();
  };

  const freest = (fleet: Fleet): Member | undefined => {
    let best: Member | undefined;
    let bestRoom = 0;
    for (const member of fleet.members) {
      if (!member.ready || member.leavingSince !== undefined) continue;
      const room = member.environment.slots - member.environment.load;
      if (room > bestRoom) {
        best = member;
        bestRoom = room;
      }
    }
    return best;
  };

  const run = async (fleet: Fleet, member: Member, invocation: Invocation): Promise<InvocationOutcome> => {
    const arn = fleet.plan.spec.functionArn;
    runningByArn.set(arn, (runningByArn.get(arn) ?? 0) + 1);
    try {
      return await member.environment.run(invocation);
    } finally {
      const left = (runningByArn.get(arn) ?? 1) - 1;
      if (left === 0) runningByArn.delete(arn);
      else runningByArn.set(arn, left);
      if (member.leavingSince !== undefined && member.environment.load === 0) member.environment.end();
      if (runningByArn.size === 0) onQuiet?.();
    }
  };

  const waitForFleet = (spec: FunctionSpec, invocation: Invocation): Promise<InvocationOutcome> => {
    const { promise, resolve, reject } = Promise.withResolvers<InvocationOutcome>();
    const waiters = early.get(spec.id) ?? [];
    early.set(spec.id, waiters);
    waiters.push({ invocation, resolve, reject });
    if (waiters.length > 1) return promise;
    clock.after(limits.fleetSweepMs, () => {
      if (early.get(spec.id) === waiters) early.delete(spec.id);
      else return;
      for (const waiter of waiters) waiter.reject(new ComputeSaturatedError());
    });
    return promise;
  };

  const sweepLater = () => {
    if (sweeping || stopped) return;
    sweeping = true;
    clock.after(limits.fleetSweepMs, () => {
      sweeping = false;
      if (stopped) return;
      for (const fleet of fleets.values()) look(fleet);
      if (fleets.size > 0) sweepLater();
    });
  };

  const look = (fleet: Fleet) => {
    const now = clock.now();
    const spentMs = now - fleet.lookedAt;
    fleet.lookedAt = now;
    const members = takers(fleet);
    let occupied = 0;
    let slots = 0;
    let cpuMs = 0;
    for (const member of members) {
      occupied += member.environment.load;
      slots += member.environment.slots;
      const used = member.environment.sandbox.cpuUsedMs() ?? 0;
      cpuMs += Math.max(0, used - member.cpuMs);
      member.cpuMs = used;
    }
    const { environmentsMin: min, environmentsMax: max, utilizationTarget: target, spec } = fleet.plan;
    const vcpus = members.length * vcpusOf(spec);
    const vcpusUsed = spentMs > 0 ? cpuMs / spentMs : 0;
    const { refused } = fleet;
    fleet.refused = 0;
    const needed = environmentsFor(
      { environments: members.length, occupied, slots, vcpusUsed, vcpus, refused },
      { min, max, target },
    );
    if (needed < fleet.wanted) {
      fleet.tooLargeSince ??= now;
      if (now - fleet.tooLargeSince < limits.fleetShrinkAfterMs) return renew(fleet, now);
    }
    fleet.tooLargeSince = undefined;
    fleet.wanted = needed;
    adjust(fleet);
    renew(fleet, now);
  };

  /** Those that leave are ended at last, and one whose credentials expire is replaced. */
  const renew = (fleet: Fleet, now: number) => {
    for (const { environment, leavingSince } of fleet.members) {
      if (leavingSince === undefined) continue;
      // What timed out may never come back: nobody waits for it.
      if (environment.load === 0 || now - leavingSince > fleet.plan.spec.timeoutMs) environment.end();
    }
    const expired = takers(fleet).find((member) => member.environment.credentialsExpireAt <= now);
    if (expired === undefined) return;
    leave(expired);
    adjust(fleet);
  };

  const fleetOf = (plan: FleetPlan): Fleet => ({
    plan,
    wanted: plan.environmentsMin,
    members: new Set(),
    waiting: [],
    starting: 0,
    failures: 0,
    failure: undefined,
    cancelRetry: undefined,
    refused: 0,
    tooLargeSince: undefined,
    lookedAt: clock.now(),
    gone: false,
  });

  return {
    maintain(plans) {
      const wanted = new Map(plans.map((plan) => [plan.spec.id, plan]));
      for (const [id, fleet] of fleets) {
        if (wanted.has(id)) continue;
        fleet.gone = true;
        fleet.cancelRetry?.();
        refuseWaiting(fleet);
        fleets.delete(id);
        adjust(fleet);
      }
      for (const [id, plan] of wanted) {
        const known = fleets.get(id);
        if (known === undefined) {
          const fleet = fleetOf(plan);
          fleets.set(id, fleet);
          fleet.waiting.push(...(early.get(id) ?? []));
          early.delete(id);
          if (plan.environmentsMax === 0) refuseWaiting(fleet);
        } else {
          known.plan = plan;
          known.wanted = Math.min(plan.environmentsMax, Math.max(plan.environmentsMin, known.wanted));
        }
      }
      for (const fleet of fleets.values()) adjust(fleet);
      if (fleets.size > 0) sweepLater();
    },
    state(specId) {
      const fleet = fleets.get(specId);
      if (fleet === undefined) return undefined;
      const room = roomFor(fleet);
      const failure =
        fleet.failure ??
        (fleet.wanted > room
          ? `The capacity provider and this host have room for ${room} execution environments`
          : undefined);
      return { wanted: fleet.wanted, ready: takers(fleet).length, ...(failure !== undefined && { failure }) };
    },
    invoke(spec, invocation) {
      if (stopped) return Promise.reject(new Error("The platform is stopping"));
      const fleet = fleets.get(spec.id);
      if (fleet === undefined) return waitForFleet(spec, invocation);
      const free = freest(fleet);
      if (free !== undefined) return run(fleet, free, invocation);
      // Its first environments are still being made.
      const isComing = fleet.starting > 0 || staying(fleet).some((member) => !member.ready);
      const mayWait = takers(fleet).length === 0 && isComing && fleet.waiting.length < limits.waitingMax;
      if (!mayWait) return Promise.reject(refuse(fleet));
      const { promise, resolve, reject } = Promise.withResolvers<InvocationOutcome>();
      fleet.waiting.push({ invocation, resolve, reject });
      return promise;
    },
    running: (arn) => runningByArn.get(arn) ?? 0,
    async stop(graceMs) {
      stopped = true;
      for (const fleet of fleets.values()) {
        fleet.cancelRetry?.();
        refuseWaiting(fleet);
      }
      if (runningByArn.size > 0 && graceMs > 0) {
        await new Promise<void>((resolve) => {
          onQuiet = resolve;
          clock.after(graceMs, resolve);
        });
      }
      const ended = [...environments].map((environment) => environment.sandbox.ended);
      for (const environment of environments) environment.end();
      await Promise.all(ended);
    },
  };
}

function vcpusOf(spec: FunctionSpec): number {
  return spec.multiConcurrency?.vcpus ?? 1;
}

/** As `StateReason` says it. */
function failureOf(init: { readonly outcome: string; readonly errorType?: string }): string {
  return init.outcome === "timeout"
    ? "FunctionError.InitTimeout"
    : (init.errorType ?? "FunctionError.RuntimeInitError");
}
