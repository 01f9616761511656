import type { LambdaAuthorizerRecord } from "../authorizer-record.ts";
import { type AuthorizerInput, parseFunction } from "../authorizer-rules.ts";
import { badRequest } from "../errors.ts";

/** Source: the API reference of CreateAuthorizer, which says of these that they are of HTTP APIs. */
const httpOnly = [
  "AuthorizerPayloadFormatVersion",
  "AuthorizerResultTtlInSeconds",
  "EnableSimpleResponses",
  "JwtConfiguration",
] as const;

/**
 * A Lambda authorizer of a WebSocket API: of the type REQUEST, asked at `$connect` and not remembered. Throws BadRequestException.
 *
 * AWS: `IdentityValidationExpression` is not used.
 */
export function parseWebSocketAuthorizer(authorizerId: string, input: AuthorizerInput): LambdaAuthorizerRecord {
  if (!input.Name) throw badRequest("The authorizer name must not be empty");
  if (input.AuthorizerType !== "REQUEST") {
    throw badRequest("Only REQUEST authorizers are supported for WEBSOCKET protocol APIs");
  }
  for (const name of httpOnly) {
    if (input[name]) throw badRequest(`${name} is only supported for HTTP protocol APIs`);
  }
  if (input.IdentityValidationExpression) {
    throw badRequest("IdentityValidationExpression is not supported for REQUEST authorizers");
  }
  const identitySource = input.IdentitySource ?? [];
  for (const source of identitySource) {
    if (!sourcePattern.test(source)) throw badRequest(`Invalid identity source expression: ${source}`);
  }
  return {
    authorizerId,
    name: input.Name,
    identitySource,
    type: "REQUEST",
    ...parseFunction(input),
    payloadFormatVersion: "1.0",
    simpleResponses: false,
    ttlSeconds: 0,
    isWebSocket: true,
  };
}

const sourcePattern =
  /^(?:route\.request\.(?:header|querystring)\.[\w$.-]+|\$?context\.[\w.]+|\$?stageVariables\.\w+|\$request\.(?:header|querystring)\.[\w$.-]+)$/;
