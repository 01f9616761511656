import { createHmac } from "node:crypto";
import { deflateRawSync, inflateRawSync } from "node:zlib";
import type { Principal } from "../aws/principal.ts";
import type { Ids } from "../kernel/ids.ts";
import { createAccessKeyId } from "./access-keys.ts";
import { accessLimits } from "./limits.ts";
import { createLru } from "./lru.ts";
import type { ServerKeys } from "./server-keys.ts";

/** Who can hold temporary credentials. */
export type SessionPrincipal = Extract<Principal, { type: "root" | "user" | "assumedRole" | "federatedUser" }>;

export interface SessionCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  /** Epoch milliseconds. */
  readonly expiresAt: number;
  /** How much of what a token may hold this one takes, in percent. */
  readonly packedPercent: number;
}

export interface OpenedSession {
  readonly principal: SessionPrincipal;
  readonly secretAccessKey: string;
  /** Epoch milliseconds. */
  readonly issuedAt: number;
  readonly expiresAt: number;
}

/**
 * Temporary credentials that carry what they stand for: the token is sealed with a key of the server and the secret
 * key is derived from it, so that any node can verify them and nothing is stored.
 */
export interface Sessions {
  issue(principal: SessionPrincipal, issuedAt: number, expiresAt: number): SessionCredentials;
  /** Undefined when the token is not ours or is another key's. Does not look at the clock. */
  open(accessKeyId: string, sessionToken: string): OpenedSession | undefined;
}

export class SessionTooLargeError extends Error {
  /** How much of what a token may hold this one would need, in percent. */
  readonly packedPercent: number;

  constructor(packedPercent: number) {
    super(`The session's policies and tags need ${packedPercent}% of the space of a token`);
    this.name = "SessionTooLargeError";
    this.packedPercent = packedPercent;
  }
}

const version = 1;

export function createSessions(needs: { readonly keys: ServerKeys; readonly ids: Ids }): Sessions {
  const { keys, ids } = needs;
  // By the access key, and not by the token, which is long: each has one token.
  const opened = createLru<{ readonly token: string; readonly session: OpenedSession }>(accessLimits.sessionsOpenMax);

  const secretOf = (accessKeyId: string, token: string): string =>
    createHmac("sha256", keys.sessionSecrets)
      .update(`${accessKeyId}\n${token}`)
      .digest()
      .subarray(0, 30)
      .toString("base64");

  const openToken = (accessKeyId: string, token: string): OpenedSession | undefined => {
    if (token.length > accessLimits.sessionTokenCharactersMax || !/^[A-Za-z0-9+/]+=*$/.test(token)) return undefined;
    const plain = keys.sessions.open(Buffer.from(token, "base64"));
    // Sealed by us, so it has the shape that issue() gave it.
    if (!plain || plain[0] !== version) return undefined;
    const { principal, issuedAt, expiresAt } = parseContent(plain.subarray(1));
    if (principal.accessKeyId !== accessKeyId) return undefined;
    const secretAccessKey = secretOf(accessKeyId, token);
    return { principal: { ...principal, tokenIssuedAt: issuedAt }, issuedAt, expiresAt, secretAccessKey };
  };

  return {
    issue: (principal, issuedAt, expiresAt) => {
      const accessKeyId = createAccessKeyId(ids, "ASIA");
      const content = JSON.stringify({ principal: { ...principal, accessKeyId }, issuedAt, expiresAt });
      const plain = Buffer.concat([Buffer.of(version), deflateRawSync(content)]);
      const sessionToken = Buffer.from(keys.sessions.seal(plain)).toString("base64");
      const percent = Math.ceil((sessionToken.length * 100) / accessLimits.sessionTokenCharactersMax);
      if (percent > 100) throw new SessionTooLargeError(percent);
      const secretAccessKey = secretOf(accessKeyId, sessionToken);
      return { accessKeyId, secretAccessKey, sessionToken, expiresAt, packedPercent: percent };
    },
    open: (accessKeyId, sessionToken) => {
      const known = opened.get(accessKeyId);
      if (known?.token === sessionToken) return known.session;
      const session = openToken(accessKeyId, sessionToken);
      if (session) opened.set(accessKeyId, { token: sessionToken, session });
      return session;
    },
  };
}

interface SessionContent {
  readonly principal: SessionPrincipal;
  readonly issuedAt: number;
  readonly expiresAt: number;
}

function parseContent(packed: Uint8Array): SessionContent {
  return JSON.parse(inflateRawSync(packed).toString("utf8")) as SessionContent;
}
