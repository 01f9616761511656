import type { Position } from "./chunks.ts";
import { invalidParameter } from "./errors.ts";

/** Page tokens say where the page before ended; they hold no state and do not expire. */
export function toToken(kind: "f" | "b" | "p", position: Position): string {
  return `${kind}/${Buffer.from(JSON.stringify(position)).toString("base64url")}/s`;
}

export function parseToken(token: string): { readonly kind: string; readonly position: Position } {
  const [kind, body, end] = token.split("/");
  if (!kind || !body || end !== "s" || !["f", "b", "p"].includes(kind)) throw invalidToken();
  let parts: unknown;
  try {
    parts = JSON.parse(Buffer.from(body, "base64url").toString());
  } catch {
    throw invalidToken();
  }
  if (!Array.isArray(parts) || parts.length !== 5) throw invalidToken();
  const [timestamp, ingestedAt, sequence, writer, index] = parts.map((part) => {
    if (!Number.isSafeInteger(part)) throw invalidToken();
    return Number(part);
  });
  return { kind, position: [timestamp ?? 0, ingestedAt ?? 0, sequence ?? 0, writer ?? 0, index ?? 0] };
}

/** Tokens of lists of names: the last name of the page. */
export function toNameToken(name: string): string {
  return Buffer.from(name).toString("base64url");
}

export function parseNameToken(token: string): string {
  const name = Buffer.from(token, "base64url").toString();
  if (Buffer.from(name).toString("base64url") !== token) throw invalidToken();
  return name;
}

export function invalidToken() {
  return invalidParameter("The specified nextToken is invalid.");
}
