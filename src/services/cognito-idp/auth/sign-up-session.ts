import type { Transaction } from "../../../kernel/store/store.ts";
import type { Cognito } from "../core.ts";
import { invalidSession } from "../errors.ts";
import type { User } from "../model.ts";
import { advance } from "./advance.ts";
import { assertOpen, type Challenge, openChallenge, sealChallenge, useChallenge } from "./challenge-session.ts";
import { allowsFlow } from "./client-flows.ts";
import type { AuthContext, AuthOutcome } from "./flow.ts";
import type { Progress } from "./progress.ts";

/**
 * From signing up straight to being signed in, for clients with USER_AUTH: SignUp gives a session to ConfirmSignUp, and that one to
 * InitiateAuth, which takes the code that was confirmed for the first factor. Source: API reference, ConfirmSignUp and InitiateAuth.
 */
export function sessionOfSignUp(cognito: Cognito, context: AuthContext, user: User): string | undefined {
  return allowsFlow(context.client, "USER_AUTH") ? seal(cognito, context, "SIGN_UP", user.key) : undefined;
}

/** The sign-up that a session given to ConfirmSignUp is of; undefined when it is over, which does not hinder the confirmation. */
export async function openSignUp(
  cognito: Cognito,
  context: AuthContext,
  session: string,
): Promise<Challenge | undefined> {
  const challenge = openChallenge(cognito, { ...context, now: 0 }, session, ["SIGN_UP"]);
  if (challenge.expiresAt <= context.now) return undefined;
  await assertOpen(cognito, challenge);
  return challenge;
}

/** What ConfirmSignUp answers with. Each sign-up is signed in once. */
export function sessionOfConfirmation(
  cognito: Cognito,
  context: AuthContext,
  challenge: Challenge,
): { readonly session: string; readonly commit: (tx: Transaction) => Promise<void> } {
  return {
    session: seal(cognito, context, "CONFIRMED_SIGN_UP", challenge.progress.userKey),
    commit: (tx) => useChallenge(tx, challenge),
  };
}

/** Sign in who has just confirmed a sign-up. A second factor, where one is needed, is still asked for. */
export async function signInConfirmed(
  cognito: Cognito,
  context: AuthContext,
  user: User | undefined,
  progress: Progress,
  session: string,
): Promise<AuthOutcome> {
  const challenge = openChallenge(cognito, { ...context, via: "api" }, session, ["CONFIRMED_SIGN_UP"]);
  await assertOpen(cognito, challenge);
  if (!user || challenge.progress.userKey !== user.key) throw invalidSession();
  return advance(cognito, context, user, progress, (tx) => useChallenge(tx, challenge));
}

function seal(cognito: Cognito, context: AuthContext, name: "SIGN_UP" | "CONFIRMED_SIGN_UP", userKey: string): string {
  return sealChallenge(cognito, context, name, { userKey, source: "TokenGeneration_Authentication" }, {});
}
