import type { Cognito } from "../core.ts";
import { readAsked } from "./asked.ts";
import { redirect, type Answer, type DomainRequest } from "./exchange.ts";
import { answerProblem, finishSignIn } from "./finish.ts";
import { findSignedIn } from "./hosted-session.ts";
import type { Federation } from "../federation/federation.ts";

/** `GET /oauth2/authorize`. Source: "Authorization endpoint" in the developer guide. */
export async function answerAuthorize(
  cognito: Cognito,
  federation: Federation,
  request: DomainRequest,
): Promise<Answer> {
  const read = await readAsked(cognito, request);
  if ("status" in read) return read;
  const { client, asked } = read;
  const provider = await federation.choose(request, client, asked);
  if (provider !== undefined) return federation.begin(request, client, asked, provider);
  const signedIn = await findSignedIn(cognito, request);
  const isAsked = asked.prompt.includes("login") || asked.prompt.includes("select_account");
  if (signedIn !== undefined && !isAsked) {
    const { user, session } = signedIn;
    return finishSignIn(cognito, request, asked, client, {
      user,
      authTime: session.authTime,
      ...(session.provider !== undefined && { provider: session.provider }),
    });
  }
  if (asked.prompt.includes("none")) {
    return answerProblem(request, { tell: "client", ...asked, error: "login_required" });
  }
  return redirect(`${request.base}/login?${request.query.toString()}`);
}
