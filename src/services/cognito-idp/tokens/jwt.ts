import { sign, verify, type KeyObject } from "node:crypto";
import { promisify } from "node:util";
import { cognitoLimits as limits } from "../limits.ts";
import type { SigningKey } from "./signing-keys.ts";

export type Claims = Readonly<Record<string, unknown>>;

const signLater = promisify<string, Buffer, KeyObject, Buffer>(sign);

/** A compact JWS (RFC 7515) with RS256, made beside the event loop. */
export async function signJwt(key: SigningKey, claims: Claims): Promise<string> {
  const input = `${encode({ kid: key.kid, alg: "RS256" })}.${encode(claims)}`;
  const signature = await signLater("sha256", Buffer.from(input), key.privateKey);
  return `${input}.${signature.toString("base64url")}`;
}

export interface DecodedJwt {
  readonly kid: string;
  readonly claims: Claims;
  /** Whether the key signed it. */
  isSignedBy(key: KeyObject): boolean;
}

/** A token's parts, trusted for nothing yet. Undefined for what is no RS256 token with a `kid`. */
export function decodeJwt(token: string): DecodedJwt | undefined {
  if (token.length > limits.tokenCharactersMax) return undefined;
  const [head = "", body = "", signature = "", ...more] = token.split(".");
  const header = decode(head);
  const claims = decode(body);
  if (more.length > 0 || signature === "" || !header || !claims) return undefined;
  const { alg, kid } = header;
  // Whatever else it names is none of ours: `none`, and MACs made with the public key.
  if (alg !== "RS256" || typeof kid !== "string") return undefined;
  return {
    kid,
    claims,
    isSignedBy: (key) => verify("sha256", Buffer.from(`${head}.${body}`), key, Buffer.from(signature, "base64url")),
  };
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}

function decode(part: string): Claims | undefined {
  if (!/^[A-Za-z0-9_-]+$/.test(part)) return undefined;
  try {
    const value: unknown = JSON.parse(Buffer.from(part, "base64url").toString("utf8"));
    return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}
