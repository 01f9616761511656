import { httpDomain } from "./api-domain.ts";
import { resolve, type Context, type SamResource } from "./context.ts";
import { generate, propagateTags, type Generated } from "./generated.ts";
import { isIntrinsic, ref, sub } from "./intrinsics.ts";
import { isAlphanumeric } from "./logical-ids.ts";
import { resourceProblem } from "./problems.ts";
import type { PropertyRules } from "./property-rules.ts";
import { asDict, isAbsent, isGiven, isString, type Dict } from "./values.ts";

export const webSocketApiProperties: PropertyRules = {
  ApiKeySelectionExpression: "string",
  AccessLogSettings: "map",
  Auth: "map",
  DefaultRouteSettings: "map",
  Description: "string",
  DisableExecuteApiEndpoint: "boolean",
  Domain: "map",
  DisableSchemaValidation: "boolean",
  FailOnWarnings: "boolean",
  IpAddressType: "string",
  Name: "string",
  PropagateTags: "boolean",
  Routes: "map!",
  RouteSettings: "map",
  RouteSelectionExpression: "string!",
  StageName: "string|map",
  StageVariables: "map",
  Tags: "map",
};

const createdBy = { "websocketapi:createdBy": "SAM" };
const authTypes = new Set(["AWS_IAM", "CUSTOM", "NONE"]);
const predefined = new Set(["$connect", "$disconnect", "$default"]);

/** `AWS::Serverless::WebSocketApi`: a WebSocket API with a route, an integration and a permission for each function, and its stage. */
export function transformWebSocketApi(context: Context, sam: SamResource): Generated[] {
  const { properties, id } = sam;
  for (const name of ["Auth", "Domain", "Routes"]) properties[name] = resolve(context, properties[name]);
  const routes = asDict(properties["Routes"]);
  const auth = asDict(properties["Auth"]);
  const ipAddressType = properties["IpAddressType"];
  const domainSettings = asDict(properties["Domain"]);
  if (Object.keys(routes).length === 0) throw resourceProblem(id, "WebSocket API must have at least one route.");
  if (
    !isAbsent(ipAddressType) &&
    !isIntrinsic(ipAddressType) &&
    ipAddressType !== "ipv4" &&
    ipAddressType !== "dualstack"
  ) {
    throw resourceProblem(id, "IpAddressType must be 'ipv4' or 'dualstack'.");
  }
  if (isGiven(domainSettings["MutualTlsAuthentication"])) {
    throw resourceProblem(id, "Mutual TLS domain name association is not supported for Websocket APIs.");
  }
  if (isGiven(auth) && !Object.hasOwn(routes, "$connect")) {
    throw resourceProblem(id, "Authorization is only available if there is a $connect route.");
  }
  const tags = { ...asDict(properties["Tags"]), ...createdBy };
  const api = generate(
    id,
    "AWS::ApiGatewayV2::Api",
    {
      ApiKeySelectionExpression: properties["ApiKeySelectionExpression"],
      Description: properties["Description"],
      DisableExecuteApiEndpoint: properties["DisableExecuteApiEndpoint"],
      DisableSchemaValidation: properties["DisableSchemaValidation"],
      IpAddressType: ipAddressType,
      Name: isAbsent(properties["Name"]) ? id : properties["Name"],
      ProtocolType: "WEBSOCKET",
      RouteSelectionExpression: properties["RouteSelectionExpression"],
      Tags: tags,
    },
    sam.attributes,
    sam.resource["DependsOn"],
  );
  const domain = httpDomain(context, sam, properties["Domain"], createdBy);
  const made = Object.entries(routes).map(([key, spec]) => routeResources(sam, auth, key, asDict(spec)));
  const isCustom = auth["AuthType"] === "CUSTOM";
  const resources = [
    api,
    ...made.flat(),
    ...domain,
    stageOf(
      sam,
      made.flatMap(([route]) => (route === undefined ? [] : [route.id])),
    ),
    ...(isCustom ? authorizerOf(sam, auth) : []),
  ];
  if (isGiven(properties["PropagateTags"])) propagateTags(resources, tags);
  return resources;
}

function routeResources(sam: SamResource, auth: Dict, key: string, spec: Dict): Generated[] {
  const { id, inherited } = sam;
  const base = `${id}${plainKey(id, key)}`;
  const integrationId = `${base}Integration`;
  if (isGiven(spec["RequestParameters"]) && key !== "$connect") {
    throw resourceProblem(id, "Request parameters are only supported for the $connect route in WebSocket APIs.");
  }
  checkAuth(id, auth);
  if (!Object.hasOwn(spec, "FunctionArn")) throw resourceProblem(id, "Route must have associated function.");
  const route = generate(
    `${base}Route`,
    "AWS::ApiGatewayV2::Route",
    {
      ApiId: ref(id),
      ApiKeyRequired: spec["ApiKeyRequired"],
      ...authorizationOf(id, auth, key),
      ModelSelectionExpression: spec["ModelSelectionExpression"],
      OperationName: spec["OperationName"],
      RequestModels: spec["RequestModels"],
      ...(isGiven(spec["RequestParameters"]) ? { RequestParameters: spec["RequestParameters"] } : {}),
      RouteKey: key,
      RouteResponseSelectionExpression: spec["RouteResponseSelectionExpression"],
      Target: { "Fn::Join": ["/", ["integrations", ref(integrationId)]] },
    },
    inherited,
  );
  const integration = generate(
    integrationId,
    "AWS::ApiGatewayV2::Integration",
    {
      ApiId: ref(id),
      IntegrationType: "AWS_PROXY",
      IntegrationUri: invocationUri("FunctionArn", spec["FunctionArn"]),
      TimeoutInMillis: spec["IntegrationTimeout"],
    },
    inherited,
  );
  const permission = generate(
    `${base}Permission`,
    "AWS::Lambda::Permission",
    {
      Action: "lambda:InvokeFunction",
      FunctionName: spec["FunctionArn"],
      Principal: "apigateway.amazonaws.com",
      SourceArn: sourceOf(sam, key),
    },
    inherited,
  );
  return [route, integration, permission];
}

