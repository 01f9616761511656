import type { Cognito } from "../core.ts";
import { incorrectPassword, invalidParameter } from "../errors.ts";
import type { User } from "../model.ts";
import { srpIdentity, verifierOf } from "../passwords/passwords.ts";
import { claimSignature, equalBytes, isPublicValue, publicValue, sharedKey, toInteger } from "../passwords/srp.ts";
import { type Challenge, sealChallenge } from "./challenge-session.ts";
import type { AuthContext, AuthOutcome, Parameters } from "./flow.ts";
import { ghostOf } from "./ghosts.ts";
import type { Progress } from "./progress.ts";

/** Begin SRP: what the server knows of it goes, sealed, into the secret block that comes back. */
export async function srpChallenge(
  cognito: Cognito,
  context: AuthContext,
  user: User | undefined,
  name: string,
  srpA: string | undefined,
  progress: Progress,
): Promise<AuthOutcome> {
  if (srpA === undefined) throw invalidParameter("Missing required parameter SRP_A");
  if (!isPublicValue(srpA)) throw invalidParameter("SRP_A is not a valid value.");
  const { pool } = context;
  const ghost = await ghostOf(cognito, pool, name, context.now);
  const { salt, verifier } = verifierOf(cognito, user) ?? ghost;
  const username = user?.username ?? ghost.username;
  const serverSecret = cognito.ids.bytes(32);
  const serverPublic = await publicValue(verifier, serverSecret);
  const secret = {
    clientPublic: srpA,
    serverPublic: serverPublic.toString(16),
    serverSecret: Buffer.from(serverSecret).toString("hex"),
    verifier: Buffer.from(verifier).toString("hex"),
    identity: srpIdentity(pool, username),
    none: user?.password === undefined,
  };
  const block = sealChallenge(cognito, context, "PASSWORD_VERIFIER", progress, secret, "base64");
  return {
    kind: "challenge",
    name: "PASSWORD_VERIFIER",
    session: undefined,
    parameters: {
      SALT: toInteger(salt).toString(16),
      SECRET_BLOCK: block,
      SRP_B: serverPublic.toString(16),
      USERNAME: username,
      USER_ID_FOR_SRP: username,
    },
  };
}

/** Whether a client has shown that it knows the password (of a user, or a device). */
export async function isSrpProof(challenge: Challenge, responses: Parameters): Promise<boolean> {
  const { clientPublic, serverPublic, serverSecret, verifier, identity, none } = challenge.secret;
  const { PASSWORD_CLAIM_SIGNATURE: signature, PASSWORD_CLAIM_SECRET_BLOCK: block, TIMESTAMP: time } = responses;
  if (signature === undefined || block === undefined || time === undefined) {
    throw invalidParameter(
      "Missing required parameter: PASSWORD_CLAIM_SIGNATURE, PASSWORD_CLAIM_SECRET_BLOCK and TIMESTAMP are required",
    );
  }
  const key = await sharedKey({
    clientPublic: String(clientPublic),
    serverPublic: BigInt(`0x${String(serverPublic)}`),
    serverSecret: Buffer.from(String(serverSecret), "hex"),
    verifier: Buffer.from(String(verifier), "hex"),
  });
  if (!key) throw incorrectPassword();
  const wanted = claimSignature(key, String(identity), Buffer.from(block, "base64"), time);
  return equalBytes(wanted, Buffer.from(signature, "base64")) && none !== true;
}
