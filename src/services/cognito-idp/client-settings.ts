import type { CreateUserPoolClientRequest, UserPoolClientType } from "@aws-sdk/client-cognito-identity-provider";
import { notImplemented } from "../../aws/error.ts";
import { invalidOAuthFlow, invalidParameter, scopeDoesNotExist } from "./errors.ts";
import { cognitoLimits as limits } from "./limits.ts";
import type { Client, ClientSettings, Pool, ResourceServer } from "./model.ts";
import { checkAttributeNames } from "./schema.ts";
import { lifetimesOf } from "./tokens/validity.ts";

type Given = Omit<CreateUserPoolClientRequest, "UserPoolId" | "GenerateSecret" | "ClientSecret">;

/** What of the pool a client's settings may name. */
export interface ClientSurroundings {
  readonly pool: Pool;
  readonly servers: readonly ResourceServer[];
  readonly providers: readonly string[];
}

const standardScopes = ["openid", "email", "phone", "profile", "aws.cognito.signin.user.admin"];
const secondsOf = { seconds: 1, minutes: 60, hours: 3600, days: 86_400 } as const;

/** A client's settings from a request, with AWS's defaults. */
export function toClientSettings(operation: string, given: Given, around: ClientSurroundings): ClientSettings {
  if (given.AnalyticsConfiguration !== undefined) {
    throw notImplemented(`The parameter AnalyticsConfiguration of ${operation}`);
  }
  if (given.EnablePropagateAdditionalUserContextData === true) {
    throw notImplemented(`The parameter EnablePropagateAdditionalUserContextData of ${operation}`);
  }
  const rotates = given.RefreshTokenRotation?.Feature === "ENABLED";
  const flows = checkFlows(given.ExplicitAuthFlows, rotates);
  if (given.ReadAttributes) checkAttributeNames(around.pool, given.ReadAttributes, "read");
  if (given.WriteAttributes) checkAttributeNames(around.pool, given.WriteAttributes, "write");
  const settings: ClientSettings = {
    ClientName: given.ClientName ?? "",
    RefreshTokenValidity: given.RefreshTokenValidity ?? 30,
    ...(given.AccessTokenValidity !== undefined && { AccessTokenValidity: given.AccessTokenValidity }),
    ...(given.IdTokenValidity !== undefined && { IdTokenValidity: given.IdTokenValidity }),
    TokenValidityUnits: given.TokenValidityUnits ?? {},
    ...(given.ReadAttributes && { ReadAttributes: given.ReadAttributes }),
    ...(given.WriteAttributes && { WriteAttributes: given.WriteAttributes }),
    ...(flows && { ExplicitAuthFlows: flows }),
    ...(given.SupportedIdentityProviders && { SupportedIdentityProviders: given.SupportedIdentityProviders }),
    ...(given.CallbackURLs && { CallbackURLs: given.CallbackURLs }),
    ...(given.LogoutURLs && { LogoutURLs: given.LogoutURLs }),
    ...(given.DefaultRedirectURI !== undefined && { DefaultRedirectURI: given.DefaultRedirectURI }),
    ...(given.AllowedOAuthFlows && { AllowedOAuthFlows: given.AllowedOAuthFlows }),
    ...(given.AllowedOAuthScopes && { AllowedOAuthScopes: given.AllowedOAuthScopes }),
    AllowedOAuthFlowsUserPoolClient: given.AllowedOAuthFlowsUserPoolClient ?? false,
    ...(given.PreventUserExistenceErrors !== undefined && {
      PreventUserExistenceErrors: given.PreventUserExistenceErrors,
    }),
    EnableTokenRevocation: given.EnableTokenRevocation ?? true,
    EnablePropagateAdditionalUserContextData: false,
    AuthSessionValidity: given.AuthSessionValidity ?? limits.authSessionMinutes,
    ...(given.RefreshTokenRotation && {
      RefreshTokenRotation: {
        Feature: given.RefreshTokenRotation.Feature,
        ...(rotates && { RetryGracePeriodSeconds: given.RefreshTokenRotation.RetryGracePeriodSeconds ?? 0 }),
      },
    }),
  };
  checkValidity(settings);
  checkOAuth(settings, around);
  return settings;
}

function isOld(flow: string): boolean {
  return !flow.startsWith("ALLOW_");
}

