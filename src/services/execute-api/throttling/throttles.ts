import type { Clock } from "../../../kernel/clock.ts";
import type { Log } from "../../../kernel/log.ts";
import type { Key, Store } from "../../../kernel/store/store.ts";
import type { PublishedRate } from "../port.ts";
import { throttlingLimits as limits } from "./limits.ts";
import { createTokenBucket, refill, takeToken, type TokenBucket } from "./token-bucket.ts";

/** Whether a request may pass, at once or when the other nodes have been asked. */
export type Taken = boolean | Promise<boolean>;

export interface Throttle {
  /** @param now epoch milliseconds */
  take(now: number): Taken;
}

/** Every rate that is limited, by key: whoever names a key again shares its bucket. */
export interface Throttles {
  of(key: string, rate: PublishedRate): Throttle;
  /**
   * The same for what every request is limited by: each node lets its even share pass, from memory alone. Where clients are
   * spread unevenly over nodes, less passes in all.
   */
  evenly(key: string, rate: PublishedRate): Throttle;
}

export interface ThrottlesNeeds {
  readonly store: Store;
  readonly clock: Pick<Clock, "now">;
  readonly log: Log;
  /** Whether other nodes let requests through, too. */
  readonly isDivided: () => boolean;
  /** How many nodes let requests through, this one included. */
  readonly nodes: () => number;
}

interface Limiter {
  readonly bucket: TokenBucket;
  readonly throttle: Throttle;
}

/** What of a divided rate nobody has taken: the same on all nodes. */
interface SharedBucket {
  readonly v: 1;
  readonly tokens: number;
  readonly at: number;
}

const prefix: Key = ["execute-api", "throttle"];

/**
 * Alone, a node has each bucket in memory. Nodes that share a store take tokens from one bucket there, for
 * `rateLeaseMs` at a time, so that together they never let more pass than the rate and the burst say; what one took and
 * did not use within `rateLeaseMsMax` is lost. A node that comes or goes brings at the most one more burst.
 */
export function createThrottles(needs: ThrottlesNeeds): Throttles {
  const limiters = new Map<string, Limiter>();

  const forgetFull = () => {
    const now = needs.clock.now();
    for (const [key, { bucket }] of limiters) {
      refill(bucket, now);
      if (bucket.tokens >= bucket.burst) limiters.delete(key);
    }
  };

  return {
    of(key, rate) {
      const known = limiters.get(key);
      if (known?.bucket.rate === rate.rateLimit && known.bucket.burst === rate.burstLimit) return known.throttle;
      if (limiters.size >= limits.bucketsMax) forgetFull();
      const now = needs.clock.now();
      const bucket = createTokenBucket(rate, now);
      // Another limit is no reason to have the burst again.
      if (known !== undefined) bucket.tokens = Math.min(bucket.burst, known.bucket.tokens);
      const shared = createSharedThrottle(needs, key, rate);
      const throttle: Throttle = {
        take: (at) => (needs.isDivided() ? shared.take(at) : takeToken(bucket, at)),
      };
      limiters.set(key, { bucket, throttle });
      return throttle;
    },
    evenly(key, rate) {
      const name = `evenly/${key}`;
      const known = limiters.get(name);
      if (known !== undefined) return known.throttle;
      const bucket = createTokenBucket(rate, needs.clock.now());
      const throttle: Throttle = {
        take: (at) => {
          if (needs.isDivided()) share(bucket, rate, needs.nodes());
          else share(bucket, rate, 1);
          return takeToken(bucket, at);
        },
      };
      limiters.set(name, { bucket, throttle });
      return throttle;
    },
  };
}

function share(bucket: TokenBucket, { rateLimit, burstLimit }: PublishedRate, nodes: number): void {
  const rate = rateLimit / nodes;
  if (bucket.rate === rate) return;
  bucket.rate = rate;
  bucket.burst = Math.max(1, burstLimit / nodes);
  bucket.tokens = Math.min(bucket.tokens, bucket.burst);
}

/** A rate that nodes divide. */
function createSharedThrottle({ store, clock, log }: ThrottlesNeeds, key: string, rate: PublishedRate): Throttle {
  const { rateLimit, burstLimit } = rate;
  const leaseMax = Math.max(1, Math.min(burstLimit, Math.ceil((rateLimit * limits.rateLeaseMs) / 1000)));
  let held = 0;
  let heldUntil = 0;
  /** There is no token before this moment. */
  let emptyUntil = 0;
  let asking: Promise<void> | undefined;
  let waiting = 0;

  const ask = async (): Promise<void> => {
    try {
      const want = Math.max(leaseMax, waiting);
      const now = clock.now();
      const { given, left } = await store.transact(async (tx) => {
        const known = await tx.get<SharedBucket>([...prefix, key]);
        const bucket = createTokenBucket(rate, now);
        if (known !== undefined) Object.assign(bucket, { tokens: Math.min(burstLimit, known.tokens), at: known.at });
        refill(bucket, now);
        const taken = Math.min(want, Math.floor(bucket.tokens));
        if (taken > 0) {
          tx.set([...prefix, key], { v: 1, tokens: bucket.tokens - taken, at: bucket.at } satisfies SharedBucket);
        }
        return { given: taken, left: bucket.tokens - taken };
      });
      held += given;
      heldUntil = clock.now() + limits.rateLeaseMsMax;
      if (given === 0) emptyUntil = now + ((1 - left) / rateLimit) * 1000;
    } catch (error) {
      // Whoever cannot know whether there is a token lets nobody pass.
      log.warn("A rate that nodes divide could not be asked for", { error });
      emptyUntil = clock.now() + limits.rateLeaseMs;
    } finally {
      asking = undefined;
    }
  };
  const takeHeld = (now: number): boolean => {
    if (held < 1 || now >= heldUntil) {
      held = 0;
      return false;
    }
    held -= 1;
    return true;
  };

  return {
    take(now) {
      if (rateLimit <= 0 || burstLimit < 1) return false;
      if (takeHeld(now)) return true;
      if (now < emptyUntil) return false;
      waiting += 1;
      asking ??= ask();
      return asking.then(() => {
        waiting -= 1;
        return takeHeld(clock.now());
      });
    },
  };
}
