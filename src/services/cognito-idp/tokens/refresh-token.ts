import type { Seal } from "../../../access/server-keys.ts";
import type { Session } from "../model.ts";

/** What a refresh token says, to the server alone. */
export interface RefreshToken {
  readonly sessionId: string;
  readonly poolId: string;
  readonly userKey: string;
  readonly clientId: string;
  /** With rotation: which of the session's tokens it is. */
  readonly rotation?: string;
}

const kind = "refresh";

/** Sealed: it tells nothing and cannot be made; whether it is good is looked up each time. */
export function sealRefreshToken(seal: Seal, session: Session): string {
  const { id, poolId, userKey, clientId, rotation } = session;
  return Buffer.from(
    seal.seal(Buffer.from(JSON.stringify([kind, id, poolId, userKey, clientId, rotation?.current ?? ""]))),
  ).toString("base64url");
}

/** Undefined for what was not made here, or was changed. */
export function openRefreshToken(seal: Seal, token: string): RefreshToken | undefined {
  const opened = seal.open(Buffer.from(token, "base64url"));
  if (!opened) return undefined;
  const [is, sessionId, poolId, userKey, clientId, rotation] = parseTexts(Buffer.from(opened).toString("utf8"));
  if (is !== kind || sessionId === undefined || poolId === undefined || userKey === undefined) return undefined;
  return { sessionId, poolId, userKey, clientId: clientId ?? "", ...(rotation && { rotation }) };
}

function parseTexts(text: string): readonly string[] {
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) ? value.map(String) : [];
  } catch {
    return [];
  }
}
