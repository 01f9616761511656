import type { PublishedRate } from "../port.ts";

/** Tokens that come at a rate, up to a burst: each request takes one. Times are epoch milliseconds of one clock. */
export interface TokenBucket {
  rate: number;
  burst: number;
  tokens: number;
  at: number;
}

/** A full one. */
export function createTokenBucket({ rateLimit, burstLimit }: PublishedRate, now: number): TokenBucket {
  return { rate: rateLimit, burst: burstLimit, tokens: burstLimit, at: now };
}

/** Whether a request may pass at this moment. AWS: a rate or burst of 0 lets nothing pass. */
export function takeToken(bucket: TokenBucket, now: number): boolean {
  refill(bucket, now);
  if (bucket.tokens < 1 || bucket.rate === 0) return false;
  bucket.tokens -= 1;
  return true;
}

/** Bring a bucket to this moment. A clock that was set back brings nothing. */
export function refill(bucket: TokenBucket, now: number): void {
  if (now <= bucket.at) return;
  bucket.tokens = Math.min(bucket.burst, bucket.tokens + ((now - bucket.at) / 1000) * bucket.rate);
  bucket.at = now;
}
