import {
  alternatives,
  anyMethod,
  deepGet,
  hasIntegration,
  integrate,
  integrationKey,
  isOpenApi3,
  methodDefinitions,
  normalizeMethod,
  pathItems,
  requireMap,
  securityOf,
} from "./definition.ts";
import { isIntrinsic, ref } from "./intrinsics.ts";
import { documentProblem, type Problem } from "./problems.ts";
import {
  asDict,
  copyDict,
  dictOf,
  display,
  isAbsent,
  isDict,
  isGiven,
  isList,
  isSame,
  isString,
  type Dict,
} from "./values.ts";

/** Edits the OpenAPI 3 definition of an HTTP API. */

export const defaultPath = "$default";
const corsKey = "x-amazon-apigateway-cors";

export function newOpenApi(): Dict {
  return dictOf({
    openapi: "3.0.1",
    info: dictOf({ version: "1.0", title: ref("AWS::StackName") }),
    paths: dictOf({}),
  });
}

export function isOpenApi(value: unknown): value is Dict {
  return isDict(value) && isDict(value["paths"]) && isGiven(value["openapi"]) && isOpenApi3(value["openapi"]);
}

/** A private copy to edit; `refuse` makes the problem when it is no definition. */
export function openOpenApi(value: unknown, refuse: (message: string) => Problem = documentProblem): Dict {
  if (!isOpenApi(value)) {
    throw refuse(
      "Invalid OpenApi document. Invalid values or missing keys for 'openapi' or 'paths' in 'DefinitionBody'.",
    );
  }
  const definition = copyDict(value);
  const { wrong } = deepGet(definition, ["components", "securitySchemes"]);
  if (wrong !== undefined) throw refuse(`Invalid OpenApi document: ${wrong}`);
  return definition;
}

export function addHttpIntegration(
  definition: Dict,
  path: string,
  method: string,
  uri: Dict,
  condition: unknown,
): void {
  if (hasIntegration(definition, path, method)) return;
  const integrationUri = isGiven(condition) ? { "Fn::If": [condition, uri, ref("AWS::NoValue")] } : uri;
  integrate(definition, path, method, condition, (target) => {
    target[integrationKey] = dictOf({
      type: "aws_proxy",
      httpMethod: "POST",
      payloadFormatVersion: "2.0",
      uri: integrationUri,
    });
    if (path === defaultPath && normalizeMethod(method) === anyMethod) target["isDefaultRoute"] = true;
    target["responses"] ??= dictOf({});
  });
}

/** Whether the `$default` route already leads to this function: then its other routes need no permission of their own. */
export function leadsToFunction(definition: Dict, path: string, method: string, logicalId: string): boolean {
  if (!hasIntegration(definition, path, method)) return false;
  return methodDefinitions(definition, path, method, false).every((one) => {
    const integration = requireMap(
      one[integrationKey] ?? {},
      `Value of '${integrationKey}' must be a dictionary according to Swagger spec.`,
    );
    const uri = integration["uri"];
    if (!isDict(uri)) return false;
    return alternatives(uri).every((choice) => {
      const text = asDict(choice)["Fn::Sub"];
      return isString(text) && /([A-Za-z0-9]+)\.Arn/.exec(text)?.[1] === logicalId;
    });
  });
}

export function addPathParameters(definition: Dict, path: string, method: string, names: readonly string[]): void {
  for (const one of methodDefinitions(definition, path, method)) {
    const parameters = isList(one["parameters"]) ? one["parameters"] : [];
    for (const name of names) {
      const existing = parameters.find((parameter) => asDict(parameter)["name"] === name);
      if (isDict(existing)) Object.assign(existing, { in: "path", required: true });
      else parameters.push({ name, in: "path", required: true });
    }
    one["parameters"] = parameters;
  }
}

export function setPayloadFormatVersion(definition: Dict, path: string, method: string, version: unknown): void {
  for (const one of methodDefinitions(definition, path, method))
    asDict(one[integrationKey])["payloadFormatVersion"] = version;
}

export function setRouteAuthorizer(
  definition: Dict,
  path: string,
  method: string,
  authorizer: string,
  authorizers: unknown,
  scopes: unknown,
): void {
  for (const one of methodDefinitions(definition, path, method)) {
    let required: unknown = [];
    if (authorizer !== "NONE" && authorizer !== "AWS_IAM") {
      const known = asDict(authorizers)[authorizer];
      if (!isDict(known)) throw documentProblem(`Type of authorizer '${authorizer}' must be a dictionary`);
      const wanted = isGiven(scopes) ? scopes : known["AuthorizationScopes"];
      if (isGiven(known) && isGiven(wanted)) required = wanted;
    }
    one["security"] = [...securityOf(one, path, method), dictOf({ [authorizer]: required })];
  }
}