function plainKey(id: string, key: string): string {
  if (predefined.has(key)) return capital(key.slice(1));
  if (isAlphanumeric(key)) return capital(key);
  throw resourceProblem(
    id,
    `Route key '${key}' must be alphanumeric. Only $connect, $disconnect, and $default special routes are supported.`,
  );
}

function capital(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1).toLowerCase();
}

function checkAuth(id: string, auth: Dict): void {
  if (!isGiven(auth)) return;
  const type = auth["AuthType"];
  if (!isGiven(type)) throw resourceProblem(id, "AuthType must be specified for additional auth configurations.");
  if (!isString(type) || !authTypes.has(type)) {
    throw resourceProblem(id, `AuthType '${String(type)}' is not one of AWS_IAM, CUSTOM or NONE.`);
  }
  if (type === "CUSTOM" && !isGiven(auth["AuthArn"])) {
    throw resourceProblem(id, "AuthArn must be specified if AuthType is CUSTOM.");
  }
  if (type !== "CUSTOM" && Object.keys(auth).length > 1) {
    throw resourceProblem(id, `No additional configurations supported for AuthType ${type}.`);
  }
}

function authorizationOf(id: string, auth: Dict, key: string): Dict {
  if (key !== "$connect" || !isGiven(auth)) return {};
  const type = auth["AuthType"];
  return type === "CUSTOM"
    ? { AuthorizationType: type, AuthorizerId: ref(`${id}ConnectAuthorizer`) }
    : { AuthorizationType: type };
}

/** The authorizer, and the permission to call its function where no role is named. */
function authorizerOf(sam: SamResource, auth: Dict): Generated[] {
  const { id, inherited } = sam;
  const name = `${id}ConnectAuthorizer`;
  const authorizer = generate(
    name,
    "AWS::ApiGatewayV2::Authorizer",
    {
      ApiId: ref(id),
      AuthorizerCredentialsArn: auth["InvokeRole"],
      AuthorizerType: "REQUEST",
      AuthorizerUri: invocationUri("AuthArn", auth["AuthArn"]),
      IdentitySource: auth["IdentitySource"],
      Name: isGiven(auth["Name"]) ? auth["Name"] : name,
    },
    inherited,
  );
  if (isGiven(auth["InvokeRole"])) return [authorizer];
  const permission = generate(
    `${id}AuthorizerPermission`,
    "AWS::Lambda::Permission",
    {
      Action: "lambda:InvokeFunction",
      FunctionName: auth["AuthArn"],
      Principal: "apigateway.amazonaws.com",
      SourceArn: sub("arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${__ApiId__}/authorizers/*", {
        __ApiId__: ref(id),
      }),
    },
    inherited,
  );
  return [authorizer, permission];
}

function invocationUri(name: string, functionArn: unknown): Dict {
  return sub(
    `arn:\${AWS::Partition}:apigateway:\${AWS::Region}:lambda:path/2015-03-31/functions/\${${name}}/invocations`,
    { [name]: functionArn },
  );
}

function sourceOf({ id, properties }: SamResource, key: string): Dict {
  const stage = stageName(properties);
  const api = `arn:\${AWS::Partition}:execute-api:\${AWS::Region}:\${AWS::AccountId}:\${${id}.ApiId}/`;
  return isString(stage)
    ? sub(`${api}${stage}/${key}`)
    : sub(`${api}\${__StageName__}/${key}`, { __StageName__: stage });
}

function stageName(properties: Dict): unknown {
  return isAbsent(properties["StageName"]) ? "default" : properties["StageName"];
}

function stageOf(sam: SamResource, routeIds: readonly string[]): Generated {
  const { id, properties } = sam;
  const name = stageName(properties);
  if (name === "$default") throw resourceProblem(id, "Stages cannot be named $default for WebSocket APIs.");
  const plain = isString(name) ? name : "";
  return generate(
    plain === "default" ? `${id}DefaultStage` : `${id}${plain}Stage`,
    "AWS::ApiGatewayV2::Stage",
    {
      ApiId: ref(id),
      StageName: name,
      StageVariables: properties["StageVariables"],
      AccessLogSettings: properties["AccessLogSettings"],
      DefaultRouteSettings: properties["DefaultRouteSettings"],
      Tags: { ...createdBy },
      AutoDeploy: true,
      RouteSettings: properties["RouteSettings"],
    },
    sam.inherited,
    isGiven(properties["RouteSettings"]) ? routeIds : undefined,
  );
}
