import { createPublicKey, type KeyObject } from "node:crypto";
import { createLru } from "../lru.ts";
import type { Clock } from "../../kernel/clock.ts";
import type { Log } from "../../kernel/log.ts";
import { tokenLimits as limits } from "./limits.ts";

/** The public keys of OpenID Connect issuers. */
export interface TokenIssuers {
  /**
   * The key of this name that an issuer signs with now; undefined when it has none of that name.
   *
   * Throws `IssuerUnavailable` when the issuer cannot be asked and its keys are not known, or are too old.
   */
  findKey(issuer: string, kid: string): Promise<KeyObject | undefined>;
  /** Whether two names are of one issuer of this platform, which may be reached at several addresses. Absent: none has two. */
  readonly isSame?: (trusted: string, claimed: string) => boolean;
}

/** An issuer did not tell its keys. The message is what AWS tells of it. */
export class IssuerUnavailable extends Error {
  constructor(message: string) {
    super(message);
    this.name = "IssuerUnavailable";
  }
}

interface KeySet {
  readonly keys: ReadonlyMap<string, KeyObject>;
  readonly fetchedAt: number;
}

interface Issuer {
  set: KeySet | undefined;
  /** When it was last asked, and how that went. */
  askedAt: number;
  failure: unknown;
  asking: Promise<KeySet> | undefined;
}

/** Issuers of this platform. */
export interface OwnIssuers {
  /** Undefined when it is none of the platform's. */
  find(issuer: string): Promise<Pick<TokenIssuers, "findKey"> | undefined>;
  readonly isSame: NonNullable<TokenIssuers["isSame"]>;
}

/** Fetches a document: the parsed JSON. Rejects for anything else. */
export type FetchJson = (url: string) => Promise<unknown>;

/**
 * Keeps keys as AWS does: for up to two hours, also while their issuer cannot be reached. Younger keys are refreshed beside the
 * requests that use them. An unknown key makes us ask again, but not for each token that somebody makes up.
 */
export function createTokenIssuers(needs: {
  readonly clock: Clock;
  readonly log: Log;
  readonly fetchJson: FetchJson;
  /** Issuers of this platform, whose keys are asked for in process. Absent: there are none. */
  readonly own?: OwnIssuers;
}): TokenIssuers {
  const { clock, log, fetchJson, own } = needs;
  const issuers = createLru<Issuer>(limits.issuersMax);

  const ask = (name: string, issuer: Issuer): Promise<KeySet> => {
    if (issuer.asking !== undefined) return issuer.asking;
    issuer.askedAt = clock.now();
    const asking = fetchKeys(fetchJson, name).then(
      (keys) => {
        issuer.asking = undefined;
        issuer.failure = undefined;
        issuer.set = { keys, fetchedAt: clock.now() };
        return issuer.set;
      },
      (error: unknown) => {
        issuer.asking = undefined;
        issuer.failure = error;
        log.warn("The keys of a token issuer could not be fetched", { issuer: name, error: String(error) });
        throw error;
      },
    );
    issuer.asking = asking;
    return asking;
  };

  /** The keys to go on with, however old they may be. */
  const currentSet = async (name: string, issuer: Issuer): Promise<KeySet> => {
    const { set } = issuer;
    const now = clock.now();
    const age = set === undefined ? Number.POSITIVE_INFINITY : now - set.fetchedAt;
    const justFailed = issuer.failure !== undefined && now - issuer.askedAt < limits.issuerRetryMs;
    if (set !== undefined && age < limits.keysUsedForMs) {
      // Nobody waits for a refresh.
      if (age >= limits.keysFreshForMs && now - issuer.askedAt >= limits.unknownKeyEveryMs) {
        ask(name, issuer).catch(() => undefined);
      }
      return set;
    }
    if (justFailed && issuer.asking === undefined) throw issuer.failure;
    return ask(name, issuer);
  };

  return {
    ...(own && { isSame: own.isSame }),
    findKey: async (name, kid) => {
      const ours = await own?.find(name);
      if (ours !== undefined) return await ours.findKey(name, kid);
      let issuer = issuers.get(name);
      if (issuer === undefined) {
        issuer = { set: undefined, askedAt: Number.NEGATIVE_INFINITY, failure: undefined, asking: undefined };
        issuers.set(name, issuer);
      }
      const set = await currentSet(name, issuer);
      const found = set.keys.get(kid);
      if (found !== undefined) return found;
      // The issuer may have begun to sign with a new key since.
      if (issuer.asking === undefined && clock.now() - issuer.askedAt < limits.unknownKeyEveryMs) return undefined;
      return (await ask(name, issuer)).keys.get(kid);
    },
  };
}