export function addSecuritySchemes(definition: Dict, authorizers: ReadonlyMap<string, Dict>): void {
  if (authorizers.size === 0) return;
  if (!isGiven(definition["components"])) definition["components"] = dictOf({});
  const components = asDict(definition["components"]);
  if (!isGiven(components["securitySchemes"])) components["securitySchemes"] = dictOf({});
  const schemes = asDict(components["securitySchemes"]);
  for (const [name, scheme] of authorizers) schemes[name] = scheme;
}

export function setDefaultRouteAuthorizer(definition: Dict, path: string, authorizer: string, scopes: unknown): void {
  for (const item of pathItems(definition, path)) {
    for (const [name, content] of Object.entries(item)) {
      const method = normalizeMethod(name);
      if (method === "parameters" || method === "options") continue;
      if (!Object.hasOwn(item, method))
        throw documentProblem(`Could not find ${method} in ${path} within DefinitionBody.`);
      for (const one of alternatives(content)) {
        const definitionOfMethod = requireMap(
          one,
          `Definition of method '${name}' for path '${path}' should be a map.`,
        );
        if (!isGiven(definitionOfMethod[integrationKey]) || isGiven(definitionOfMethod["security"])) continue;
        definitionOfMethod["security"] = [dictOf({ [authorizer]: scopes })];
      }
    }
  }
}

export function addTags(definition: Dict, tags: Dict): void {
  const all = isGiven(definition["tags"]) ? definition["tags"] : [];
  if (!isList(all)) {
    const kind = isDict(all) ? "dict" : isString(all) ? "str" : "int";
    throw documentProblem(
      `Tags in OpenApi DefinitionBody needs to be a list. ${display(all)} is a ${kind} not a list.`,
    );
  }
  for (const [name, value] of Object.entries(tags)) {
    const existing = all.find((tag) => asDict(tag)["name"] === name);
    if (isDict(existing)) existing["x-amazon-apigateway-tag-value"] = value;
    else all.push({ name, "x-amazon-apigateway-tag-value": value });
  }
  definition["tags"] = all;
}

export function disableDefaultEndpoint(definition: Dict, disabled: unknown): void {
  const servers = isList(definition["servers"]) ? definition["servers"] : [dictOf({})];
  for (const server of servers) {
    const target = requireMap(server, "Value of 'servers' item must be a dictionary according to Swagger spec.");
    const endpoint = asDict(target["x-amazon-apigateway-endpoint-configuration"]);
    endpoint["disableExecuteApiEndpoint"] = disabled;
    target["x-amazon-apigateway-endpoint-configuration"] = endpoint;
  }
  definition["servers"] = servers;
}

const corsNames = ["AllowOrigins", "AllowHeaders", "AllowMethods", "ExposeHeaders", "MaxAge", "AllowCredentials"];

const lowerFirst = (name: string): string => (name[0] ?? "").toLowerCase() + name.slice(1);

export function addHttpCors(definition: Dict, cors: Dict): void {
  const existing = requireMap(
    definition[corsKey] ?? dictOf({}),
    `Value of '${corsKey}' must be a dictionary according to Swagger spec.`,
  );
  if (isIntrinsic(cors["AllowOrigins"])) Object.assign(existing, lowerKeys(cors["AllowOrigins"]));
  else {
    for (const name of corsNames) {
      const value = cors[name];
      const wanted =
        name === "MaxAge" ? !isAbsent(value) : name === "AllowCredentials" ? value === true : isGiven(value);
      if (wanted) existing[lowerFirst(name)] = value;
    }
  }
  definition[corsKey] = existing;
}

/** An intrinsic function that chooses whole configurations: their keys are written as OpenAPI wants them. */
function lowerKeys(value: unknown): unknown {
  if (isList(value)) return value.map((item) => lowerKeys(item));
  if (!isDict(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [corsNames.includes(key) ? lowerFirst(key) : key, lowerKeys(item)]),
  );
}

export function hasGeneratedTitle(definition: Dict): boolean {
  return isSame(asDict(definition["info"])["title"], ref("AWS::StackName"));
}

export function setInfo(definition: Dict, name: "title" | "description", value: unknown): void {
  if (!isGiven(definition["info"])) definition["info"] = dictOf({});
  asDict(definition["info"])[name] = value;
}
