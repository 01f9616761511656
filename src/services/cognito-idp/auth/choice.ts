import type { ChallengeNameType } from "@aws-sdk/client-cognito-identity-provider";
import type { Cognito } from "../core.ts";
import { incorrectPassword, invalidParameter } from "../errors.ts";
import type { Pool, User } from "../model.ts";
import { sealChallenge } from "./challenge-session.ts";
import { mfaNeedOf, passkeyIsTwoFactors } from "./factors.ts";
import type { AuthContext, AuthOutcome, Parameters } from "./flow.ts";
import { codeChallenge, ghostCodeChallenge } from "./mfa-challenges.ts";
import { passkeyChallenge, passkeysOf } from "./passkeys.ts";
import type { Progress } from "./progress.ts";
import { srpChallenge } from "./srp-challenge.ts";

/**
 * First factors that a user may choose from: what the pool allows and the user has. Source: developer guide, "Authentication flows",
 * "Choice-based sign-in".
 */
export async function firstFactorsOf(
  { store }: Pick<Cognito, "store">,
  pool: Pool,
  user: User | undefined,
): Promise<readonly ChallengeNameType[]> {
  const allowed: readonly string[] = pool.settings.Policies?.SignInPolicy?.AllowedFirstAuthFactors ?? ["PASSWORD"];
  if (!user) return ghostFactors(allowed);
  const factors: ChallengeNameType[] = [];
  if (user.password) factors.push("PASSWORD", "PASSWORD_SRP");
  const mfa = mfaNeedOf(pool, user);
  const needsMfa = mfa.choices.length > 0 || mfa.setUp !== undefined;
  const isVerified = (kind: string) => user.attributes[kind] && user.attributes[`${kind}_verified`] === "true";
  // AWS: one-time codes are one factor, and no second one can follow them.
  if (!needsMfa && allowed.includes("EMAIL_OTP") && isVerified("email")) factors.push("EMAIL_OTP");
  if (!needsMfa && allowed.includes("SMS_OTP") && isVerified("phone_number")) factors.push("SMS_OTP");
  if (
    allowed.includes("WEB_AUTHN") &&
    (!needsMfa || passkeyIsTwoFactors(pool, user)) &&
    (await passkeysOf({ store }, pool, user)).length > 0
  ) {
    factors.push("WEB_AUTHN");
  }
  return factors;
}

/** Of nobody: what users have who have not set up anything more. */
function ghostFactors(allowed: readonly string[]): readonly ChallengeNameType[] {
  const codes = (["EMAIL_OTP", "SMS_OTP"] as const).filter((factor) => allowed.includes(factor));
  return ["PASSWORD", "PASSWORD_SRP", ...codes.slice(0, 1)];
}

/** Let the user choose a factor, or begin with the one that the client prefers. */
export async function offerFactors(
  cognito: Cognito,
  context: AuthContext,
  user: User | undefined,
  name: string,
  progress: Progress,
  parameters: Parameters,
): Promise<AuthOutcome | "password"> {
  const available = await firstFactorsOf(cognito, context.pool, user);
  const preferred = available.find((factor) => factor === parameters["PREFERRED_CHALLENGE"]);
  if (preferred !== undefined) return beginFactor(cognito, context, user, name, progress, preferred, parameters);
  if (available.length === 0) throw incorrectPassword();
  return {
    kind: "challenge",
    name: "SELECT_CHALLENGE",
    session: sealChallenge(cognito, context, "SELECT_CHALLENGE", progress, { name }),
    parameters: {},
    available,
  };
}

/** Begin with a factor. `password`: the client has given it along, and it is to be checked. */
export async function beginFactor(
  cognito: Cognito,
  context: AuthContext,
  user: User | undefined,
  name: string,
  progress: Progress,
  factor: string,
  parameters: Parameters,
): Promise<AuthOutcome | "password"> {
  if (!(await firstFactorsOf(cognito, context.pool, user)).some((each) => each === factor)) {
    throw invalidParameter(`Selected challenge is not available: ${factor}`);
  }
  switch (factor) {
    case "PASSWORD":
      if (parameters["PASSWORD"] !== undefined) return "password";
      return {
        kind: "challenge",
        name: "PASSWORD",
        session: sealChallenge(cognito, context, "PASSWORD", progress, { name }),
        parameters: {},
      };
    case "PASSWORD_SRP":
      if (parameters["SRP_A"] !== undefined) {
        return srpChallenge(cognito, context, user, name, parameters["SRP_A"], progress);
      }
      return {
        kind: "challenge",
        name: "PASSWORD_SRP",
        session: sealChallenge(cognito, context, "PASSWORD_SRP", progress, { name }),
        parameters: {},
      };
    case "EMAIL_OTP":
    case "SMS_OTP":
      if (!user) return ghostCodeChallenge(cognito, context, name, progress, factor);
      return codeChallenge(cognito, context, user, progress, factor, "first");
    case "WEB_AUTHN":
      if (!user) throw incorrectPassword();
      return passkeyChallenge(cognito, context, user, progress);
    default:
      throw invalidParameter(`Selected challenge is not available: ${factor}`);
  }
}