async function fetchKeys(fetchJson: FetchJson, issuer: string): Promise<ReadonlyMap<string, KeyObject>> {
  const discovery = await fetchJson(`${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`).catch(() => {
    throw new IssuerUnavailable("OIDC discovery endpoint communication error");
  });
  const jwksUri = memberOf(discovery, "jwks_uri");
  if (typeof jwksUri !== "string" || !isIssuerUrl(jwksUri)) {
    throw new IssuerUnavailable("OIDC discovery endpoint communication error");
  }
  const jwks = await fetchJson(jwksUri).catch(() => {
    throw new IssuerUnavailable("JWKS communication error");
  });
  return readKeys(memberOf(jwks, "keys"));
}

/** RSA keys, and those of elliptic curves. What else is in the set, or is too weak, is not there. */
function readKeys(list: unknown): ReadonlyMap<string, KeyObject> {
  const keys = new Map<string, KeyObject>();
  if (!Array.isArray(list)) throw new IssuerUnavailable("JWKS communication error");
  for (const jwk of list.slice(0, limits.keysMax)) {
    const { use, kid, ...members } = readMembers(jwk);
    if ((use !== undefined && use !== "sig") || typeof kid !== "string" || keys.has(kid)) continue;
    const key = toPublicKey(members);
    if (key === undefined) continue;
    try {
      const made = createPublicKey({ format: "jwk", key });
      if (key.kty === "EC" || (made.asymmetricKeyDetails?.modulusLength ?? 0) >= rsaBitsMin) keys.set(kid, made);
    } catch {
      // A key that is none verifies nothing.
    }
  }
  return keys;
}

/** Of a JSON Web Key only what its kind has: nothing private, and nothing that is no text. */
function toPublicKey({ kty, n, e, crv, x, y }: Readonly<Record<string, unknown>>) {
  if (kty === "RSA" && typeof n === "string" && typeof e === "string") return { kty, n, e };
  if (kty !== "EC" || typeof crv !== "string" || typeof x !== "string" || typeof y !== "string") return undefined;
  return { kty, crv, x, y };
}

/** RFC 7518, section 3.3. */
const rsaBitsMin = 2048;

function memberOf(value: unknown, name: string): unknown {
  return readMembers(value)[name];
}

function readMembers(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? { ...value } : {};
}

/** Whether tokens may be verified with what this address gives: over TLS, or from this machine. */
export function isIssuerUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, username, password } = new URL(text);
  if (username !== "" || password !== "") return false;
  if (protocol === "https:") return true;
  const isHere =
    hostname === "localhost" || hostname.endsWith(".localhost") || hostname.startsWith("127.") || hostname === "[::1]";
  return protocol === "http:" && isHere;
}

/** Several issuers of this platform as one. */
export function joinIssuers(all: readonly OwnIssuers[]): OwnIssuers {
  return {
    find: async (issuer) => {
      for (const each of all) {
        const found = await each.find(issuer);
        if (found !== undefined) return found;
      }
      return undefined;
    },
    isSame: (trusted, claimed) => all.some((each) => each.isSame(trusted, claimed)),
  };
}
