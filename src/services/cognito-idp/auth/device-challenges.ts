import type { Cognito } from "../core.ts";
import { incorrectPassword, invalidParameter, invalidSession } from "../errors.ts";
import type { User } from "../model.ts";
import { isPublicValue, publicValue, toInteger } from "../passwords/srp.ts";
import { advance, type Commit } from "./advance.ts";
import { type Challenge, countWrongAnswer, sealChallenge, useChallenge } from "./challenge-session.ts";
import { readDevice } from "./devices.ts";
import type { AuthContext, AuthOutcome, Parameters } from "./flow.ts";
import { isSrpProof } from "./srp-challenge.ts";
import { openText } from "./totp.ts";

/** A remembered device proves itself as users do, with a password that it has made and kept. */
export async function beginDeviceSrp(
  cognito: Cognito,
  context: AuthContext,
  user: User,
  challenge: Challenge,
  responses: Parameters,
): Promise<AuthOutcome> {
  const { pool } = context;
  const { SRP_A: srpA, DEVICE_KEY: deviceKey } = responses;
  if (srpA === undefined || deviceKey === undefined) {
    throw invalidParameter("Missing required parameter: SRP_A and DEVICE_KEY are required");
  }
  if (!isPublicValue(srpA)) throw invalidParameter("SRP_A is not a valid value.");
  const device = await cognito.store.read((reader) => readDevice(reader, pool, user, deviceKey));
  const saved = device?.verifier && parseVerifier(openText(cognito.seal, device.verifier));
  if (!device || !saved || deviceKey !== challenge.progress.deviceKey) throw invalidSession();
  const serverSecret = cognito.ids.bytes(32);
  const verifier = Buffer.from(saved.verifier, "base64");
  const serverPublic = await publicValue(verifier, serverSecret);
  const block = sealChallenge(
    cognito,
    context,
    "DEVICE_PASSWORD_VERIFIER",
    challenge.progress,
    {
      clientPublic: srpA,
      serverPublic: serverPublic.toString(16),
      serverSecret: Buffer.from(serverSecret).toString("hex"),
      verifier: verifier.toString("hex"),
      identity: `${device.groupKey}${device.key}`,
      none: false,
    },
    "base64",
  );
  await cognito.store.transact((tx) => useChallenge(tx, challenge));
  return {
    kind: "challenge",
    name: "DEVICE_PASSWORD_VERIFIER",
    session: undefined,
    parameters: {
      SALT: toInteger(Buffer.from(saved.salt, "base64")).toString(16),
      SECRET_BLOCK: block,
      SRP_B: serverPublic.toString(16),
      USERNAME: user.username,
      DEVICE_KEY: device.key,
    },
  };
}

export async function answerDeviceProof(
  cognito: Cognito,
  context: AuthContext,
  user: User,
  challenge: Challenge,
  responses: Parameters,
  commit: Commit,
): Promise<AuthOutcome> {
  if (!(await isSrpProof(challenge, responses))) {
    await countWrongAnswer(cognito, challenge);
    throw incorrectPassword();
  }
  const { progress } = challenge;
  const source = context.via === "hosted" ? progress.source : ("TokenGeneration_AuthenticateDevice" as const);
  return advance(cognito, context, user, { ...progress, source, deviceDone: true }, commit);
}

function parseVerifier(text: string | undefined): { readonly salt: string; readonly verifier: string } | undefined {
  if (text === undefined) return undefined;
  const [salt, verifier] = text.split(" ");
  return salt !== undefined && verifier !== undefined ? { salt, verifier } : undefined;
}
