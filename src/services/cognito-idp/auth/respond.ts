import type { ChallengeNameType } from "@aws-sdk/client-cognito-identity-provider";
import { checkSecretHash } from "../client-secrets.ts";
import type { Cognito } from "../core.ts";
import {
  expiredCode,
  incorrectPassword,
  invalidParameter,
  invalidSession,
  userNotFound,
  wrongMfaCode,
} from "../errors.ts";
import { inPool, type MfaKind, type User } from "../model.ts";
import { checkPassword, newPassword } from "../passwords/passwords.ts";
import { equalBytes } from "../passwords/srp.ts";
import { checkAttributes } from "../schema.ts";
import { findUser, readUser, writeUser } from "../users/users.ts";
import { advance, assertHasPassword, type Commit } from "./advance.ts";
import { failedAttempt, guardAttempt } from "./attempts.ts";
import { assertOpen, type Challenge, countWrongAnswer, openChallenge, useChallenge } from "./challenge-session.ts";
import { beginFactor } from "./choice.ts";
import { nextCustomStep, verifyCustomAnswer } from "./custom.ts";
import { answerDeviceProof, beginDeviceSrp } from "./device-challenges.ts";
import { mfaNeedOf } from "./factors.ts";
import type { AuthContext, AuthOutcome, Parameters } from "./flow.ts";
import { mfaChallenge } from "./mfa-challenges.ts";
import { verifyPasskey } from "./passkeys.ts";
import { isSrpProof } from "./srp-challenge.ts";
import { signInByPassword } from "./start.ts";
import { checkTotp } from "./totp.ts";

/**
 * Answer a challenge. Each session is good for one right answer, and a few wrong ones.
 *
 * @throws NotAuthorizedException, CodeMismatchException, ExpiredCodeException, InvalidPasswordException …
 */
export async function respondToChallenge(
  cognito: Cognito,
  context: AuthContext,
  name: ChallengeNameType,
  session: string | undefined,
  responses: Parameters,
): Promise<AuthOutcome> {
  const { client, via, pool } = context;
  const username = responses["USERNAME"];
  if (via !== "hosted") {
    if (username === undefined) throw invalidParameter("Missing required parameter USERNAME");
    checkSecretHash(cognito.seal, client, username, responses["SECRET_HASH"]);
  }
  const challenge = open(cognito, context, name, session, responses);
  await assertOpen(cognito, challenge);
  const { progress } = challenge;
  const user = progress.ghost
    ? undefined
    : await cognito.store.read((reader) => readUser(reader, pool, progress.userKey));
  if (!user && !progress.ghost) throw userNotFound();
  if (user && username !== undefined) {
    const named = await cognito.store.read((reader) => findUser(reader, pool, username));
    if (named?.key !== user.key) throw invalidSession();
  }
  const answer: Answer = {
    cognito,
    context,
    challenge,
    user,
    responses,
    commit: (tx) => useChallenge(tx, challenge),
  };
  switch (name) {
    case "PASSWORD_VERIFIER":
      return answerPasswordVerifier(answer);
    case "NEW_PASSWORD_REQUIRED":
      return answerNewPassword(answer);
    case "SMS_MFA":
      return answerCode(answer, "SMS_MFA_CODE");
    case "SMS_OTP":
      return answerCode(answer, "SMS_OTP_CODE");
    case "EMAIL_OTP":
      return answerCode(answer, "EMAIL_OTP_CODE");
    case "SOFTWARE_TOKEN_MFA":
      return answerTotp(answer);
    case "SELECT_MFA_TYPE":
      return answerMfaChoice(answer);
    case "MFA_SETUP":
      return answerMfaSetUp(answer);
    case "CUSTOM_CHALLENGE":
      return answerCustom(answer);
    case "SELECT_CHALLENGE":
    case "PASSWORD":
    case "PASSWORD_SRP":
      return answerChoice(answer, name);
    case "WEB_AUTHN":
      return answerPasskey(answer);
    case "DEVICE_SRP_AUTH":
      return beginDeviceSrp(cognito, context, existing(answer), challenge, responses);
    case "DEVICE_PASSWORD_VERIFIER":
      return answerDeviceProof(cognito, context, existing(answer), challenge, responses, answer.commit);
    default:
      throw invalidParameter(`Unsupported challenge: ${name}`);
  }
}

interface Answer {
  readonly cognito: Cognito;
  readonly context: AuthContext;
  readonly challenge: Challenge;
  /** Undefined for who does not exist, where that is not told. */
  readonly user: User | undefined;
  readonly responses: Parameters;
  readonly commit: Commit;
}

