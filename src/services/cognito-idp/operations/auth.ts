import type {
  AuthenticationResultType,
  ChallengeNameType,
  ContextDataType,
} from "@aws-sdk/client-cognito-identity-provider";
import type { Call, OperationsOf } from "../../../wire/service.ts";
import type { AuthContext, AuthOutcome, AuthVia, Parameters } from "../auth/flow.ts";
import { assertFlow } from "../auth/client-flows.ts";
import { respondToChallenge } from "../auth/respond.ts";
import { startAuth } from "../auth/start.ts";
import { checkSecretHash, isSecretOf } from "../client-secrets.ts";
import { type Cognito, existingClient, existingPool } from "../core.ts";
import { clientNotFound, invalidParameter, notAuthorized, unsupportedOperation } from "../errors.ts";
import type { Client } from "../model.ts";
import type { Sdk } from "../needs.ts";
import { openRefreshToken } from "../tokens/refresh-token.ts";
import { refreshTokens, revokeRefreshToken } from "../tokens/refresh.ts";
import { type IssuedTokens, issueTokens } from "../tokens/issue.ts";
import { readUser } from "../users/users.ts";
import { onPool, unsigned } from "./access.ts";
import { refuseAnalytics } from "./informational.ts";

interface Asked {
  readonly UserPoolId?: string | undefined;
  readonly ClientId: string | undefined;
  readonly ClientMetadata?: Record<string, string> | undefined;
  readonly AnalyticsMetadata?: object | undefined;
  readonly ContextData?: ContextDataType | undefined;
}

