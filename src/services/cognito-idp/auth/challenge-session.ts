import type { ChallengeNameType } from "@aws-sdk/client-cognito-identity-provider";
import type { Transaction } from "../../../kernel/store/store.ts";
import type { Cognito } from "../core.ts";
import { invalidSession } from "../errors.ts";
import { cognitoLimits as limits } from "../limits.ts";
import { endKey, root } from "../model.ts";
import type { AuthContext, AuthVia } from "./flow.ts";
import type { Progress } from "./progress.ts";

/** Challenges, and the sessions that lead from a sign-up to a sign-in. */
type SealedName = ChallengeNameType | "SIGN_UP" | "CONFIRMED_SIGN_UP";

/** What a challenge was asked with, sealed into the session that comes back with the answer. */
export interface Challenge {
  readonly id: string;
  readonly poolId: string;
  readonly clientId: string;
  readonly via: AuthVia;
  readonly name: SealedName;
  readonly expiresAt: number;
  readonly progress: Progress;
  /** What the answer is compared with: a code, an SRP exchange, private parameters … */
  readonly secret: Readonly<Record<string, unknown>>;
}

interface Use {
  readonly v: 1;
  readonly attempts: number;
  readonly used: boolean;
  readonly expiresAt: number;
}

export function validityMsOf({ client }: AuthContext): number {
  return (client.settings.AuthSessionValidity ?? limits.authSessionMinutes) * 60_000;
}

export function sealChallenge(
  { seal, ids }: Pick<Cognito, "seal" | "ids">,
  context: AuthContext,
  name: SealedName,
  progress: Progress,
  secret: Challenge["secret"],
  encoding: "base64url" | "base64" = "base64url",
): string {
  const challenge: Challenge = {
    id: ids.uuid(),
    poolId: context.pool.id,
    clientId: context.client.id,
    via: context.via,
    name,
    expiresAt: context.now + validityMsOf(context),
    progress,
    secret,
  };
  return Buffer.from(seal.seal(Buffer.from(JSON.stringify(challenge)))).toString(encoding);
}

/**
 * The challenge that a session is of.
 *
 * @throws NotAuthorizedException when it was not made here, for somebody else, for another challenge, or too long ago
 */
export function openChallenge(
  { seal }: Pick<Cognito, "seal">,
  context: AuthContext,
  session: string | undefined,
  names: readonly SealedName[],
  encoding: "base64url" | "base64" = "base64url",
): Challenge {
  const opened = session === undefined ? undefined : seal.open(Buffer.from(session, encoding));
  const challenge = opened && parse(Buffer.from(opened).toString("utf8"));
  if (!challenge || challenge.poolId !== context.pool.id || challenge.clientId !== context.client.id) {
    throw invalidSession();
  }
  // What the hosted pages have begun cannot be finished by the API, where other rules hold; nor what an administrator has.
  if (challenge.via !== context.via || !names.includes(challenge.name)) throw invalidSession();
  if (challenge.expiresAt <= context.now) throw invalidSession("session is expired");
  return challenge;
}

function parse(text: string): Challenge | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isChallenge(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isChallenge(value: unknown): value is Challenge {
  return (
    typeof value === "object" && value !== null && "progress" in value && "secret" in value && "expiresAt" in value
  );
}

const useKey = (challenge: Challenge) => [root, "auth", challenge.id];

/** Use a challenge up. Of several that answer it at once, one gets through. @throws NotAuthorizedException */
export async function useChallenge(tx: Transaction, challenge: Challenge): Promise<void> {
  const key = useKey(challenge);
  const before = await tx.get<Use>(key);
  assertUsable(before);
  writeUse(tx, challenge, { attempts: before?.attempts ?? 0, used: true });
}

/** Refuse early what cannot be used any more. */
export async function assertOpen({ store }: Pick<Cognito, "store">, challenge: Challenge): Promise<void> {
  assertUsable(await store.read((reader) => reader.get<Use>(useKey(challenge))));
}

function assertUsable(use: Use | undefined): void {
  if (use?.used === true) throw invalidSession("session can only be used once");
  if ((use?.attempts ?? 0) >= limits.challengeAttemptsMax) throw invalidSession("session has had too many attempts");
}

/** Count a wrong answer: after a few of them the session is over. */
export async function countWrongAnswer({ store }: Pick<Cognito, "store">, challenge: Challenge): Promise<void> {
  await store.transact(async (tx) => {
    const before = await tx.get<Use>(useKey(challenge));
    writeUse(tx, challenge, { attempts: (before?.attempts ?? 0) + 1, used: before?.used ?? false });
  });
}

function writeUse(tx: Transaction, challenge: Challenge, use: Pick<Use, "attempts" | "used">): void {
  const key = useKey(challenge);
  const { expiresAt } = challenge;
  tx.set(key, { v: 1, ...use, expiresAt } satisfies Use);
  tx.set(endKey(expiresAt, key), 1);
}
