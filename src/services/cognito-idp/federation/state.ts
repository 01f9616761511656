import { createHash, timingSafeEqual } from "node:crypto";
import type { Cognito } from "../core.ts";
import { endKey, root } from "../model.ts";
import type { DomainRequest } from "../oauth/exchange.ts";
import { oauthLimits as limits } from "../oauth/limits.ts";

/** Somebody who has been sent to an external provider and is awaited back. */
export interface Journey {
  readonly v: 1;
  readonly provider: string;
  /** The query of the application's request. */
  readonly search: string;
  readonly nonce: string;
  readonly verifier: string;
  /** SHA-256 of what the browser was given: another's cannot come back in its place. */
  readonly browser: Uint8Array;
  readonly expiresAt: number;
}

/** The cookie that ties a journey to the browser it began in. */
export const journeyCookie = "cognito-fl";

const keyOf = (poolId: string, state: string) =>
  [root, "oauthState", poolId, createHash("sha256").update(state).digest()] as const;

export async function beginJourney(
  { store, ids }: Cognito,
  request: DomainRequest,
  provider: string,
): Promise<{ readonly state: string; readonly journey: Journey; readonly browser: string }> {
  const random = () => Buffer.from(ids.bytes(32)).toString("base64url");
  const [state, browser] = [random(), random()];
  const journey: Journey = {
    v: 1,
    provider,
    search: request.query.toString(),
    nonce: random(),
    verifier: random(),
    browser: createHash("sha256").update(browser).digest(),
    expiresAt: request.now + limits.federationMs,
  };
  await store.transact(async (tx) => {
    const key = keyOf(request.pool.id, state);
    tx.set(key, journey);
    tx.set(endKey(journey.expiresAt, key), 1);
  });
  return { state, journey, browser };
}

/** The journey that ends now, once. Undefined for what none began with, in this browser, or not lately. */
export async function endJourney(
  { store }: Pick<Cognito, "store">,
  request: DomainRequest,
  state: string,
): Promise<Journey | undefined> {
  const key = keyOf(request.pool.id, state);
  const journey = await store.transact(async (tx) => {
    const found = await tx.get<Journey>(key);
    if (found === undefined) return undefined;
    tx.delete(key);
    tx.delete(endKey(found.expiresAt, key));
    return found;
  });
  if (journey === undefined || journey.expiresAt <= request.now) return undefined;
  const browser = createHash("sha256")
    .update(request.cookies.get(journeyCookie) ?? "")
    .digest();
  return timingSafeEqual(browser, journey.browser) ? journey : undefined;
}
