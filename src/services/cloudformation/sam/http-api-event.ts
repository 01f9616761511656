import { invocationUri, wrongAuthorizerType } from "./api-event.ts";
import { arnSub } from "./arns.ts";
import { anyMethod, arnPath, hasIntegration, setTimeoutInMillis } from "./definition.ts";
import { invokePermission, type EventSource, type EventUse } from "./event-source.ts";
import { apiIdOf, managed } from "./implicit-apis.ts";
import {
  addHttpIntegration,
  addPathParameters,
  defaultPath,
  leadsToFunction,
  openOpenApi,
  setPayloadFormatVersion,
  setRouteAuthorizer,
} from "./open-api.ts";
import { eventProblem, expectMap, ofResource, resourceProblem, type Problem } from "./problems.ts";
import { asDict, display, dictOf, isAbsent, isDict, isGiven, isList, isString, type Dict } from "./values.ts";
import type { Generated } from "./generated.ts";

/** `HttpApi` events: a route of an HTTP API that invokes the function. */
export const httpApiEvent: EventSource = {
  properties: {
    Path: "string",
    Method: "string",
    ApiId: "string",
    Stage: "string",
    Auth: "map",
    TimeoutInMillis: "integer",
    RouteSettings: "map",
    PayloadFormatVersion: "string",
  },
  generate(context, event) {
    const id = apiIdOf(event.properties["ApiId"]);
    const api = asDict(isString(id) ? context.resources[id] : undefined);
    const properties = asDict(api["Properties"]);
    const path = display(event.properties["Path"]);
    const method = display(event.properties["Method"]).toLowerCase();
    const permission = routePermission(event, display(id), properties, path, method);
    integrate(event, { id: display(id), properties }, path, method);
    return permission;
  },
};

function routePermission(event: EventUse, apiId: string, api: Dict, rawPath: string, method: string): Generated[] {
  let path = rawPath.replace(/^(.+)\/$/, "$1");
  const body = api["DefinitionBody"];
  const definition = isGiven(body)
    ? openOpenApi(body, (message) => resourceProblem(apiId, `Structure of the SAM template is invalid. ${message}`))
    : undefined;
  if (path === defaultPath) path = "";
  // The $default route's permission covers every route.
  else if (definition && leadsToFunction(definition, defaultPath, anyMethod, event.target.id)) return [];
  path = arnPath(path, false);
  const verb = method === "any" || method === anyMethod ? "*" : method.toUpperCase();
  const route = method === "any" && path === `/${defaultPath}` ? path : `/${verb}${path}`;
  return [
    invokePermission(event, {
      principal: "apigateway.amazonaws.com",
      sourceArn: arnSub("${AWS::Partition}", "execute-api", `\${__ApiId__}/\${__Stage__}${route}`, {
        __ApiId__: event.properties["ApiId"],
        __Stage__: "*",
      }),
    }),
  ];
}

interface LinkedHttpApi {
  readonly id: string;
  readonly properties: Dict;
}

function integrate(event: EventUse, api: LinkedHttpApi, path: string, method: string): void {
  const { properties, eventId, target } = event;
  if (isAbsent(api.properties["DefinitionBody"])) return;
  const definition = openOpenApi(api.properties["DefinitionBody"]);
  if (isGiven(api.properties[managed]) && hasIntegration(definition, path, method)) {
    throw eventProblem(eventId, `API method '${method}' defined multiple times for path '${path}'.`);
  }
  const uri = invocationUri("${AWS::Partition}", target.arn);
  addHttpIntegration(definition, path, method, uri, target.inherited["Condition"]);
  if (isGiven(properties["Auth"])) addAuth(definition, event, api, path, method);
  if (isGiven(properties["TimeoutInMillis"]))
    setTimeoutInMillis(definition, path, method, properties["TimeoutInMillis"]);
  const names = [...path.matchAll(/\{(.*?)\}/g)].map(([, name = ""]) => name);
  if (names.length > 0) addPathParameters(definition, path, method, names);
  if (isGiven(properties["PayloadFormatVersion"])) {
    setPayloadFormatVersion(definition, path, method, properties["PayloadFormatVersion"]);
  }
  api.properties["DefinitionBody"] = definition;
}

function addAuth(definition: Dict, event: EventUse, api: LinkedHttpApi, path: string, method: string): void {
  const { eventId } = event;
  const auth = asDict(event.properties["Auth"]);
  const apiAuth = expectMap(
    Object.hasOwn(api.properties, "Auth") ? api.properties["Auth"] : dictOf({}),
    "Auth",
    ofResource(api.id),
  );
  const authorizer = isGiven(auth["Authorizer"]) ? auth["Authorizer"] : apiAuth["DefaultAuthorizer"];
  if (!isGiven(authorizer)) {
    throw eventProblem(
      eventId,
      "'Auth' section requires either an explicit 'Authorizer' set or a 'DefaultAuthorizer' configured on the HttpApi.",
    );
  }
  const known = isGiven(apiAuth) ? apiAuth["Authorizers"] : {};
  const where = `on API method [${method}] for path [${path}]`;
  const refuse = (why: string): Problem =>
    eventProblem(eventId, `Unable to set Authorizer [${display(authorizer)}] ${where} ${why}`);
  const isIam = authorizer === "AWS_IAM" && apiAuth["EnableIamAuthorizer"] === true;
  if (authorizer === "NONE") {
    if (!isGiven(apiAuth["DefaultAuthorizer"])) {
      throw eventProblem(
        eventId,
        `Unable to set Authorizer ${where} because 'NONE' is only a valid value when a DefaultAuthorizer on the API is specified.`,
      );
    }
  } else if (!isIam) {
    if (!isString(authorizer) || (!isDict(known) && isGiven(known))) {
      throw wrongAuthorizerType(eventId, path, method, authorizer);
    }
    if (!isGiven(known)) {
      // AWS: without any map of authorizers the complaint is about types.
      if (!isDict(known)) throw wrongAuthorizerType(eventId, path, method, authorizer);
      throw refuse("because the related API does not define any Authorizers.");
    }
    if (!isGiven(asDict(known)[authorizer])) throw refuse("because it wasn't defined in the API's Authorizers.");
  }
  const scopes = auth["AuthorizationScopes"];
  if (isGiven(scopes) && !isList(scopes)) {
    throw eventProblem(
      eventId,
      `Unable to set Authorizer ${where} because 'AuthorizationScopes' must be a list of strings.`,
    );
  }
  setRouteAuthorizer(definition, path, method, display(authorizer), known, scopes);
}
