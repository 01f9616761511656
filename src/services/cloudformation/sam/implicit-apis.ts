import { addPath, pathsOf } from "./definition.ts";
import { combineConditions, makeIf } from "./intrinsics.ts";
import { newOpenApi, isOpenApi, openOpenApi } from "./open-api.ts";
import {
  documentProblem,
  eventProblem,
  expectMap,
  expectPresent,
  expectString,
  ofEvent,
  ofResource,
  Problem,
  resourceProblem,
  SamTransformError,
} from "./problems.ts";
import { isSwagger, newSwagger, openSwagger } from "./swagger.ts";
import { asDict, copyDict, dictOf, isAbsent, isDict, isGiven, isString, type Dict } from "./values.ts";

/** Set on an API whose definition SAM itself writes, from the events that name it. */
export const managed = "__MANAGE_SWAGGER";

interface Kind {
  readonly apiType: string;
  readonly eventType: string;
  /** The property of the event that names the API. */
  readonly idProperty: string;
  readonly implicitId: string;
  readonly implicitProperties: () => Dict;
  readonly isDefinition: (value: unknown) => boolean;
  readonly open: (value: unknown) => Dict;
}

const rest: Kind = {
  apiType: "AWS::Serverless::Api",
  eventType: "Api",
  idProperty: "RestApiId",
  implicitId: "ServerlessRestApi",
  implicitProperties: () => dictOf({ StageName: "Prod", DefinitionBody: newSwagger(), [managed]: true }),
  isDefinition: isSwagger,
  open: openSwagger,
};

const http: Kind = {
  apiType: "AWS::Serverless::HttpApi",
  eventType: "HttpApi",
  idProperty: "ApiId",
  implicitId: "ServerlessHttpApi",
  implicitProperties: () => dictOf({ DefinitionBody: newOpenApi(), [managed]: true }),
  isDefinition: isOpenApi,
  open: (value) => openOpenApi(value),
};

const eventOwners = new Set(["AWS::Serverless::Function", "AWS::Serverless::StateMachine"]);

/** APIs that give no definition get an empty one that SAM fills. */
export function addDefaultDefinitions(resources: Dict): void {
  for (const resource of Object.values(resources).filter(isDict)) {
    const kind = [rest, http].find(({ apiType }) => apiType === resource["Type"]);
    if (!kind) continue;
    resource["Properties"] ??= dictOf({});
    const properties = asDict(resource["Properties"]);
    if (isGiven(properties["DefinitionBody"]) || isGiven(properties["DefinitionUri"])) continue;
    properties["DefinitionBody"] = kind === rest ? newSwagger() : newOpenApi();
    properties[managed] = true;
  }
}

/** `ServerlessRestApi` and `ServerlessHttpApi`, made of the events that name no API; and the paths that events add to managed definitions. */
export function addImplicitApis(template: Dict): void {
  addImplicitApi(template, rest);
  addImplicitApi(template, http);
}

/** What the owners of an API's events say, by path and method. */
interface ApiUse {
  readonly conditions: Map<string, Map<string, unknown>>;
  readonly deletionPolicies: unknown[];
  readonly updateReplacePolicies: unknown[];
}

