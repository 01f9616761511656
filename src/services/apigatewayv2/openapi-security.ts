import { notImplemented } from "../../aws/error.ts";
import type { AuthorizerRecord } from "./authorizer-record.ts";
import { parseAuthorizer } from "./authorizer-rules.ts";

type Members = Readonly<Record<string, unknown>>;

/** What a route's security asks for. */
export interface SecurityDefinition {
  readonly authorizationType: "NONE" | "AWS_IAM" | "CUSTOM" | "JWT";
  /** By name. */
  readonly authorizer?: string;
  readonly authorizationScopes?: readonly string[];
}

/** Every security scheme with `x-amazon-apigateway-authorizer`, by name; identifiers are not given yet. */
export function readAuthorizers(document: Members): Map<string, AuthorizerRecord> {
  const authorizers = new Map<string, AuthorizerRecord>();
  for (const [name, scheme] of Object.entries(schemesOf(document))) {
    const authorizer = asMembers(scheme)["x-amazon-apigateway-authorizer"];
    if (authorizer !== undefined) authorizers.set(name, readAuthorizer(name, asMembers(authorizer)));
  }
  return authorizers;
}

function readAuthorizer(name: string, authorizer: Members): AuthorizerRecord {
  const text = (member: string) => (authorizer[member] === undefined ? undefined : String(authorizer[member]));
  const jwt = authorizer["jwtConfiguration"];
  const { issuer, audience } = asMembers(jwt);
  const version = authorizer["authorizerPayloadFormatVersion"];
  const ttl = authorizer["authorizerResultTtlInSeconds"];
  const simple = authorizer["enableSimpleResponses"];
  return parseAuthorizer("", {
    Name: name,
    AuthorizerType: text("type")?.toUpperCase(),
    AuthorizerUri: text("authorizerUri"),
    AuthorizerCredentialsArn: text("authorizerCredentials"),
    // YAML reads an unquoted 2.0 as the number 2.
    AuthorizerPayloadFormatVersion:
      typeof version === "number" ? version.toFixed(1) : text("authorizerPayloadFormatVersion"),
    AuthorizerResultTtlInSeconds: ttl === undefined ? undefined : Number(ttl),
    EnableSimpleResponses: simple === undefined ? undefined : String(simple) === "true",
    IdentitySource: readSources(authorizer["identitySource"]),
    IdentityValidationExpression: text("identityValidationExpression"),
    JwtConfiguration:
      jwt === undefined
        ? undefined
        : {
            Issuer: issuer === undefined ? undefined : String(issuer),
            Audience:
              audience === undefined ? undefined : (Array.isArray(audience) ? audience : [audience]).map(String),
          },
  });
}

/** A list, or a text with commas. */
function readSources(sources: unknown): string[] | undefined {
  if (sources === undefined) return undefined;
  const list: readonly unknown[] = Array.isArray(sources) ? sources : String(sources).split(",");
  return list.map((source) => String(source).trim()).filter((source) => source !== "");
}

/** What an operation's `security`, or the document's, asks for. A scheme that is no authorizer is refused by name. */
export function readSecurity(document: Members, security: unknown): SecurityDefinition {
  const schemes = schemesOf(document);
  for (const requirement of Array.isArray(security) ? security : []) {
    for (const [name, scopes] of Object.entries(asMembers(requirement))) {
      // SAM writes NONE for a route that opts out of the default authorizer.
      if (name === "NONE") continue;
      const scheme = asMembers(schemes[name]);
      if (scheme["x-amazon-apigateway-authtype"] === "awsSigv4") return { authorizationType: "AWS_IAM" };
      const authorizer = scheme["x-amazon-apigateway-authorizer"];
      if (authorizer === undefined) throw notImplemented(`The authorizer ${name}`);
      if (String(asMembers(authorizer)["type"]).toLowerCase() !== "jwt") {
        return { authorizationType: "CUSTOM", authorizer: name };
      }
      const authorizationScopes = Array.isArray(scopes) ? scopes.map(String) : [];
      return {
        authorizationType: "JWT",
        authorizer: name,
        ...(authorizationScopes.length === 0 ? {} : { authorizationScopes }),
      };
    }
  }
  return { authorizationType: "NONE" };
}

function schemesOf(document: Members): Members {
  return asMembers(asMembers(document["components"])["securitySchemes"]);
}

function asMembers(value: unknown): Members {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : {};
}
