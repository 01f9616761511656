import type { AuthFlowType } from "@aws-sdk/client-cognito-identity-provider";
import { checkSecretHash } from "../client-secrets.ts";
import type { Cognito } from "../core.ts";
import { incorrectPassword, invalidParameter, userNotFound } from "../errors.ts";
import type { User } from "../model.ts";
import { isPassword } from "../passwords/passwords.ts";
import { nameKey } from "../rules.ts";
import { attributesForTriggers } from "../tokens/claims.ts";
import { hidesUsers } from "../users/sign-up.ts";
import { findUser } from "../users/users.ts";
import { advance, assertHasPassword, type Commit } from "./advance.ts";
import { failedAttempt, guardAttempt } from "./attempts.ts";
import { offerFactors } from "./choice.ts";
import { assertFlow } from "./client-flows.ts";
import { nextCustomStep } from "./custom.ts";
import type { AuthContext, AuthOutcome, Parameters } from "./flow.ts";
import { migrateUser } from "./migration.ts";
import type { Progress } from "./progress.ts";
import { signInConfirmed } from "./sign-up-session.ts";
import { srpChallenge } from "./srp-challenge.ts";

const nothing = async () => {};

/**
 * Begin to sign in. Refreshing is not signing in, and not done here.
 *
 * @param session of ConfirmSignUp, for USER_AUTH: who has just signed up is signed in
 * @throws InvalidParameterException, NotAuthorizedException, UserNotFoundException …
 */
export async function startAuth(
  cognito: Cognito,
  context: AuthContext,
  flow: AuthFlowType,
  parameters: Parameters,
  session?: string,
): Promise<AuthOutcome> {
  const { pool, client, via } = context;
  const given = parameters["USERNAME"];
  if (given === undefined || given === "") throw invalidParameter("Missing required parameter USERNAME");
  if (via !== "hosted") {
    checkSecretHash(cognito.seal, client, given, parameters["SECRET_HASH"]);
    assertFlow(client, flow);
    const isAdmins = flow === "ADMIN_NO_SRP_AUTH" || flow === "ADMIN_USER_PASSWORD_AUTH";
    if (isAdmins && via !== "admin") throw invalidParameter("Initiate Auth method not supported.");
    if (flow === "USER_PASSWORD_AUTH" && via === "admin") throw invalidParameter("Initiate Auth method not supported.");
  }
  const byPassword = flow.endsWith("PASSWORD_AUTH") || flow === "ADMIN_NO_SRP_AUTH";
  const password = parameters["PASSWORD"];
  if (byPassword && password === undefined) throw invalidParameter("Missing required parameter PASSWORD");

  let user = await cognito.store.read((reader) => findUser(reader, pool, given));
  if (!user && byPassword) {
    const asked = { to: "Authentication", password: password ?? "", validationData: context.clientMetadata } as const;
    user = await migrateUser(cognito, { pool, client, username: given, now: context.now, asked });
  }
  // AWS: who has signed up with an external provider has no password here.
  if (user?.status === "EXTERNAL_PROVIDER" && flow !== "CUSTOM_AUTH") user = undefined;
  if (!user && !hidesUsers(client) && via !== "hosted") throw userNotFound();
  await askPreAuthentication(cognito, context, user, given);

  const name = nameKey(pool, given);
  const progress: Progress = {
    userKey: user?.key ?? name,
    ...(!user && { ghost: true }),
    source: via === "hosted" ? "TokenGeneration_HostedAuth" : "TokenGeneration_Authentication",
    ...(parameters["DEVICE_KEY"] !== undefined && { deviceKey: parameters["DEVICE_KEY"] }),
  };
  // AWS: what a client sends along when it begins is told to the first triggers only.
  const { clientMetadata: _told, ...later } = context;
  switch (flow) {
    case "USER_SRP_AUTH":
      await guardAttempt(cognito, pool, progress.userKey, "password", context.now);
      return srpChallenge(cognito, later, user, name, parameters["SRP_A"], progress);
    case "CUSTOM_AUTH": {
      const beginsWithSrp = parameters["CHALLENGE_NAME"] === "SRP_A";
      const custom = beginsWithSrp ? [{ challengeName: "SRP_A", challengeResult: true }] : [];
      const begun = { ...progress, custom };
      return nextCustomStep(cognito, later, user, name, begun, nothing, parameters["SRP_A"]);
    }
    case "USER_AUTH": {
      if (session !== undefined) return signInConfirmed(cognito, later, user, progress, session);
      const offered = await offerFactors(cognito, later, user, name, progress, parameters);
      return offered === "password" ? signInByPassword(cognito, later, user, progress, password ?? "") : offered;
    }
    case "USER_PASSWORD_AUTH":
    case "ADMIN_NO_SRP_AUTH":
    case "ADMIN_USER_PASSWORD_AUTH":
      return signInByPassword(cognito, later, user, progress, password ?? "");
    default:
      throw invalidParameter(`The auth flow ${flow} is not supported here.`);
  }
}

/** Check a password as such; failures are counted, for names that nobody has as well. */
export async function signInByPassword(
  cognito: Cognito,
  context: AuthContext,
  user: User | undefined,
  progress: Progress,
  password: string,
  commit: Commit = nothing,
): Promise<AuthOutcome> {
  const { pool, now } = context;
  await guardAttempt(cognito, pool, progress.userKey, "password", now);
  const isRight = await isPassword(cognito, pool, user, password);
  assertHasPassword(user);
  if (!isRight || !user) {
    await failedAttempt(cognito, pool, progress.userKey, "password", now);
    throw incorrectPassword();
  }
  return advance(cognito, context, user, { ...progress, byPassword: true }, commit);
}

async function askPreAuthentication(
  cognito: Cognito,
  context: AuthContext,
  user: User | undefined,
  name: string,
): Promise<void> {
  await cognito.triggers.call(context.pool, "PreAuthentication", {
    source: "PreAuthentication_Authentication",
    userName: user?.username ?? name,
    clientId: context.client.id,
    request: {
      userAttributes: user ? attributesForTriggers(user) : {},
      validationData: context.clientMetadata ?? null,
      ...(!user && { userNotFound: true }),
    },
    response: {},
  });
}