function addImplicitApi(template: Dict, kind: Kind): void {
  const resources = asDict(template["Resources"]);
  const existing = isDict(resources[kind.implicitId]) ? copyDict(asDict(resources[kind.implicitId])) : undefined;
  resources[kind.implicitId] = dictOf({ Type: kind.apiType, Properties: kind.implicitProperties() });
  const uses = new Map<string, ApiUse>();
  const problems: Problem[] = [];
  for (const [logicalId, owner] of Object.entries(resources)) {
    if (!isDict(owner) || !isString(owner["Type"]) || !eventOwners.has(owner["Type"])) continue;
    for (const [eventId, event] of Object.entries(asDict(asDict(owner["Properties"])["Events"]))) {
      if (!isDict(event) || event["Type"] !== kind.eventType) continue;
      try {
        addEvent(template, kind, owner, eventId, event, uses);
      } catch (error) {
        if (!(error instanceof Problem) || !error.ofEvent) throw error;
        problems.push(resourceProblem(logicalId, error.message));
        // AWS: the owner's further events are not looked at.
        break;
      }
    }
  }
  const use = uses.get(kind.implicitId);
  if (use) describeImplicitApi(template, kind, use);
  makePathsConditional(template, kind, uses);
  const definition = asDict(asDict(asDict(resources[kind.implicitId])["Properties"])["DefinitionBody"]);
  if (Object.keys(pathsOf(definition)).length === 0) {
    if (existing) resources[kind.implicitId] = existing;
    else Reflect.deleteProperty(resources, kind.implicitId);
  }
  if (problems.length > 0) throw new SamTransformError(problems);
}

function addEvent(
  template: Dict,
  kind: Kind,
  owner: Dict,
  eventId: string,
  event: Dict,
  uses: Map<string, ApiUse>,
): void {
  if (kind === rest && (event["Properties"] === undefined || !isGiven(event["Properties"]))) return;
  const culprit = ofEvent(eventId);
  event["Properties"] ??= dictOf({});
  const properties = expectMap(event["Properties"], "", culprit, "Properties should be a map.");
  if (!Object.hasOwn(properties, kind.idProperty)) {
    passTagsToImplicitApi(template, kind, owner);
    properties[kind.idProperty] = { Ref: kind.implicitId };
  }
  if (kind === http && !isGiven(properties["Path"]) && !isGiven(properties["Method"])) {
    properties["Path"] = "$default";
    properties["Method"] = "x-amazon-apigateway-any-method";
  }
  expectPresent(properties["Path"], "Path", culprit);
  expectPresent(properties["Method"], "Method", culprit);
  const apiId = expectString(apiIdOf(properties[kind.idProperty]), kind.idProperty, culprit);
  const path = expectString(properties["Path"], "Path", culprit);
  const method = expectString(properties["Method"], "Method", culprit);
  const use: ApiUse = uses.get(apiId) ?? { conditions: new Map(), deletionPolicies: [], updateReplacePolicies: [] };
  uses.set(apiId, use);
  const conditions = use.conditions.get(path) ?? new Map<string, unknown>();
  use.conditions.set(path, conditions.set(method, owner["Condition"]));
  use.deletionPolicies.push(owner["DeletionPolicy"]);
  use.updateReplacePolicies.push(owner["UpdateReplacePolicy"]);
  addToDefinition(template, kind, eventId, apiId, path, method);
  if (kind === http && Object.hasOwn(properties, "RouteSettings")) {
    addRouteSettings(template, apiId, eventId, properties, owner["Condition"]);
  }
}

/** The logical id that `RestApiId` or `ApiId` names, or whatever else it is. */
export function apiIdOf(value: unknown): unknown {
  return isDict(value) && Object.hasOwn(value, "Ref") ? value["Ref"] : value;
}

function passTagsToImplicitApi(template: Dict, kind: Kind, owner: Dict): void {
  const section = owner["Type"] === "AWS::Serverless::Function" ? "Function" : "StateMachine";
  const globals = asDict(asDict(template["Globals"])[section]);
  const properties = asDict(owner["Properties"]);
  const tags = isGiven(properties["Tags"]) ? properties["Tags"] : globals["Tags"];
  const propagates = isGiven(properties["PropagateTags"]) || isGiven(globals["PropagateTags"]);
  if (!isDict(tags) || !isGiven(tags) || !propagates) return;
  const api = asDict(asDict(asDict(template["Resources"])[kind.implicitId])["Properties"]);
  api["Tags"] = dictOf({ ...asDict(api["Tags"]), ...tags });
  api["PropagateTags"] = true;
}

