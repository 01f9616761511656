import { AwsError } from "../../../aws/error.ts";
import type { Cognito } from "../core.ts";
import { readClient, type Client, type Session } from "../model.ts";
import { issueTokens, type IssuedTokens } from "../tokens/issue.ts";
import { issuerOf } from "../tokens/issuer.ts";
import { signJwt } from "../tokens/jwt.ts";
import { askPreTokenGeneration } from "../tokens/pre-token-generation.ts";
import { endSession, refreshTokens } from "../tokens/refresh.ts";
import { lifetimesOf } from "../tokens/validity.ts";
import { readUser } from "../users/users.ts";
import { isVerifier, readCode, writeCode } from "./authorization-codes.ts";
import { isAuthentic, readClientClaim } from "./client-authentication.ts";
import { BadForm, hasRepeated, json, only, type Answer, type DomainRequest } from "./exchange.ts";

/** An error of RFC 6749, section 5.2. */
export class OAuthError extends Error {
  readonly error: string;
  readonly status: number;

  constructor(error: string, status = 400) {
    super(error);
    this.error = error;
    this.status = status;
  }
}

/** `POST /oauth2/token`. Source: "Token endpoint" in the developer guide. */
export async function answerToken(cognito: Cognito, request: DomainRequest): Promise<Answer> {
  return answerOAuth(async () => {
    const form = await request.form();
    if (hasRepeated(form)) throw new OAuthError("invalid_request");
    const client = await authenticateClient(cognito, request, form);
    switch (only(form, "grant_type")) {
      case "authorization_code":
        return toJson(await exchangeCode(cognito, request, client, form));
      case "refresh_token":
        return toJson(await refresh(cognito, request, client, form));
      case "client_credentials":
        return json(200, await issueToClient(cognito, request, client, only(form, "scope")));
      case undefined:
        throw new OAuthError("invalid_request");
      default:
        throw new OAuthError("unsupported_grant_type");
    }
  });
}

/** Errors as clients of OAuth know them. */
export async function answerOAuth(body: () => Promise<Answer>): Promise<Answer> {
  try {
    return await body();
  } catch (error) {
    if (error instanceof OAuthError) return json(error.status, { error: error.error });
    if (error instanceof BadForm) return json(400, { error: "invalid_request" });
    // What a trigger or the pool's rules refuse; anything else is a bug.
    if (error instanceof AwsError && error.status < 500) {
      return json(400, { error: "invalid_grant", error_description: error.message });
    }
    throw error;
  }
}

/** @throws OAuthError `invalid_client` */
export async function authenticateClient(
  cognito: Cognito,
  request: DomainRequest,
  form: URLSearchParams,
  status = 400,
): Promise<Client> {
  const claim = readClientClaim(request.headers["authorization"], form);
  if (claim === undefined) throw new OAuthError("invalid_client", status);
  const client = await cognito.store.read((reader) => readClient(reader, claim.clientId));
  if (client?.poolId !== request.pool.id || !isAuthentic(cognito.seal, client, claim)) {
    throw new OAuthError("invalid_client", status);
  }
  return client;
}

function checkFlow(client: Client, flow: "code" | "client_credentials"): void {
  const { AllowedOAuthFlowsUserPoolClient: enabled, AllowedOAuthFlows: flows = [] } = client.settings;
  if (enabled !== true || !flows.includes(flow)) throw new OAuthError("unauthorized_client");
}

/** A code came again, for which there are tokens already. */
class ReusedCode extends Error {
  readonly userKey: string;
  readonly sessionId: string;

  constructor(userKey: string, sessionId: string) {
    super("An authorization code came again");
    this.userKey = userKey;
    this.sessionId = sessionId;
  }
}

