import { createLru } from "../../../access/lru.ts";
import { oauthLimits as limits } from "./limits.ts";

/** Whether one more request may be answered for a pool now. A process counts what it answers. */
export type RateLimit = (poolId: string, now: number) => boolean;

interface Bucket {
  tokens: number;
  at: number;
}

export function createRateLimit(): RateLimit {
  const buckets = createLru<Bucket>(limits.poolsMetered);
  return (poolId, now) => {
    const bucket = buckets.get(poolId) ?? { tokens: limits.requestsBurst, at: now };
    const refilled = bucket.tokens + (Math.max(0, now - bucket.at) / 1000) * limits.requestsPerSecond;
    bucket.tokens = Math.min(limits.requestsBurst, refilled);
    bucket.at = now;
    buckets.set(poolId, bucket);
    if (bucket.tokens < 1) return false;
    bucket.tokens -= 1;
    return true;
  };
}