/** Signing in. */
export function authOperations(cognito: Cognito) {
  const contextOf = async (input: Asked, call: Call, via: AuthVia): Promise<AuthContext> => {
    refuseAnalytics(input.AnalyticsMetadata);
    const { pool, client } = await existingClient(cognito, input.ClientId);
    if (via === "admin") {
      const asked = await existingPool(cognito, input.UserPoolId, call);
      if (asked.id !== pool.id) throw clientNotFound(input.ClientId ?? "");
    }
    const sourceIp = input.ContextData?.IpAddress ?? call.http?.sourceIp;
    return {
      pool,
      client,
      via,
      endpoint: call.endpoint,
      now: call.now,
      ...(sourceIp !== undefined && { sourceIp }),
      ...(input.ClientMetadata && { clientMetadata: input.ClientMetadata }),
    };
  };

  /** An outcome as operations answer it: at the end come tokens. */
  const answer = async (context: AuthContext, outcome: AuthOutcome) => {
    if (outcome.kind === "challenge") {
      return {
        ChallengeName: outcome.name,
        ...(outcome.session !== undefined && { Session: outcome.session }),
        ChallengeParameters: { ...outcome.parameters },
        ...(outcome.available && { AvailableChallenges: [...outcome.available] }),
      };
    }
    const { pool, client, endpoint, now, clientMetadata } = context;
    const issued = await issueTokens(
      cognito,
      {
        pool,
        client,
        user: outcome.user,
        endpoint,
        now,
        authTime: now,
        source: outcome.source,
        ...(outcome.deviceKey !== undefined && { deviceKey: outcome.deviceKey }),
        ...(clientMetadata && { clientMetadata }),
      },
      async (tx) => outcome.commit(tx),
    );
    return {
      ChallengeParameters: {},
      AuthenticationResult: {
        ...toResult(issued),
        ...(outcome.newDevice && {
          NewDeviceMetadata: { DeviceKey: outcome.newDevice.key, DeviceGroupKey: outcome.newDevice.groupKey },
        }),
      },
    };
  };

  const refresh = async (context: AuthContext, flow: "REFRESH_TOKEN_AUTH", parameters: Parameters) => {
    const { client, pool } = context;
    assertFlow(client, flow);
    const { REFRESH_TOKEN: refreshToken, DEVICE_KEY: deviceKey, SECRET_HASH: secretHash } = parameters;
    if (refreshToken === undefined) throw invalidParameter("Missing required parameter REFRESH_TOKEN");
    if (client.settings.RefreshTokenRotation?.Feature === "ENABLED") {
      throw unsupportedOperation("Refresh token rotation is enabled: use GetTokensFromRefreshToken.");
    }
    await checkRefreshSecret(client, refreshToken, secretHash);
    const issued = await refreshTokens(cognito, {
      pool,
      client,
      refreshToken,
      endpoint: context.endpoint,
      now: context.now,
      ...(deviceKey !== undefined && { deviceKey }),
      ...(context.clientMetadata && { clientMetadata: context.clientMetadata }),
    });
    return { ChallengeParameters: {}, AuthenticationResult: toResult(issued) };
  };

  /** AWS: the hash is of the user name or the `sub`; some clients send the secret itself. */
  const checkRefreshSecret = async (client: Client, refreshToken: string, given: string | undefined) => {
    if (client.secrets.length === 0) return;
    if (given !== undefined && isSecretOf(cognito.seal, client, given)) return;
    const token = openRefreshToken(cognito.seal, refreshToken);
    if (!token) throw notAuthorized("Invalid Refresh Token");
    const { pool } = await existingClient(cognito, client.id);
    const user = await cognito.store.read((reader) => readUser(reader, pool, token.userKey));
    const names = user ? [user.username, user.sub, ...Object.values(user.attributes)] : [];
    const fits = names.some((name) => {
      try {
        checkSecretHash(cognito.seal, client, name, given);
        return true;
      } catch {
        return false;
      }
    });
    if (!fits) checkSecretHash(cognito.seal, client, "", given);
  };

  const start = async (
    input: Asked & {
      readonly AuthFlow: string | undefined;
      readonly AuthParameters?: Record<string, string> | undefined;
      readonly Session?: string | undefined;
    },
    call: Call,
    via: AuthVia,
  ) => {
    const context = await contextOf(input, call, via);
    const parameters = input.AuthParameters ?? {};
    const flow = flowOf(input.AuthFlow);
    if (input.Session !== undefined && flow !== "USER_AUTH") throw invalidParameter("Session is for USER_AUTH only.");
    if (flow === "REFRESH_TOKEN_AUTH" || flow === "REFRESH_TOKEN") {
      return refresh(context, "REFRESH_TOKEN_AUTH", parameters);
    }
    return answer(context, await startAuth(cognito, context, flow, parameters, input.Session));
  };

  const respond = async (
    input: Asked & {
      readonly ChallengeName: ChallengeNameType | undefined;
      readonly ChallengeResponses?: Record<string, string> | undefined;
      readonly Session?: string | undefined;
    },
    call: Call,
    via: AuthVia,
  ) => {
    const context = await contextOf(input, call, via);
    const name = input.ChallengeName ?? "CUSTOM_CHALLENGE";
    return answer(
      context,
      await respondToChallenge(cognito, context, name, input.Session, input.ChallengeResponses ?? {}),
    );
  };

  return {
    InitiateAuth: { authorize: unsigned, run: (input, call) => start(input, call, "api") },
    AdminInitiateAuth: { authorize: onPool(cognito), run: (input, call) => start(input, call, "admin") },
    RespondToAuthChallenge: { authorize: unsigned, run: (input, call) => respond(input, call, "api") },
    AdminRespondToAuthChallenge: { authorize: onPool(cognito), run: (input, call) => respond(input, call, "admin") },

    GetTokensFromRefreshToken: {
      authorize: unsigned,
      async run(input, call) {
        const { pool, client } = await existingClient(cognito, input.ClientId);
        checkClientSecret(client, input.ClientSecret);
        const issued = await refreshTokens(cognito, {
          pool,
          client,
          refreshToken: input.RefreshToken ?? "",
          endpoint: call.endpoint,
          now: call.now,
          ...(input.DeviceKey !== undefined && { deviceKey: input.DeviceKey }),
          ...(input.ClientMetadata && { clientMetadata: input.ClientMetadata }),
        });
        return { AuthenticationResult: toResult(issued) };
      },
    },

    RevokeToken: {
      authorize: unsigned,
      async run(input) {
        const { client } = await existingClient(cognito, input.ClientId);
        checkClientSecret(client, input.ClientSecret);
        if (client.settings.EnableTokenRevocation !== true) {
          throw unsupportedOperation("Token revocation is not enabled for the client.");
        }
        await revokeRefreshToken(cognito, client, input.Token ?? "");
        return {};
      },
    },
  } satisfies OperationsOf<Sdk>;

  function checkClientSecret(client: Client, given: string | undefined): void {
    if (client.secrets.length === 0 && given === undefined) return;
    if (given === undefined || !isSecretOf(cognito.seal, client, given)) {
      throw notAuthorized("Invalid client credentials");
    }
  }
}

function toResult(issued: IssuedTokens): AuthenticationResultType {
  return {
    AccessToken: issued.accessToken,
    ExpiresIn: issued.expiresIn,
    TokenType: "Bearer",
    ...(issued.refreshToken !== undefined && { RefreshToken: issued.refreshToken }),
    ...(issued.idToken !== undefined && { IdToken: issued.idToken }),
  };
}

const flows = [
  "USER_SRP_AUTH",
  "REFRESH_TOKEN_AUTH",
  "REFRESH_TOKEN",
  "CUSTOM_AUTH",
  "ADMIN_NO_SRP_AUTH",
  "USER_PASSWORD_AUTH",
  "ADMIN_USER_PASSWORD_AUTH",
  "USER_AUTH",
] as const;

function flowOf(name: string | undefined) {
  const flow = flows.find((each) => each === name);
  if (flow === undefined) throw invalidParameter("Unknown auth flow");
  return flow;
}
