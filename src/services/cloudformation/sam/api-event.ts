import { arnSub } from "./arns.ts";
import { resolve, type Context } from "./context.ts";
import { arnPath, deepGet, hasIntegration, normalizeMethod, pathsOf, setTimeoutInMillis } from "./definition.ts";
import { invokePermission, type EventSource, type EventUse } from "./event-source.ts";
import { apiIdOf, managed } from "./implicit-apis.ts";
import { makeIf, shorthand, sub } from "./intrinsics.ts";
import { eventProblem, expectList, expectMap, ofEvent, ofResource, resourceProblem, type Problem } from "./problems.ts";
import { addCustomStatements, addResourcePolicy } from "./resource-policy.ts";
import {
  addLambdaIntegration,
  addRequestModel,
  addRequestParameters,
  addRequestValidator,
  newSwagger,
  openSwagger,
  setMethodApiKey,
  setMethodAuthorizer,
  type RequestParameter,
} from "./swagger.ts";
import { asDict, copyDict, dictOf, display, isAbsent, isDict, isGiven, isList, isString, type Dict } from "./values.ts";

/** `Api` events: a method of a REST API that invokes the function. */
export const apiEvent: EventSource = {
  properties: {
    Path: "string!",
    Method: "string!",
    RestApiId: "string!",
    Stage: "string",
    Auth: "map",
    RequestModel: "map",
    RequestParameters: "list",
    TimeoutInMillis: "integer",
    ResponseTransferMode: "string",
  },
  link: (context, { eventId, properties }) => void linkRestApi(context, eventId, properties["RestApiId"]),
  generate(context, event) {
    const { eventId, properties } = event;
    const api = linkRestApi(context, eventId, properties["RestApiId"]);
    const route: Route = {
      eventId,
      api,
      path: display(properties["Path"]),
      method: display(properties["Method"]).toLowerCase(),
      auth: properties["Auth"],
    };
    const permission = apiPermission(context, event, route);
    if (isGiven(api.properties[managed]) || isGiven(api.properties["MergeDefinitions"]))
      integrate(context, event, route);
    overrideAuth(context, route);
    return [permission];
  },
};

export interface LinkedApi {
  readonly id: string;
  readonly properties: Dict;
  /** The stage's name where it is a plain one: it is in the ids of permissions and the ARNs of policies. */
  readonly stage: string;
}

/** A method of an API as an event wants it. */
export interface Route {
  readonly eventId: string;
  readonly api: LinkedApi;
  readonly path: string;
  /** In lower case. */
  readonly method: string;
  readonly auth: unknown;
}

export function linkRestApi(context: Context, eventId: string, restApiId: unknown): LinkedApi {
  const id = apiIdOf(restApiId);
  const resource = expectMap(
    isString(id) ? context.resources[id] : undefined,
    "RestApiId",
    ofEvent(eventId),
    "RestApiId property of Api event must reference a valid resource in the same template.",
  );
  const apiId = display(id);
  const properties = resource["Properties"] ?? dictOf({});
  if (!isDict(properties)) throw resourceProblem(apiId, "Attribute 'Properties' should be a map.");
  const name = properties["StageName"];
  if (name === "") throw resourceProblem(apiId, "StageName cannot be empty.");
  return { id: apiId, properties, stage: isString(name) ? name : "Stage" };
}

function apiPermission(context: Context, event: EventUse, { api, path, method }: Route) {
  const verb = method === "any" ? "*" : method.toUpperCase();
  const resource = `\${__ApiId__}/\${__Stage__}/${verb}${arnPath(path.replace(/^(.+)\/$/, "$1"), true)}`;
  return invokePermission(event, {
    principal: "apigateway.amazonaws.com",
    sourceArn: arnSub(context.partition, "execute-api", resource, {
      __ApiId__: event.properties["RestApiId"],
      __Stage__: "*",
    }),
    suffix: api.stage,
  });
}

