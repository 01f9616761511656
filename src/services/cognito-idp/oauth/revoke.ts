import { AwsError } from "../../../aws/error.ts";
import type { Cognito } from "../core.ts";
import { revokeRefreshToken } from "../tokens/refresh.ts";
import { json, only, type Answer, type DomainRequest } from "./exchange.ts";
import { answerOAuth, authenticateClient, OAuthError } from "./token-endpoint.ts";

/** `POST /oauth2/revoke`. Source: "Revoke endpoint" in the developer guide; RFC 7009. */
export function answerRevoke(cognito: Cognito, request: DomainRequest): Promise<Answer> {
  return answerOAuth(async () => {
    const form = await request.form();
    const client = await authenticateClient(cognito, request, form, 401);
    const token = only(form, "token");
    if (token === undefined || client.settings.EnableTokenRevocation !== true) throw new OAuthError("invalid_request");
    try {
      await revokeRefreshToken(cognito, client, token);
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      if (error.code === "UnsupportedTokenTypeException") throw new OAuthError("unsupported_token_type");
      throw new OAuthError("invalid_request");
    }
    return { ...json(200, {}), body: "" };
  });
}
