import { authorizerUri } from "./arns.ts";
import { expectBoolean, expectList, expectMap, expectString, ofResource, resourceProblem } from "./problems.ts";
import { asDict, display, isAbsent, isDict, isGiven, isList, isString, type Dict } from "./values.ts";

/** An authorizer of a REST API: a Lambda function (TOKEN or REQUEST), a Cognito user pool, or IAM. */
export interface RestAuthorizer {
  readonly name: string;
  readonly kind: "iam" | "cognito" | "lambda";
  readonly config: Dict;
  readonly scopes: unknown;
}

/** Checks `Auth.Authorizers`. `undefined` when there is none. */
export function parseRestAuthorizers(
  apiId: string,
  config: unknown,
  defaultAuthorizer: unknown,
): Map<string, RestAuthorizer> | undefined {
  const authorizers = new Map<string, RestAuthorizer>();
  if (defaultAuthorizer === "AWS_IAM") {
    authorizers.set("AWS_IAM", { name: "AWS_IAM", kind: "iam", config: {}, scopes: [] });
  }
  if (!isGiven(config)) return authorizers.size > 0 ? authorizers : undefined;
  const culprit = ofResource(apiId);
  for (const [name, value] of Object.entries(expectMap(config, "Auth.Authorizers", culprit))) {
    authorizers.set(name, parseAuthorizer(apiId, name, expectMap(value, `Auth.Authorizers.${name}`, culprit)));
  }
  return authorizers;
}

function parseAuthorizer(apiId: string, name: string, config: Dict): RestAuthorizer {
  const payloadType = config["FunctionPayloadType"];
  if (!isAbsent(payloadType) && payloadType !== "TOKEN" && payloadType !== "REQUEST") {
    throw resourceProblem(apiId, `${name} Authorizer has invalid 'FunctionPayloadType': ${display(payloadType)}.`);
  }
  if (payloadType === "REQUEST" && lacksIdentitySource(apiId, name, config["Identity"])) {
    throw resourceProblem(
      apiId,
      `${name} Authorizer must specify Identity with at least one of Headers, QueryStrings, StageVariables, or Context.`,
    );
  }
  const scopes = config["AuthorizationScopes"] ?? [];
  expectList(scopes, `Authorizers.${name}.AuthorizationScopes`, ofResource(apiId));
  if (!isAbsent(config["DisableFunctionDefaultPermissions"])) {
    expectBoolean(
      config["DisableFunctionDefaultPermissions"],
      `Authorizers.${name}.DisableFunctionDefaultPermissions`,
      ofResource(apiId),
    );
  }
  return { name, kind: isGiven(config["UserPoolArn"]) ? "cognito" : "lambda", config, scopes };
}

function lacksIdentitySource(apiId: string, name: string, identity: unknown): boolean {
  if (!isGiven(identity)) return true;
  const map = expectMap(identity, `Authorizer.${name}.Identity`, ofResource(apiId));
  const none = !["Headers", "QueryStrings", "StageVariables", "Context"].some((key) => isGiven(map[key]));
  const ttl = map["ReauthorizeEvery"];
  const seconds = isString(ttl) || typeof ttl === "number" ? Number(ttl) : Number.NaN;
  // Without caching no identity source is needed.
  return Number.isNaN(seconds) ? none : seconds > 0 && none;
}

/** The security definition of an authorizer. */
export function toSecurityDefinition(apiId: string, partition: string, authorizer: RestAuthorizer): Dict {
  const { config, kind } = authorizer;
  const payloadType = isGiven(config["FunctionPayloadType"]) ? config["FunctionPayloadType"] : "TOKEN";
  const isRequest = kind === "lambda" && payloadType === "REQUEST";
  const definition: Dict = {
    type: "apiKey",
    name: isRequest ? "Unused" : identityHeader(apiId, config["Identity"]),
    in: "header",
    "x-amazon-apigateway-authtype": kind === "iam" ? "awsSigv4" : kind === "cognito" ? "cognito_user_pools" : "custom",
  };
  if (kind === "iam") return definition;
  const identity = asDict(config["Identity"]);
  const details: Dict = {};
  if (kind === "cognito") {
    const pools = config["UserPoolArn"];
    Object.assign(details, { type: "cognito_user_pools", providerARNs: isList(pools) ? pools : [pools] });
  } else {
    details["type"] = isRequest ? "request" : "token";
    details["authorizerUri"] = authorizerUri(partition, config["FunctionArn"]);
    if (!isAbsent(identity["ReauthorizeEvery"])) details["authorizerResultTtlInSeconds"] = identity["ReauthorizeEvery"];
    const role = config["FunctionInvokeRole"];
    if (isGiven(role) && role !== "NONE") details["authorizerCredentials"] = role;
    const source = isRequest ? identitySource(apiId, authorizer.name, identity) : "";
    if (source !== "") details["identitySource"] = source;
  }
  if (!isRequest && isGiven(identity["ValidationExpression"])) {
    details["identityValidationExpression"] = identity["ValidationExpression"];
  }
  definition["x-amazon-apigateway-authorizer"] = details;
  return definition;
}

function identityHeader(apiId: string, identity: unknown): unknown {
  if (isGiven(identity) && !isDict(identity)) {
    throw resourceProblem(
      apiId,
      "Auth.Authorizers.<Authorizer>.Identity must be a dict (LambdaTokenAuthorizationIdentity, LambdaRequestAuthorizationIdentity or CognitoAuthorizationIdentity).",
    );
  }
  const header = asDict(identity)["Header"];
  return isGiven(header) ? header : "Authorization";
}

const sources = [
  ["Headers", "method.request.header."],
  ["QueryStrings", "method.request.querystring."],
  ["StageVariables", "stageVariables."],
  ["Context", "context."],
] as const;

function identitySource(apiId: string, name: string, identity: Dict): string {
  const culprit = ofResource(apiId);
  return sources
    .flatMap(([key, prefix]) => {
      if (!isGiven(identity[key])) return [];
      const path = `Auth.Authorizers.${name}.Identity.${key}`;
      return expectList(identity[key], path, culprit).map(
        (item, index) => prefix + expectString(item, `${path}[${index}]`, culprit),
      );
    })
    .join(", ");
}
