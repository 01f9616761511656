import type { Cognito } from "../core.ts";
import { incorrectPassword, invalidLambdaResponse, notAuthorized } from "../errors.ts";
import { cognitoLimits as limits } from "../limits.ts";
import type { User } from "../model.ts";
import { attributesForTriggers } from "../tokens/claims.ts";
import { isObject } from "../triggers/triggers.ts";
import { advance, type Commit } from "./advance.ts";
import { sealChallenge } from "./challenge-session.ts";
import type { AuthContext, AuthOutcome, Parameters } from "./flow.ts";
import type { CustomStep, Progress } from "./progress.ts";
import { srpChallenge } from "./srp-challenge.ts";

/**
 * Ask the pool's function what comes next in a custom flow: a challenge of its own, a password by SRP, tokens, or refusal.
 *
 * Source: developer guide, "Custom authentication challenge Lambda triggers".
 */
export async function nextCustomStep(
  cognito: Cognito,
  context: AuthContext,
  user: User | undefined,
  name: string,
  progress: Progress,
  commit: Commit,
  srpA?: string,
): Promise<AuthOutcome> {
  const { triggers } = cognito;
  const { pool, client } = context;
  const steps = progress.custom ?? [];
  if (steps.length > limits.customRoundsMax) throw notAuthorized("Too many challenges were answered.");
  const facts = {
    userAttributes: user ? attributesForTriggers(user) : {},
    session: steps,
    ...(context.clientMetadata && { clientMetadata: context.clientMetadata }),
    ...(progress.ghost && { userNotFound: true }),
  };
  const defined = await triggers.call(pool, "DefineAuthChallenge", {
    source: "DefineAuthChallenge_Authentication",
    userName: user?.username ?? name,
    clientId: client.id,
    request: facts,
    response: { challengeName: null, issueTokens: null, failAuthentication: null },
  });
  if (!defined) throw invalidLambdaResponse("DefineAuthChallenge is not configured for the user pool.");
  const { challengeName, issueTokens, failAuthentication } = defined;
  if (failAuthentication === true) throw incorrectPassword();
  if (issueTokens === true) {
    if (!user) throw incorrectPassword();
    // AWS: a custom flow decides by itself; a second factor is what its challenges ask for.
    return advance(cognito, context, user, { ...progress, mfaDone: true }, commit);
  }
  if (challengeName === "PASSWORD_VERIFIER") {
    const outcome = await srpChallenge(cognito, context, user, name, srpA, progress);
    await cognito.store.transact(commit);
    return outcome;
  }
  if (challengeName !== "CUSTOM_CHALLENGE") throw invalidLambdaResponse("Unrecognizable lambda output");

  const created = await triggers.call(pool, "CreateAuthChallenge", {
    source: "CreateAuthChallenge_Authentication",
    userName: user?.username ?? name,
    clientId: client.id,
    request: { ...facts, challengeName },
    response: { publicChallengeParameters: null, privateChallengeParameters: null, challengeMetadata: null },
  });
  if (!created) throw invalidLambdaResponse("CreateAuthChallenge is not configured for the user pool.");
  const publicParameters = toTexts(created["publicChallengeParameters"]);
  const privateParameters = toTexts(created["privateChallengeParameters"]);
  const { challengeMetadata: metadata } = created;
  const secret = {
    privateParameters,
    ...(typeof metadata === "string" && { metadata }),
    username: user?.username ?? name,
  };
  await cognito.store.transact(commit);
  return {
    kind: "challenge",
    name: "CUSTOM_CHALLENGE",
    session: sealChallenge(cognito, context, "CUSTOM_CHALLENGE", progress, secret),
    parameters: { USERNAME: user?.username ?? name, ...publicParameters },
  };
}

/** What the function says of an answer. */
export async function verifyCustomAnswer(
  cognito: Cognito,
  context: AuthContext,
  user: User | undefined,
  secret: Readonly<Record<string, unknown>>,
  responses: Parameters,
  ghost: boolean,
): Promise<CustomStep> {
  const verified = await cognito.triggers.call(context.pool, "VerifyAuthChallengeResponse", {
    source: "VerifyAuthChallengeResponse_Authentication",
    userName: user?.username ?? String(secret["username"]),
    clientId: context.client.id,
    request: {
      userAttributes: user ? attributesForTriggers(user) : {},
      privateChallengeParameters: secret["privateParameters"] ?? {},
      challengeAnswer: responses["ANSWER"] ?? null,
      ...(context.clientMetadata && { clientMetadata: context.clientMetadata }),
      ...(ghost && { userNotFound: true }),
    },
    response: { answerCorrect: false },
  });
  if (!verified) throw invalidLambdaResponse("VerifyAuthChallengeResponse is not configured for the user pool.");
  const { metadata } = secret;
  return {
    challengeName: "CUSTOM_CHALLENGE",
    challengeResult: verified["answerCorrect"] === true && !ghost,
    ...(typeof metadata === "string" && { challengeMetadata: metadata }),
  };
}

function toTexts(value: unknown): Record<string, string> {
  if (value === undefined || value === null) return {};
  if (!isObject(value)) throw invalidLambdaResponse("Unrecognizable lambda output");
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, String(each)]));
}
