import type { Transaction } from "../../../kernel/store/store.ts";
import type { Cognito } from "../core.ts";
import type { Client, Session, User } from "../model.ts";
import { toCookie } from "./cookies.ts";
import { issueTokens } from "../tokens/issue.ts";
import { writeCode, type CodeGrant } from "./authorization-codes.ts";
import type { AuthorizeProblem, AuthorizeRequest } from "./authorize-request.ts";
import { redirect, withFragment, withParameters, type Answer, type DomainRequest } from "./exchange.ts";
import { sealSession, sessionCookie } from "./hosted-session.ts";
import { oauthLimits as limits } from "./limits.ts";

/** Somebody who has proved to be a user. */
export interface SignedIn {
  readonly user: User;
  /** Epoch milliseconds. */
  readonly authTime: number;
  readonly source?: CodeGrant["source"];
  readonly deviceKey?: string;
  readonly provider?: string;
  /** Uses up what was proved with. */
  readonly commit?: (tx: Transaction, session?: Session) => Promise<void>;
}

/** Send a signed-in user back to the application, with a code or with tokens; this browser stays signed in. */
export async function finishSignIn(
  cognito: Cognito,
  request: DomainRequest,
  asked: AuthorizeRequest,
  client: Client,
  signedIn: SignedIn,
): Promise<Answer> {
  const { pool, now } = request;
  const { user, authTime, source = "TokenGeneration_HostedAuth", deviceKey, provider, commit } = signedIn;
  const session = sealSession(cognito, {
    poolId: pool.id,
    userKey: user.key,
    sub: user.sub,
    authTime,
    ...(provider !== undefined && { provider }),
  });
  const seconds = Math.max(0, Math.floor((authTime + limits.sessionMs - now) / 1000));
  const cookies = [toCookie(request, sessionCookie, session, seconds)];
  const { redirectUri, scopes, state, nonce, codeChallenge } = asked;
  if (asked.responseType === "token") {
    const issued = await issueTokens(
      cognito,
      {
        pool,
        client,
        user,
        endpoint: request.endpoint,
        now,
        authTime,
        source,
        scopes,
        noRefresh: true,
        ...(nonce !== undefined && { nonce }),
      },
      async (tx) => commit?.(tx),
    );
    return redirect(
      withFragment(redirectUri, {
        id_token: issued.idToken,
        access_token: issued.accessToken,
        expires_in: String(issued.expiresIn),
        token_type: "Bearer",
        state,
      }),
      cookies,
    );
  }
  const code = cognito.ids.uuid();
  await cognito.store.transact(async (tx) => {
    await commit?.(tx);
    writeCode(tx, pool, code, {
      v: 1,
      clientId: client.id,
      userKey: user.key,
      sub: user.sub,
      redirectUri,
      scopes,
      authTime,
      expiresAt: now + limits.codeMs,
      source,
      ...(nonce !== undefined && { nonce }),
      ...(codeChallenge !== undefined && { codeChallenge }),
      ...(deviceKey !== undefined && { deviceKey }),
    });
  });
  return redirect(withParameters(redirectUri, { code, state }), cookies);
}

/** Tell who asked, where that may be told. */
export function answerProblem(request: DomainRequest, problem: AuthorizeProblem): Answer {
  if (problem.tell === "page") {
    const clientId = request.query.get("client_id") ?? undefined;
    return redirect(withParameters(`${request.base}/error`, { error: problem.error, client_id: clientId }));
  }
  const parameters = { error_description: problem.description, error: problem.error, state: problem.state };
  return redirect(
    problem.responseType === "token"
      ? withFragment(problem.redirectUri, parameters)
      : withParameters(problem.redirectUri, parameters),
  );
}
