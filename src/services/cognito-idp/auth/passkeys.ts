import type { AuthenticationResponseJSON, RegistrationResponseJSON } from "@simplewebauthn/server";
import type { Cognito } from "../core.ts";
import { incorrectPassword, webAuthn } from "../errors.ts";
import { inPool, type Passkey, type Pool, type User } from "../model.ts";
import { cognitoLimits as limits } from "../limits.ts";
import { sealChallenge } from "./challenge-session.ts";
import { passkeyIsTwoFactors } from "./factors.ts";
import type { AuthContext, AuthOutcome } from "./flow.ts";
import type { Progress } from "./progress.ts";

/** The name that passkeys are bound to: what the pool says, else the domain of its pages. @throws WebAuthnConfigurationMissingException */
export function relyingPartyOf(pool: Pool, endpoint: string): string {
  const configured = pool.mfa.webAuthn?.RelyingPartyId ?? pool.customDomain;
  if (configured !== undefined) return configured;
  // AWS: the prefix domain. Here the pages are at the platform's own address.
  if (pool.domain !== undefined) return new URL(endpoint).hostname;
  throw webAuthn(
    "ConfigurationMissing",
    "WebAuthn is not configured for the user pool: it has no relying party id and no domain",
  );
}

/** Where a passkey of a relying party may be used: at its name and below it, by TLS, or on this host. */
function isOriginOf(relyingPartyId: string, origin: string): boolean {
  const url = URL.canParse(origin) ? new URL(origin) : undefined;
  if (!url) return false;
  const { hostname } = url;
  const belongs = hostname === relyingPartyId || hostname.endsWith(`.${relyingPartyId}`);
  const isSafe = url.protocol === "https:" || hostname === "localhost" || hostname.endsWith(".localhost");
  return belongs && isSafe;
}

/** The origin that the authenticator's browser was at, as it says itself; verified with the rest. */
function originIn(clientDataJSON: unknown): string {
  if (typeof clientDataJSON !== "string") return "";
  try {
    const value: unknown = JSON.parse(Buffer.from(clientDataJSON, "base64url").toString("utf8"));
    return typeof value === "object" && value !== null && "origin" in value ? String(value.origin) : "";
  } catch {
    return "";
  }
}

export async function passkeysOf(
  { store }: Pick<Cognito, "store">,
  pool: Pool,
  user: User,
): Promise<readonly Passkey[]> {
  const prefix = inPool("passkey", pool.id, user.key);
  const entries = await store.read((reader) => reader.range<Passkey>({ prefix }, { limit: limits.passkeysMax }));
  return entries.map(({ value }) => value);
}

export async function passkeyChallenge(
  cognito: Cognito,
  context: AuthContext,
  user: User,
  progress: Progress,
): Promise<AuthOutcome> {
  const { pool } = context;
  const challenge = Buffer.from(cognito.ids.bytes(32)).toString("base64url");
  const rpId = relyingPartyOf(pool, context.endpoint);
  const options = {
    challenge,
    timeout: 180_000,
    rpId,
    allowCredentials: (await passkeysOf(cognito, pool, user)).map(({ id, transports }) => ({
      id,
      type: "public-key",
      transports,
    })),
    userVerification: userVerificationOf(pool, user),
  };
  return {
    kind: "challenge",
    name: "WEB_AUTHN",
    session: sealChallenge(cognito, context, "WEB_AUTHN", progress, { challenge, rpId }),
    parameters: { CREDENTIAL_REQUEST_OPTIONS: JSON.stringify(options) },
  };
}

function userVerificationOf(pool: Pool, user: User): "required" | "preferred" {
  return passkeyIsTwoFactors(pool, user) ? "required" : (pool.mfa.webAuthn?.UserVerification ?? "preferred");
}

/** Whose passkey has signed the challenge: the passkey, with its counter moved on. @throws NotAuthorizedException */
export async function verifyPasskey(
  cognito: Cognito,
  pool: Pool,
  user: User,
  secret: Readonly<Record<string, unknown>>,
  credentialText: string | undefined,
): Promise<Passkey> {
  const credential = parseCredential<AuthenticationResponseJSON>(credentialText);
  const passkey = (await passkeysOf(cognito, pool, user)).find(({ id }) => id === credential?.id);
  const rpId = String(secret["rpId"]);
  const origin = originIn(credential?.response?.clientDataJSON);
  if (!credential || !passkey || passkey.relyingPartyId !== rpId || !isOriginOf(rpId, origin))
    throw incorrectPassword();
  const { verifyAuthenticationResponse } = await import("@simplewebauthn/server");
  const outcome = await verifyAuthenticationResponse({
    response: credential,
    expectedChallenge: String(secret["challenge"]),
    expectedOrigin: origin,
    expectedRPID: rpId,
    credential: { id: passkey.id, publicKey: new Uint8Array(passkey.publicKey), counter: passkey.counter },
    requireUserVerification: userVerificationOf(pool, user) === "required",
  }).catch(() => undefined);
  if (!outcome?.verified) throw incorrectPassword();
  return { ...passkey, counter: outcome.authenticationInfo.newCounter };
}

