import { AwsError } from "../../../aws/error.ts";
import type { Cognito } from "../core.ts";
import type { Client, User } from "../model.ts";
import { isOfScopes, mayRead } from "../tokens/claims.ts";
import { callerOf } from "../tokens/verify.ts";
import { json, type Answer, type DomainRequest } from "./exchange.ts";

/** `GET` and `POST /oauth2/userInfo`. Source: "UserInfo endpoint" in the developer guide. */
export async function answerUserInfo(cognito: Cognito, request: DomainRequest): Promise<Answer> {
  const token = /^Bearer +([\w.~+/-]+=*) *$/i.exec(request.headers["authorization"] ?? "")?.[1];
  if (token === undefined) return refuse(400, "invalid_request", "Bad OAuth2 request at UserInfo Endpoint");
  try {
    const { pool, client, user, scopes } = await callerOf(cognito, token, request.now, "openid");
    if (pool.id !== request.pool.id) return refuseToken();
    return json(200, {
      sub: user.sub,
      ...attributesOf(client, user, scopes),
      username: user.username,
    });
  } catch (error) {
    if (error instanceof AwsError) return refuseToken();
    throw error;
  }
}

/** AWS: all as texts, `email_verified` too. */
function attributesOf(client: Client, user: User, scopes: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    Object.entries(user.attributes).filter(
      ([name]) => !name.startsWith("dev:") && mayRead(client, name) && isOfScopes(name, scopes),
    ),
  );
}

function refuseToken(): Answer {
  return refuse(
    401,
    "invalid_token",
    "Access token is expired, disabled, or deleted, or the user has globally signed out.",
  );
}

function refuse(status: number, error: string, description: string): Answer {
  return json(
    status,
    { error, error_description: description },
    { "www-authenticate": `Bearer error="${error}", error_description="${description}"` },
  );
}