function integrate(context: Context, event: EventUse, route: Route): void {
  const { api, path, method, eventId } = route;
  const body = api.properties["DefinitionBody"];
  if (isAbsent(body)) return;
  const merges = isGiven(api.properties["MergeDefinitions"]);
  const definition = openSwagger(merges ? newSwagger() : body);
  if (hasIntegration(definition, path, method)) {
    throw eventProblem(eventId, `API method "${method}" defined multiple times for path "${path}".`);
  }
  const { properties, target } = event;
  const methodAuth = expectMap(isGiven(route.auth) ? route.auth : dictOf({}), "Auth", ofEvent(eventId));
  const apiAuth = expectMap(
    isGiven(api.properties["Auth"]) ? api.properties["Auth"] : dictOf({}),
    "Auth",
    ofResource(api.id),
  );
  const condition = target.inherited["Condition"];
  const stream = properties["ResponseTransferMode"] === "RESPONSE_STREAM";
  const uri = invocationUri(context.partition, target.arn, stream);
  addLambdaIntegration(definition, path, method, {
    uri: isGiven(condition) ? makeIf(condition, uri) : uri,
    credentials: integrationCredentials(context, methodAuth, apiAuth),
    condition,
    stream,
  });
  addRouteAuth(context, definition, route);
  if (isGiven(properties["TimeoutInMillis"]))
    setTimeoutInMillis(definition, path, method, properties["TimeoutInMillis"]);
  if (isGiven(properties["RequestModel"])) addModel(definition, route, properties["RequestModel"]);
  const parameters = properties["RequestParameters"];
  if (isList(parameters) && parameters.length > 0) {
    addRequestParameters(
      definition,
      path,
      method,
      parameters.map((parameter) => requestParameter(eventId, parameter)),
    );
  }
  api.properties["DefinitionBody"] = merges ? merge(route, asDict(body), definition) : definition;
}

/** The URI by which API Gateway invokes a function. */
export function invocationUri(partition: string, arn: Dict, stream = false): Dict {
  const version = stream ? "2021-11-15" : "2015-03-31";
  const action = stream ? "response-streaming-invocations" : "invocations";
  return sub(
    `arn:${partition}:apigateway:\${AWS::Region}:lambda:path/${version}/functions/${shorthand(arn)}/${action}`,
  );
}

/** A role given as nothing means none. */
function roleOf(auth: Dict): unknown {
  if (isGiven(auth["InvokeRole"])) return auth["InvokeRole"];
  return Object.hasOwn(auth, "InvokeRole") ? "NONE" : undefined;
}

/** With IAM authorization the integration runs with the caller's credentials, or with a role that the template names. */
function integrationCredentials(context: Context, method: Dict, api: Dict): unknown {
  const isIam = method["Authorizer"] === "AWS_IAM" || (api["DefaultAuthorizer"] === "AWS_IAM" && !isGiven(method));
  if (!isIam) return undefined;
  const role = roleOf(method) ?? roleOf(api);
  if (role === "NONE") return undefined;
  return isGiven(role) && role !== "CALLER_CREDENTIALS" ? role : `arn:${context.partition}:iam::*:user/*`;
}

/** `OverrideApiAuth`: the event's authorization also for a definition that SAM does not manage. */
function overrideAuth(context: Context, route: Route): void {
  const body = route.api.properties["DefinitionBody"];
  const auth = asDict(route.auth);
  if (!isGiven(body) || !isGiven(auth["OverrideApiAuth"])) return;
  if (!["Authorizer", "ApiKeyRequired", "ResourcePolicy"].some((name) => isGiven(auth[name]))) {
    throw eventProblem(
      route.eventId,
      "Must define one of: Authorizer, ApiKeyRequired or ResourcePolicy when using the OverrideApiAuth property.",
    );
  }
  const definition = openSwagger(body);
  addRouteAuth(context, definition, route);
  route.api.properties["DefinitionBody"] = definition;
}

/** Adds an event's `Auth` to its method. */
export function addRouteAuth(context: Context, definition: Dict, route: Route): void {
  const { api, eventId, path, method } = route;
  if (!isGiven(route.auth)) return;
  const auth = asDict(route.auth);
  const apiAuth = asDict(resolve(context, api.properties["Auth"]));
  const authorizer = auth["Authorizer"];
  if (isGiven(authorizer)) checkAuthorizer(route, authorizer, apiAuth);
  if (isGiven(auth["AuthorizationScopes"])) {
    expectList(auth["AuthorizationScopes"], "Auth.AuthorizationScopes", ofEvent(eventId));
    if (!isGiven(authorizer)) throw eventProblem(eventId, "AuthorizationScopes works only when Authorizer is set");
  }
  const needsKey = auth["ApiKeyRequired"];
  if (!isAbsent(needsKey) && !isGiven(needsKey) && !isGiven(apiAuth["ApiKeyRequired"])) {
    throw eventProblem(
      eventId,
      `Unable to set ApiKeyRequired [False] on API method [${method}] for path [${path}] because the related API does not specify any ApiKeyRequired.`,
    );
  }
  if (isGiven(authorizer)) {
    setMethodAuthorizer(
      definition,
      path,
      method,
      display(authorizer),
      apiAuth["Authorizers"],
      auth["AuthorizationScopes"],
    );
  }
  if (!isAbsent(needsKey)) setMethodApiKey(definition, path, method, isGiven(needsKey));
  if (isGiven(auth["ResourcePolicy"])) {
    const policy = expectMap(auth["ResourcePolicy"], "Auth.ResourcePolicy", ofResource(eventId));
    addResourcePolicy(definition, policy, path, api.stage);
    if (isGiven(policy["CustomStatements"])) addCustomStatements(definition, policy["CustomStatements"]);
  }
}

