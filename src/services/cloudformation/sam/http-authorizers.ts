import { authorizerUri } from "./arns.ts";
import { expectBoolean, expectMap, expectStrings, ofResource, resourceProblem } from "./problems.ts";
import { isAbsent, isGiven, isList, type Dict } from "./values.ts";

/** An authorizer of an HTTP API: JWT, a Lambda function, or IAM. */
export interface HttpAuthorizer {
  readonly name: string;
  readonly kind: "iam" | "jwt" | "lambda";
  readonly config: Dict;
}

const forOAuth2 = "OAuth2 Authorizer";
const forLambda = "Lambda Authorizer";

/** Which authorizer each property belongs to, with AWS's wording. */
const propertyOwners: readonly (readonly [property: string, kind: "jwt" | "lambda", owner: string])[] = [
  ["AuthorizationScopes", "jwt", forOAuth2],
  ["JwtConfiguration", "jwt", forOAuth2],
  ["IdentitySource", "jwt", `${forOAuth2}. For Lambda Authorizer, use the 'Identity' property instead`],
  ["FunctionArn", "lambda", forLambda],
  ["FunctionInvokeRole", "lambda", forLambda],
  ["Identity", "lambda", forLambda],
  ["AuthorizerPayloadFormatVersion", "lambda", forLambda],
  ["EnableSimpleResponses", "lambda", forLambda],
  ["EnableFunctionDefaultPermissions", "lambda", forLambda],
];

export function parseHttpAuthorizers(apiId: string, auth: Dict): Map<string, HttpAuthorizer> {
  const authorizers = new Map<string, HttpAuthorizer>();
  if (auth["EnableIamAuthorizer"] === true) {
    authorizers.set("AWS_IAM", { name: "AWS_IAM", kind: "iam", config: {} });
  }
  if (!isGiven(auth["Authorizers"])) return authorizers;
  const culprit = ofResource(apiId);
  for (const [name, value] of Object.entries(expectMap(auth["Authorizers"], "Auth.Authorizers", culprit))) {
    const config = expectMap(value, `Auth.Authorizers.${name}`, culprit);
    if (Object.hasOwn(config, "OpenIdConnectUrl")) {
      throw resourceProblem(
        apiId,
        `'OpenIdConnectUrl' is no longer a supported property for authorizer '${name}'. Please refer to the AWS SAM documentation.`,
      );
    }
    authorizers.set(name, parseAuthorizer(apiId, name, config));
  }
  return authorizers;
}

function parseAuthorizer(apiId: string, name: string, config: Dict): HttpAuthorizer {
  const kind = isGiven(config["JwtConfiguration"]) ? "jwt" : "lambda";
  if (kind === "jwt") expectMap(config["JwtConfiguration"], "JwtConfiguration", ofResource(apiId));
  if (!isAbsent(config["AuthorizationScopes"]) && !isList(config["AuthorizationScopes"])) {
    throw resourceProblem(apiId, "AuthorizationScopes must be a list.");
  }
  for (const [property, owner, text] of propertyOwners) {
    // An empty JwtConfiguration counts as none.
    const isThere = property === "JwtConfiguration" ? isGiven(config[property]) : !isAbsent(config[property]);
    if (isThere && owner !== kind) throw resourceProblem(apiId, `${property} is only supported for ${text}.`);
  }
  const require = (property: string, owner: string) => {
    if (isGiven(config[property])) return;
    throw resourceProblem(apiId, `${name} ${owner} must define '${property}'.`);
  };
  if (kind === "jwt") require("IdentitySource", forOAuth2);
  else {
    require("FunctionArn", forLambda);
    require("AuthorizerPayloadFormatVersion", forLambda);
  }
  if (!isAbsent(config["EnableFunctionDefaultPermissions"])) {
    expectBoolean(
      config["EnableFunctionDefaultPermissions"],
      `Authorizers.${name}.EnableFunctionDefaultPermissions`,
      ofResource(apiId),
    );
  }
  return { name, kind, config };
}

/** The security scheme of an authorizer. */
export function toSecurityScheme(apiId: string, partition: string, authorizer: HttpAuthorizer): Dict {
  const { name, kind, config } = authorizer;
  if (kind === "iam") {
    return { type: "apiKey", name: "Authorization", in: "header", "x-amazon-apigateway-authtype": "awsSigv4" };
  }
  if (kind === "jwt") {
    const configuration = expectMap(config["JwtConfiguration"], "JwtConfiguration", ofResource(apiId));
    const jwtConfiguration = Object.fromEntries(
      Object.entries(configuration).map(([key, value]) => [key.toLowerCase(), value]),
    );
    return {
      type: "oauth2",
      "x-amazon-apigateway-authorizer": { jwtConfiguration, identitySource: config["IdentitySource"], type: "jwt" },
    };
  }
  const role = config["FunctionInvokeRole"];
  return {
    type: "apiKey",
    name: "Unused",
    in: "header",
    "x-amazon-apigateway-authorizer": {
      type: "request",
      authorizerUri: authorizerUri(partition, config["FunctionArn"]),
      ...(isGiven(role) && role !== "NONE" ? { authorizerCredentials: role } : {}),
      ...identityOf(apiId, name, config["Identity"]),
      authorizerPayloadFormatVersion: config["AuthorizerPayloadFormatVersion"],
      ...(isGiven(config["EnableSimpleResponses"]) ? { enableSimpleResponses: config["EnableSimpleResponses"] } : {}),
    },
  };
}

const sources = [
  ["Headers", "$request.header."],
  ["QueryStrings", "$request.querystring."],
  ["StageVariables", "$stageVariables."],
  ["Context", "$context."],
] as const;

function identityOf(apiId: string, name: string, value: unknown): Dict {
  if (!isGiven(value)) return {};
  const culprit = ofResource(apiId);
  const identity = expectMap(value, `Auth.Authorizers.${name}.Identity`, culprit);
  const ttl = identity["ReauthorizeEvery"];
  return {
    ...(isAbsent(ttl) ? {} : { authorizerResultTtlInSeconds: ttl }),
    identitySource: sources.flatMap(([key, prefix]) =>
      isGiven(identity[key])
        ? expectStrings(identity[key], `Authorizers.${name}.Identity.${key}`, culprit).map((item) => prefix + item)
        : [],
    ),
  };
}