function addToDefinition(
  template: Dict,
  kind: Kind,
  eventId: string,
  apiId: string,
  path: string,
  method: string,
): void {
  const resources = asDict(template["Resources"]);
  const api = resources[apiId];
  const isOtherApi = isDict(api) && api["Type"] === http.apiType && kind !== http;
  if (!isDict(api) || isOtherApi) {
    throw eventProblem(
      eventId,
      `${kind.idProperty} must be a valid reference to an '${kind.apiType}' resource in same template.`,
    );
  }
  const properties = asDict(api["Properties"]);
  if (!kind.isDefinition(properties["DefinitionBody"]) || !isGiven(properties[managed])) return;
  const definition = kind.open(properties["DefinitionBody"]);
  addPath(definition, path, method);
  properties["DefinitionBody"] = definition;
}

function addRouteSettings(template: Dict, apiId: string, eventId: string, event: Dict, condition: unknown): void {
  const api = asDict(asDict(asDict(template["Resources"])[apiId])["Properties"]);
  const path = isString(event["Path"]) ? event["Path"] : "";
  const method = isString(event["Method"]) ? event["Method"] : "";
  const route = method === "x-amazon-apigateway-any-method" ? path : `${method.toUpperCase()} ${path}`;
  const settings = expectMap(api["RouteSettings"] ?? dictOf({}), "RouteSettings", ofResource(apiId));
  const own = isGiven(condition) ? makeIf(condition, event["RouteSettings"]) : event["RouteSettings"];
  settings[route] = dictOf({ ...asDict(settings[route]), ...expectMap(own, "RouteSettings", ofEvent(eventId)) });
  api["RouteSettings"] = settings;
}

function describeImplicitApi(template: Dict, kind: Kind, use: ApiUse): void {
  const api = asDict(asDict(template["Resources"])[kind.implicitId]);
  const all = [...use.conditions.values()].flatMap((methods) => Array.from(methods.values()));
  const condition = sharedCondition(template, all, `${kind.implicitId}Condition`);
  if (condition !== undefined) api["Condition"] = condition;
  const deletion = strongest(use.deletionPolicies, ["Retain", "Delete"]);
  if (deletion !== undefined) api["DeletionPolicy"] = deletion;
  const replace = strongest(use.updateReplacePolicies, ["Retain", "Snapshot", "Delete"]);
  if (replace !== undefined) api["UpdateReplacePolicy"] = replace;
}

function strongest(policies: readonly unknown[], order: readonly string[]): string | undefined {
  return order.find((policy) => policies.includes(policy));
}

/** The one condition under which something used only by conditional functions exists; combined under `name` if there are several. */
function sharedCondition(template: Dict, conditions: readonly unknown[], name: string): string | undefined {
  if (conditions.length === 0 || conditions.some(isAbsent)) return undefined;
  const distinct = [...new Set(conditions.filter(isString))].toSorted();
  if (distinct.length < 2) return distinct[0];
  if (!isDict(template["Conditions"])) template["Conditions"] = dictOf({});
  Object.assign(asDict(template["Conditions"]), combineConditions(distinct, name));
  return name;
}

function makePathsConditional(template: Dict, kind: Kind, uses: ReadonlyMap<string, ApiUse>): void {
  for (const [apiId, api] of Object.entries(asDict(template["Resources"]))) {
    if (!isDict(api) || api["Type"] !== kind.apiType) continue;
    const properties = asDict(api["Properties"]);
    if (!isGiven(properties[managed])) continue;
    if (!kind.isDefinition(properties["DefinitionBody"])) throw documentProblem("Invalid API definition.");
    const paths = pathsOf(asDict(properties["DefinitionBody"]));
    for (const path of Object.keys(paths)) {
      const conditions = [...(uses.get(apiId)?.conditions.get(path)?.values() ?? [])];
      const suffix = path.replaceAll("/", "SLASH").replaceAll("{", "OB").replaceAll("}", "CB");
      const condition = sharedCondition(template, conditions, `${apiId}${suffix}PathCondition`);
      if (condition !== undefined) paths[path] = makeIf(condition, paths[path]);
    }
  }
}