/** SRP's challenges are in the secret block, which the client signs; all others in the session. */
function open(
  cognito: Cognito,
  context: AuthContext,
  name: ChallengeNameType,
  session: string | undefined,
  responses: Parameters,
): Challenge {
  if (name === "PASSWORD_VERIFIER" || name === "DEVICE_PASSWORD_VERIFIER") {
    return openChallenge(cognito, context, responses["PASSWORD_CLAIM_SECRET_BLOCK"], [name], "base64");
  }
  return openChallenge(cognito, context, session, [name]);
}

function existing({ user }: Answer): User {
  if (!user) throw incorrectPassword();
  return user;
}

async function answerPasswordVerifier(answer: Answer): Promise<AuthOutcome> {
  const { cognito, context, challenge, user, responses, commit } = answer;
  const { pool, now } = context;
  const { progress } = challenge;
  await guardAttempt(cognito, pool, progress.userKey, "password", now);
  const isRight = await isSrpProof(challenge, responses);
  assertHasPassword(user);
  if (!isRight || !user) {
    await failedAttempt(cognito, pool, progress.userKey, "password", now);
    await countWrongAnswer(cognito, challenge);
    throw incorrectPassword();
  }
  const deviceKey = responses["DEVICE_KEY"] ?? progress.deviceKey;
  const proved = { ...progress, byPassword: true as const, ...(deviceKey !== undefined && { deviceKey }) };
  if (!progress.custom) return advance(cognito, context, user, proved, commit);
  const custom = [...progress.custom, { challengeName: "PASSWORD_VERIFIER", challengeResult: true }];
  return nextCustomStep(cognito, context, user, user.username, { ...proved, custom }, commit);
}

async function answerNewPassword(answer: Answer): Promise<AuthOutcome> {
  const { cognito, context, challenge, responses, commit } = answer;
  const { pool, client, now } = context;
  const before = existing(answer);
  const proposed = responses["NEW_PASSWORD"];
  if (proposed === undefined || proposed === "") throw invalidParameter("Missing required parameter NEW_PASSWORD");
  checkPassword(pool, proposed);
  const given: Record<string, string> = {};
  for (const [name, value] of Object.entries(responses)) {
    if (name.startsWith("userAttributes.")) given[name.slice("userAttributes.".length)] = value;
  }
  checkAttributes(pool, { ...before.attributes, ...given }, undefined, { by: "admin" });
  checkAttributes(pool, given, before.attributes, { by: "client", client });
  const password = await newPassword(cognito, pool, before, proposed, true);
  const { temporaryUntil: _over, ...kept } = before;
  const user: User = {
    ...kept,
    attributes: { ...before.attributes, ...given },
    password,
    status: "CONFIRMED",
    updatedAt: now,
  };
  const progress = {
    ...challenge.progress,
    source:
      context.via === "hosted"
        ? ("TokenGeneration_HostedAuth" as const)
        : ("TokenGeneration_NewPasswordChallenge" as const),
  };
  return advance(cognito, context, user, progress, async (tx) => {
    await commit(tx);
    const current = await readUser(tx, pool, user.key);
    if (!current) throw userNotFound();
    await writeUser(tx, pool, user, current);
  });
}

async function answerCode(answer: Answer, parameter: string): Promise<AuthOutcome> {
  const { cognito, context, challenge, responses, commit } = answer;
  const { user } = answer;
  const { code } = challenge.secret;
  const given = responses[parameter];
  if (given === undefined) throw invalidParameter(`Missing required parameter ${parameter}`);
  if (!user || !equalBytes(Buffer.from(String(code)), Buffer.from(given))) {
    await countWrongAnswer(cognito, challenge);
    throw wrongMfaCode();
  }
  const progress = { ...challenge.progress, mfaDone: true as const };
  // As a second factor it follows a password; as the first it is offered only where no second one is needed.
  return advance(cognito, context, user, progress, commit);
}

async function answerTotp(answer: Answer): Promise<AuthOutcome> {
  const { cognito, context, challenge, responses, commit } = answer;
  const { pool, now } = context;
  const user = existing(answer);
  const given = responses["SOFTWARE_TOKEN_MFA_CODE"];
  if (given === undefined) throw invalidParameter("Missing required parameter SOFTWARE_TOKEN_MFA_CODE");
  await guardAttempt(cognito, pool, user.key, "totp", now);
  const step = checkTotp(cognito.seal, user, given, now);
  if (step === undefined) {
    await countWrongAnswer(cognito, challenge);
    await failedAttempt(cognito, pool, user.key, "totp", now);
    // AWS: a code that was used is told apart.
    const wasUsed = user.totp && checkTotp(cognito.seal, { ...user, totp: { ...user.totp, lastStep: 0 } }, given, now);
    if (wasUsed !== undefined) throw usedCode();
    throw wrongMfaCode();
  }
  const progress = { ...challenge.progress, mfaDone: true as const };
  return advance(cognito, context, user, progress, async (tx) => {
    await commit(tx);
    const current = await readUser(tx, pool, user.key);
    // Of two sign-ins with the same code at once, one gets through.
    if (!current?.totp || current.totp.lastStep >= step) throw usedCode();
    await writeUser(tx, pool, { ...current, totp: { ...current.totp, lastStep: step } }, current);
    tx.delete(inPool("failures", pool.id, user.key, "totp"));
  });
}

