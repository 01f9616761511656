import type { Clock } from "../../../kernel/clock.ts";

/** A bucket of connections for each account: it holds one second's worth, and fills as fast. */
export function createConnectionRate(clock: Clock, perSecond: number): (account: string) => boolean {
  const buckets = new Map<string, { left: number; at: number }>();
  return (account) => {
    const now = clock.now();
    let bucket = buckets.get(account);
    if (bucket === undefined) {
      bucket = { left: perSecond, at: now };
      buckets.set(account, bucket);
    }
    bucket.left = Math.min(perSecond, bucket.left + (Math.max(0, now - bucket.at) * perSecond) / 1000);
    bucket.at = now;
    if (bucket.left < 1) return false;
    bucket.left -= 1;
    return true;
  };
}