interface Registration {
  readonly v: 1;
  readonly challenge: string;
  readonly rpId: string;
  readonly expiresAt: number;
}

const registrationKey = (pool: Pool, user: User) => inPool("pending", pool.id, user.key, "passkey");

/** Options for a browser to make a passkey with; the challenge in them is good for one registration, for three minutes. */
export async function startRegistration(cognito: Cognito, pool: Pool, user: User, endpoint: string, now: number) {
  const rpId = relyingPartyOf(pool, endpoint);
  const challenge = Buffer.from(cognito.ids.bytes(32)).toString("base64url");
  const registration: Registration = { v: 1, challenge, rpId, expiresAt: now + 180_000 };
  const known = await passkeysOf(cognito, pool, user);
  await cognito.store.transact(async (tx) => tx.set(registrationKey(pool, user), registration));
  return {
    rp: { id: rpId, name: rpId },
    user: {
      id: Buffer.from(user.sub).toString("base64url"),
      name: user.attributes["email"] ?? user.username,
      displayName: user.attributes["name"] ?? user.attributes["email"] ?? user.username,
    },
    challenge,
    pubKeyCredParams: [
      { type: "public-key", alg: -7 },
      { type: "public-key", alg: -257 },
    ],
    timeout: 180_000,
    excludeCredentials: known.map(({ id, transports }) => ({ id, type: "public-key", transports: [...transports] })),
    authenticatorSelection: {
      residentKey: "required",
      requireResidentKey: true,
      userVerification: userVerificationOf(pool, user),
    },
    attestation: "none",
  };
}

/** @throws WebAuthnChallengeNotFoundException and its siblings */
export async function completeRegistration(
  cognito: Cognito,
  pool: Pool,
  user: User,
  given: unknown,
  now: number,
  passkeysMax: number,
): Promise<void> {
  const key = registrationKey(pool, user);
  const registration = await cognito.store.transact(async (tx) => {
    const registration = await tx.get<Registration>(key);
    tx.delete(key);
    return registration;
  });
  if (!registration || registration.expiresAt <= now) {
    throw webAuthn("ChallengeNotFound", "The challenge is not found, or has expired.");
  }
  const credential = parseCredential<RegistrationResponseJSON>(
    typeof given === "string" ? given : JSON.stringify(given),
  );
  if (!credential) throw webAuthn("CredentialNotSupported", "The credential is not valid.");
  const origin = originIn(credential.response?.clientDataJSON);
  if (!isOriginOf(registration.rpId, origin)) {
    throw webAuthn("OriginNotAllowed", `The origin ${origin.slice(0, 100)} is not allowed.`);
  }
  const { verifyRegistrationResponse } = await import("@simplewebauthn/server");
  const outcome = await verifyRegistrationResponse({
    response: credential,
    expectedChallenge: registration.challenge,
    expectedOrigin: origin,
    expectedRPID: registration.rpId,
    requireUserVerification: userVerificationOf(pool, user) === "required",
    supportedAlgorithmIDs: [-7, -257],
  }).catch((error: unknown) => {
    cognito.log.debug("A passkey was refused", { poolId: pool.id, error: String(error) });
    throw String(error).includes("RP ID")
      ? webAuthn("RelyingPartyMismatch", "The relying party does not match.")
      : webAuthn("CredentialNotSupported", "The credential could not be verified.");
  });
  if (!outcome.verified) throw webAuthn("CredentialNotSupported", "The credential could not be verified.");
  const { credential: made } = outcome.registrationInfo;
  const passkey: Passkey = {
    v: 1,
    id: made.id,
    publicKey: made.publicKey,
    counter: made.counter,
    name: "Passkey",
    relyingPartyId: registration.rpId,
    transports: made.transports ?? [],
    ...(credential.authenticatorAttachment !== undefined && { attachment: credential.authenticatorAttachment }),
    createdAt: now,
  };
  await cognito.store.transact(async (tx) => {
    const prefix = inPool("passkey", pool.id, user.key);
    const others = await tx.range({ prefix }, { limit: passkeysMax });
    if (others.length >= passkeysMax) throw webAuthn("CredentialNotSupported", "The user has too many passkeys.");
    tx.set([...prefix, passkey.id], passkey);
  });
}

/** Its members are checked where they are verified. */
function parseCredential<T extends { readonly id: string }>(text: string | undefined): T | undefined {
  try {
    const value: unknown = JSON.parse(text ?? "");
    return isCredential<T>(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isCredential<T>(value: unknown): value is T {
  return (
    typeof value === "object" &&
    value !== null &&
    "id" in value &&
    typeof value.id === "string" &&
    "response" in value &&
    typeof value.response === "object" &&
    value.response !== null
  );
}
