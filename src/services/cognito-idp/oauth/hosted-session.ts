import type { Cognito } from "../core.ts";
import type { Pool, User } from "../model.ts";
import { readUser } from "../users/users.ts";
import type { DomainRequest } from "./exchange.ts";
import { oauthLimits as limits } from "./limits.ts";

/** Who is signed in at a pool's domain, in this browser. */
export interface HostedSession {
  readonly poolId: string;
  readonly userKey: string;
  readonly sub: string;
  /** Epoch milliseconds. */
  readonly authTime: number;
  /** The external provider that vouched, where one did. */
  readonly provider?: string;
}

/** AWS's name. */
export const sessionCookie = "cognito";
const kind = "hostedSession";

export function sealSession({ seal }: Pick<Cognito, "seal">, session: HostedSession): string {
  return Buffer.from(seal.seal(Buffer.from(JSON.stringify([kind, session])))).toString("base64url");
}

export interface SignedInUser {
  readonly session: HostedSession;
  readonly user: User;
}

/** Undefined where nobody is, or not any more: after an hour, or a sign-out everywhere. */
export async function findSignedIn(
  { seal, store }: Pick<Cognito, "seal" | "store">,
  request: DomainRequest,
): Promise<SignedInUser | undefined> {
  const cookie = request.cookies.get(sessionCookie);
  const opened = cookie === undefined ? undefined : seal.open(Buffer.from(cookie, "base64url"));
  if (opened === undefined) return undefined;
  // Sealed by us, so it has the shape that sealSession gave it, if it is one at all.
  const [is, session]: [unknown, HostedSession] = JSON.parse(Buffer.from(opened).toString("utf8"));
  if (is !== kind || session.poolId !== request.pool.id) return undefined;
  if (request.now >= session.authTime + limits.sessionMs) return undefined;
  const user = await store.read((reader) => readUser(reader, request.pool, session.userKey));
  return user !== undefined && isStillSignedIn(request.pool, user, session) ? { session, user } : undefined;
}

function isStillSignedIn(_pool: Pool, user: User, session: HostedSession): boolean {
  return user.sub === session.sub && user.enabled && (user.signedOutAt ?? 0) < session.authTime;
}