function checkAuthorizer({ api, eventId, path, method }: Route, authorizer: unknown, apiAuth: Dict): void {
  const known = apiAuth["Authorizers"];
  if (isGiven(known)) expectMap(known, "Auth.Authorizers", ofResource(api.id));
  if (authorizer === "AWS_IAM") return;
  const where = `on API method [${method}] for path [${path}]`;
  const refuse = (why: string): Problem =>
    eventProblem(eventId, `Unable to set Authorizer [${display(authorizer)}] ${where} ${why}`);
  if (authorizer === "NONE") {
    if (isGiven(apiAuth["DefaultAuthorizer"])) return;
    throw eventProblem(
      eventId,
      `Unable to set Authorizer ${where} because 'NONE' is only a valid value when a DefaultAuthorizer on the API is specified.`,
    );
  }
  if (!isGiven(known)) throw refuse("because the related API does not define any Authorizers.");
  if (!isString(authorizer) || !isDict(known)) throw wrongAuthorizerType(eventId, path, method, authorizer);
  if (!isGiven(known[authorizer])) throw refuse("because it wasn't defined in the API's Authorizers.");
}

export function wrongAuthorizerType(eventId: string, path: string, method: string, authorizer: unknown): Problem {
  return eventProblem(
    eventId,
    `Unable to set Authorizer [${display(authorizer)}] on API method [${method}] for path [${path}]. The method authorizer must be a string with a corresponding dict entry in the api authorizer.`,
  );
}

function addModel(definition: Dict, { api, eventId, path, method }: Route, value: unknown): void {
  const request = expectMap(value, "RequestModel", ofEvent(eventId));
  const model = request["Model"];
  if (!isGiven(model)) return;
  const where = `[${display(model)}] on API method [${method}] for path [${path}]`;
  const refuse = (why: string) => eventProblem(eventId, `Unable to set RequestModel ${where} ${why}`);
  const models = api.properties["Models"];
  if (!isGiven(models)) throw refuse("because the related API does not define any Models.");
  if (!isDict(models)) throw refuse("because the related API Models defined is of invalid type.");
  if (!isString(model)) throw refuse("because the related API does not contain valid Models.");
  if (!isGiven(models[model])) throw refuse("because it wasn't defined in the API's Models.");
  addRequestModel(definition, path, method, model, request["Required"]);
  const { ValidateBody: body, ValidateParameters: parameters } = request;
  if (isAbsent(body) && isAbsent(parameters)) return;
  const [checksBody, checksParameters] = [body ?? false, parameters ?? false];
  if (typeof checksBody !== "boolean" || typeof checksParameters !== "boolean") {
    throw eventProblem(
      eventId,
      `Unable to set Validator to RequestModel ${where} ValidateBody and ValidateParameters must be a boolean type, strings or intrinsics are not supported.`,
    );
  }
  addRequestValidator(definition, path, method, checksBody, checksParameters);
}

function requestParameter(eventId: string, parameter: unknown): RequestParameter {
  const refuse = (why: string) => eventProblem(eventId, `Invalid value for 'RequestParameters' property. ${why}`);
  const [name, settings] = isDict(parameter) ? (Object.entries(parameter)[0] ?? ["", {}]) : [parameter, {}];
  if (!isString(name)) throw refuse("Property must be either a string or an object");
  if (!/^method\.request\.(querystring|path|header)\./.test(name)) {
    throw refuse(
      "Keys must be in the format 'method.request.[querystring|path|header].{value}', e.g 'method.request.header.Authorization'.",
    );
  }
  if (!isDict(settings) || Object.keys(settings).some((key) => key !== "Required" && key !== "Caching")) {
    throw refuse("Values must be an object, e.g { Required: true, Caching: false }");
  }
  return { name, isRequired: settings["Required"] ?? false, isCached: settings["Caching"] ?? false };
}

/** `MergeDefinitions`: what SAM makes of a method over what the API's own definition says of it. */
function merge({ api, path, method }: Route, own: Dict, generated: Dict): Dict {
  const merged = copyDict(own);
  const { value, wrong } = deepGet(merged["paths"], [path, method]);
  if (wrong !== undefined) throw resourceProblem(api.id, `Property 'DefinitionBody' is invalid: ${wrong}`);
  const existing = expectMap(
    isGiven(value) ? value : dictOf({}),
    `DefinitionBody.paths.${path}.${method}`,
    ofResource(api.id),
  );
  const made = asDict(asDict(pathsOf(generated)[path])[normalizeMethod(method)]);
  if (!isGiven(merged["paths"])) return merged;
  const paths = asDict(merged["paths"]);
  paths[path] = dictOf({ ...asDict(paths[path]), [method]: dictOf({ ...existing, ...made }) });
  return merged;
}
