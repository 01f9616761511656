import { notImplemented } from "../../aws/error.ts";
import { asMembers, type Members } from "../../aws/open-api.ts";
import { badRequest } from "./errors.ts";
import type { AuthorizerRecord } from "./authorizer-record.ts";
import { parseAuthorizationType } from "./rules.ts";
import { ttlSecondsDefault } from "./authorizer-rules.ts";

/** An authorizer that a definition has, by the name of its security scheme. */
export type AuthorizerDefinition = Omit<AuthorizerRecord, "id">;

/** What a method's security asks for. */
export interface SecurityDefinition {
  readonly authorizationType: "NONE" | "AWS_IAM" | "CUSTOM" | "COGNITO_USER_POOLS";
  /** By name. */
  readonly authorizer?: string;
  readonly authorizationScopes?: readonly string[];
  readonly apiKeyRequired?: boolean;
}

function schemesOf(document: Members): Members {
  return {
    ...asMembers(document["securityDefinitions"]),
    ...asMembers(asMembers(document["components"])["securitySchemes"]),
  };
}

/** Every security scheme with `x-amazon-apigateway-authorizer`, whether a method uses it or not. */
export function readAuthorizers(document: Members): Map<string, AuthorizerDefinition> {
  const authorizers = new Map<string, AuthorizerDefinition>();
  for (const [name, value] of Object.entries(schemesOf(document))) {
    const scheme = asMembers(value);
    if (scheme["x-amazon-apigateway-authorizer"] !== undefined) authorizers.set(name, readAuthorizer(name, scheme));
  }
  return authorizers;
}

function readAuthorizer(name: string, scheme: Members): AuthorizerDefinition {
  const authorizer = asMembers(scheme["x-amazon-apigateway-authorizer"]);
  const type = String(authorizer["type"] ?? "token").toUpperCase();
  if (type !== "TOKEN" && type !== "REQUEST" && type !== "COGNITO_USER_POOLS") {
    throw badRequest(`Invalid authorizer type ${type} (${name})`);
  }
  const text = (member: string) => (authorizer[member] === undefined ? undefined : String(authorizer[member]));
  const authType = scheme["x-amazon-apigateway-authtype"];
  const ttl = authorizer["authorizerResultTtlInSeconds"];
  const providers = authorizer["providerARNs"];
  // The scheme itself names the header of a token.
  const header = scheme["in"] === "header" ? `method.request.header.${String(scheme["name"])}` : undefined;
  const identitySource = text("identitySource") ?? (type === "REQUEST" ? undefined : header);
  const uri = text("authorizerUri");
  const credentials = text("authorizerCredentials");
  const expression = text("identityValidationExpression");
  return {
    name,
    type,
    authType: typeof authType === "string" ? authType : type === "COGNITO_USER_POOLS" ? "cognito_user_pools" : "custom",
    ...(Array.isArray(providers) ? { providerArns: providers.map(String) } : {}),
    ...(uri === undefined ? {} : { authorizerUri: uri }),
    ...(credentials ? { authorizerCredentials: credentials } : {}),
    ...(identitySource === undefined ? {} : { identitySource }),
    ...(expression === undefined ? {} : { identityValidationExpression: expression }),
    ttlSeconds: ttl === undefined ? ttlSecondsDefault : Number(ttl),
  };
}

/** What an operation's `security`, or the document's, asks for. */
export function readSecurity(document: Members, operation: Members, where: string): SecurityDefinition {
  const auth = asMembers(operation["x-amazon-apigateway-auth"])["type"];
  const listed = operation["security"] ?? document["security"];
  const schemes = schemesOf(document);
  const asked = (Array.isArray(listed) ? listed : []).flatMap((requirement) => Object.entries(asMembers(requirement)));
  const apiKey = asked.some(([name]) => isApiKey(asMembers(schemes[name])));
  const [first] = asked.flatMap(([name, scopes]) => readScheme(name, asMembers(schemes[name]), scopes, where) ?? []);
  const authorization: SecurityDefinition =
    auth === undefined
      ? (first ?? { authorizationType: "NONE" })
      : { authorizationType: parseAuthorizationType(String(auth).toUpperCase()) };
  return { ...authorization, ...(apiKey ? { apiKeyRequired: true } : {}) };
}

function isApiKey(scheme: Members): boolean {
  return (
    scheme["type"] === "apiKey" &&
    String(scheme["name"]).toLowerCase() === "x-api-key" &&
    scheme["x-amazon-apigateway-authorizer"] === undefined
  );
}

function readScheme(name: string, scheme: Members, scopes: unknown, where: string): SecurityDefinition | undefined {
  // SAM writes NONE for a method that opts out of the default authorizer.
  if (name === "NONE" || isApiKey(scheme)) return undefined;
  if (scheme["x-amazon-apigateway-authtype"] === "awsSigv4") return { authorizationType: "AWS_IAM" };
  const authorizer = scheme["x-amazon-apigateway-authorizer"];
  // AWS takes such a scheme for documentation, and leaves the method open.
  if (authorizer === undefined) throw notImplemented(`The authorizer ${name} (${where})`);
  const isPool = String(asMembers(authorizer)["type"]).toUpperCase() === "COGNITO_USER_POOLS";
  if (!isPool) return { authorizationType: "CUSTOM", authorizer: name };
  const authorizationScopes = Array.isArray(scopes) ? scopes.map(String) : [];
  return {
    authorizationType: "COGNITO_USER_POOLS",
    authorizer: name,
    ...(authorizationScopes.length === 0 ? {} : { authorizationScopes }),
  };
}