function checkFlows(flows: Given["ExplicitAuthFlows"], rotates: boolean): Given["ExplicitAuthFlows"] {
  if (flows === undefined) return undefined;
  if (flows.some(isOld) && !flows.every(isOld)) {
    throw invalidParameter("You must specify either ALLOW_* flows or legacy flows, but not both.");
  }
  if (rotates && flows.includes("ALLOW_REFRESH_TOKEN_AUTH")) {
    throw invalidParameter("ALLOW_REFRESH_TOKEN_AUTH is not supported with refresh token rotation enabled.");
  }
  return flows;
}

function within(ms: number, least: number, most: number): boolean {
  return ms >= least * 1000 && ms <= most * 1000;
}

function checkValidity(settings: ClientSettings): void {
  const { accessMs, idMs, refreshMs } = lifetimesOf({ settings });
  const { minutes, hours, days } = secondsOf;
  if (!within(accessMs, 5 * minutes, 24 * hours)) {
    throw invalidParameter(
      "Invalid range for token validity. AccessTokenValidity must be between 5 minutes and 1 day.",
    );
  }
  if (!within(idMs, 5 * minutes, 24 * hours)) {
    throw invalidParameter("Invalid range for token validity. IdTokenValidity must be between 5 minutes and 1 day.");
  }
  if (!within(refreshMs, 60 * minutes, 3650 * days)) {
    throw invalidParameter(
      "Invalid range for token validity. RefreshTokenValidity must be between 60 minutes and 3650 days.",
    );
  }
  if (refreshMs < accessMs || refreshMs < idMs) {
    throw invalidParameter("Refresh token validity must be greater than access and ID token validity.");
  }
}

function checkOAuth(settings: ClientSettings, { pool, servers, providers }: ClientSurroundings): void {
  const { AllowedOAuthFlows: flows = [], AllowedOAuthScopes: scopes = [], CallbackURLs: callbacks = [] } = settings;
  if (flows.includes("client_credentials") && flows.length > 1) {
    throw invalidOAuthFlow("client_credentials flow can not be selected along with code flow or implicit flow.");
  }
  if (flows.includes("client_credentials") && scopes.some((scope) => standardScopes.includes(scope))) {
    throw invalidOAuthFlow("client_credentials flow can only be used with custom scopes.");
  }
  const known = new Set([
    ...standardScopes,
    ...servers.flatMap((server) => server.scopes.map(({ ScopeName }) => `${server.identifier}/${ScopeName}`)),
  ]);
  for (const scope of scopes) if (!known.has(scope)) throw scopeDoesNotExist(scope);
  if (settings.AllowedOAuthFlowsUserPoolClient === true) {
    if (flows.length === 0 || scopes.length === 0) {
      throw invalidOAuthFlow(
        "AllowedOAuthFlows and AllowedOAuthScopes are required if user pool client is allowed to use OAuth flows.",
      );
    }
    if (callbacks.length === 0 && !flows.includes("client_credentials")) {
      throw invalidOAuthFlow("At least one callback url must be set for code or implicit flow.");
    }
  }
  if (callbacks.length > limits.callbackUrlsMax) throw invalidParameter("Too many callback URLs.");
  for (const url of [...callbacks, ...(settings.LogoutURLs ?? [])]) checkRedirect(url);
  const { DefaultRedirectURI: redirect } = settings;
  if (redirect !== undefined && !callbacks.includes(redirect)) {
    throw invalidParameter("Invalid default redirect URI: it must be in the list of CallbackURLs");
  }
  for (const provider of settings.SupportedIdentityProviders ?? []) {
    if (provider !== "COGNITO" && !providers.includes(provider)) {
      throw invalidParameter(`The provider ${provider} does not exist for User Pool ${pool.id}.`);
    }
  }
}

/** AWS: https, but for this host; any scheme of an app; no fragment. */
function checkRedirect(url: string): void {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  const isLocal = parsed !== undefined && /^(?:localhost|127\.0\.0\.1|\[::1\])$/.test(parsed.hostname);
  const scheme = parsed?.protocol;
  if (!parsed || url.includes("#") || (scheme === "http:" && !isLocal)) {
    throw invalidParameter(
      `redirectUri ${url} is invalid: it must be an absolute https URI without a fragment, or http for localhost`,
    );
  }
  if (scheme === "javascript:" || scheme === "data:" || scheme === "vbscript:") {
    throw invalidParameter(`redirectUri ${url} has a scheme that is not allowed`);
  }
}

export function describeClient(client: Client, secret: string | undefined): UserPoolClientType {
  return {
    UserPoolId: client.poolId,
    ...client.settings,
    ClientId: client.id,
    ...(secret !== undefined && { ClientSecret: secret }),
    LastModifiedDate: new Date(client.updatedAt),
    CreationDate: new Date(client.createdAt),
  };
}