async function exchangeCode(
  cognito: Cognito,
  request: DomainRequest,
  client: Client,
  form: URLSearchParams,
): Promise<IssuedTokens> {
  checkFlow(client, "code");
  const { store } = cognito;
  const { pool, now } = request;
  const code = only(form, "code");
  if (code === undefined) throw new OAuthError("invalid_request");
  try {
    const grant = await store.read((reader) => readCode(reader, pool, code));
    if (grant === undefined || grant.clientId !== client.id) throw new OAuthError("invalid_grant");
    if (grant.usedFor !== undefined) throw new ReusedCode(grant.userKey, grant.usedFor);
    if (grant.expiresAt <= now || only(form, "redirect_uri") !== grant.redirectUri) {
      throw new OAuthError("invalid_grant");
    }
    if (!isVerifier(grant.codeChallenge, only(form, "code_verifier"))) throw new OAuthError("invalid_grant");
    const user = await store.read((reader) => readUser(reader, pool, grant.userKey));
    if (user?.sub !== grant.sub || !user.enabled || (user.signedOutAt ?? 0) >= grant.authTime) {
      throw new OAuthError("invalid_grant");
    }
    return await issueTokens(
      cognito,
      {
        pool,
        client,
        user,
        endpoint: request.endpoint,
        now,
        authTime: grant.authTime,
        source: grant.source,
        scopes: grant.scopes,
        ...(grant.nonce !== undefined && { nonce: grant.nonce }),
        ...(grant.deviceKey !== undefined && { deviceKey: grant.deviceKey }),
      },
      async (tx, session: Session) => {
        const current = await readCode(tx, pool, code);
        if (current === undefined) throw new OAuthError("invalid_grant");
        if (current.usedFor !== undefined) throw new ReusedCode(current.userKey, current.usedFor);
        writeCode(tx, pool, code, { ...current, usedFor: session.id });
      },
    );
  } catch (error) {
    if (!(error instanceof ReusedCode)) throw error;
    // Who has it second may have stolen it, and so may who had it first (RFC 6749, section 4.1.2).
    await endSession(cognito, pool.id, error.userKey, error.sessionId);
    throw new OAuthError("invalid_grant");
  }
}

async function refresh(
  cognito: Cognito,
  request: DomainRequest,
  client: Client,
  form: URLSearchParams,
): Promise<IssuedTokens> {
  const refreshToken = only(form, "refresh_token");
  if (refreshToken === undefined) throw new OAuthError("invalid_request");
  if (form.has("scope")) throw new OAuthError("invalid_scope");
  const { pool, endpoint, now } = request;
  try {
    return await refreshTokens(cognito, { pool, client, refreshToken, endpoint, now });
  } catch (error) {
    // Whatever is wrong with it, that is all that is told.
    if (error instanceof AwsError && error.status < 500) throw new OAuthError("invalid_grant");
    throw error;
  }
}

/** A token for the client itself. */
async function issueToClient(
  cognito: Cognito,
  request: DomainRequest,
  client: Client,
  asked: string | undefined,
): Promise<object> {
  checkFlow(client, "client_credentials");
  if (client.secrets.length === 0) throw new OAuthError("invalid_client");
  const { pool, now } = request;
  // Those of OpenID Connect are about users.
  const allowed = (client.settings.AllowedOAuthScopes ?? []).filter((scope) => scope.includes("/"));
  const scopes = asked === undefined ? allowed : [...new Set(asked.split(" ").filter((scope) => scope !== ""))];
  if (scopes.length === 0 || scopes.some((scope) => !allowed.includes(scope))) throw new OAuthError("invalid_scope");
  const { access } = await askPreTokenGeneration(cognito.triggers, {
    pool,
    client,
    groups: { names: [], roles: [], preferredRole: undefined },
    scopes,
    source: "TokenGeneration_ClientCredentials",
  });
  const granted = [...scopes, ...access.scopesToAdd].filter((scope) => !access.scopesToSuppress.includes(scope));
  const seconds = Math.floor(now / 1000);
  const lifetime = Math.floor(lifetimesOf(client).accessMs / 1000);
  const key = await cognito.keys.current(pool.id, now);
  const own = {
    sub: client.id,
    token_use: "access",
    scope: [...new Set(granted)].join(" "),
    auth_time: seconds,
    iss: issuerOf(cognito.issuer, pool, request.endpoint),
    exp: seconds + lifetime,
    iat: seconds,
    version: 2,
    jti: cognito.ids.uuid(),
    client_id: client.id,
  };
  const token = await signJwt(key, { ...access.add, ...own });
  return { access_token: token, expires_in: lifetime, token_type: "Bearer" };
}

function toJson(issued: IssuedTokens): Answer {
  return json(200, {
    ...(issued.idToken !== undefined && { id_token: issued.idToken }),
    access_token: issued.accessToken,
    ...(issued.refreshToken !== undefined && { refresh_token: issued.refreshToken }),
    expires_in: issued.expiresIn,
    token_type: "Bearer",
  });
}