function usedCode(): Error {
  const error = expiredCode();
  error.message = "Your software token has already been used once.";
  return error;
}

async function answerMfaChoice(answer: Answer): Promise<AuthOutcome> {
  const { cognito, context, challenge, responses, commit } = answer;
  const user = existing(answer);
  const chosen = mfaNeedOf(context.pool, user).choices.find((kind: MfaKind) => kind === responses["ANSWER"]);
  if (chosen === undefined) throw invalidParameter("ANSWER must be one of the MFA types that can be chosen.");
  const outcome = await mfaChallenge(cognito, context, user, challenge.progress, chosen);
  await cognito.store.transact(commit);
  return outcome;
}

/** Sent once VerifySoftwareToken has set a factor up in this sign-in, or with an address for codes. */
async function answerMfaSetUp(answer: Answer): Promise<AuthOutcome> {
  const { cognito, context, challenge, responses, commit } = answer;
  const { pool, now } = context;
  const user = existing(answer);
  if (challenge.progress.mfaSetUp) {
    return advance(cognito, context, user, { ...challenge.progress, mfaDone: true }, commit);
  }
  const email = responses["EMAIL"];
  const canSetUp = mfaNeedOf(pool, user).setUp ?? [];
  if (email === undefined || !canSetUp.includes("EMAIL_OTP")) {
    throw invalidParameter("Set up a software token with AssociateSoftwareToken and VerifySoftwareToken first.");
  }
  checkAttributes(pool, { email }, user.attributes, { by: "client", client: context.client });
  const next: User = {
    ...user,
    attributes: { ...user.attributes, email, email_verified: "false" },
    updatedAt: now,
  };
  const outcome = await mfaChallenge(cognito, context, next, challenge.progress, "EMAIL_OTP");
  await cognito.store.transact(async (tx) => {
    await commit(tx);
    const current = await readUser(tx, pool, user.key);
    if (!current) throw userNotFound();
    await writeUser(tx, pool, { ...next, mfa: [...new Set([...current.mfa, "EMAIL_OTP" as const])] }, current);
  });
  return outcome;
}

async function answerCustom(answer: Answer): Promise<AuthOutcome> {
  const { cognito, context, challenge, user, responses, commit } = answer;
  const { progress, secret } = challenge;
  if (responses["ANSWER"] === undefined) throw invalidParameter("Missing required parameter ANSWER");
  const step = await verifyCustomAnswer(cognito, context, user, secret, responses, progress.ghost === true);
  const custom = [...(progress.custom ?? []), step];
  return nextCustomStep(cognito, context, user, String(secret["username"]), { ...progress, custom }, commit);
}

async function answerChoice(
  answer: Answer,
  name: "SELECT_CHALLENGE" | "PASSWORD" | "PASSWORD_SRP",
): Promise<AuthOutcome> {
  const { cognito, context, challenge, user, responses, commit } = answer;
  const { progress, secret } = challenge;
  const factor = name === "SELECT_CHALLENGE" ? responses["ANSWER"] : name;
  if (factor === undefined) throw invalidParameter("Missing required parameter ANSWER");
  if (name !== "SELECT_CHALLENGE" && responses[name === "PASSWORD" ? "PASSWORD" : "SRP_A"] === undefined) {
    throw invalidParameter(`Missing required parameter ${name === "PASSWORD" ? "PASSWORD" : "SRP_A"}`);
  }
  const begun = await beginFactor(cognito, context, user, String(secret["name"]), progress, factor, responses);
  if (begun === "password") {
    return signInByPassword(cognito, context, user, progress, responses["PASSWORD"] ?? "", commit);
  }
  await cognito.store.transact(commit);
  return begun;
}

async function answerPasskey(answer: Answer): Promise<AuthOutcome> {
  const { cognito, context, challenge, responses, commit } = answer;
  const { pool } = context;
  const user = existing(answer);
  const passkey = await verifyPasskey(cognito, pool, user, challenge.secret, responses["CREDENTIAL"]);
  // It is offered where it is enough: with user verification it is two factors, and else none is needed.
  const progress = { ...challenge.progress, mfaDone: true as const };
  return advance(cognito, context, user, progress, async (tx) => {
    await commit(tx);
    tx.set(inPool("passkey", pool.id, user.key, passkey.id), passkey);
  });
}
