import {
  allMethods,
  checkPathItems,
  deepGet,
  integrate,
  integrationKey,
  isOpenApi3,
  methodDefinitions,
  normalizeMethod,
  notAMap,
  pathItems,
  pathsOf,
  requireMap,
  securityOf,
  hasIntegration,
  anyMethod,
} from "./definition.ts";
import {
  isGiven,
  asDict,
  copyDict,
  dictOf,
  display,
  isAbsent,
  isDict,
  isList,
  isSame,
  isString,
  type Dict,
} from "./values.ts";
import { documentProblem, templateProblem } from "./problems.ts";
import { ref } from "./intrinsics.ts";

/** Edits the definition of a REST API: Swagger 2, or OpenAPI 3. */

const endpointKey = "x-amazon-apigateway-endpoint-configuration";
const notMethods = ["summary", "description", "parameters"];

export function newSwagger(): Dict {
  return dictOf({
    swagger: "2.0",
    info: dictOf({ version: "1.0", title: ref("AWS::StackName") }),
    paths: dictOf({}),
  });
}

export function isSwagger(value: unknown): value is Dict {
  if (!isDict(value) || !isDict(value["paths"])) return false;
  return isGiven(value["swagger"]) || (isGiven(value["openapi"]) && isOpenApi3(value["openapi"]));
}

/** A private copy to edit, refused when it is no definition. */
export function openSwagger(value: unknown): Dict {
  if (!isSwagger(value)) {
    throw documentProblem(
      "Invalid Swagger document or the Swagger document is not explicitly defined in 'DefinitionBody'.",
    );
  }
  const definition = copyDict(value);
  checkPathItems(definition);
  return definition;
}

export function disableExecuteApi(definition: Dict, disabled: unknown): void {
  const set = (target: unknown, culprit: string) => {
    if (!isDict(target)) throw documentProblem(`${culprit}: ${notAMap([])}.`);
    target[endpointKey] ??= dictOf({});
    const endpoint = target[endpointKey];
    if (!isDict(endpoint)) throw documentProblem(`${culprit}: ${notAMap([endpointKey])}.`);
    endpoint["disableExecuteApiEndpoint"] = disabled;
  };
  if (!isGiven(definition["openapi"]) || !isOpenApi3(definition["openapi"])) {
    set(definition, "Invalid OpenAPI definition");
    return;
  }
  const servers = isList(definition["servers"]) ? definition["servers"] : [dictOf({})];
  for (const [index, server] of servers.entries()) set(server, `Invalid OpenAPI definition of 'servers[${index}]'`);
  definition["servers"] = servers;
}

export interface LambdaIntegration {
  readonly uri: Dict;
  readonly credentials?: unknown;
  readonly condition?: unknown;
  readonly stream: boolean;
}

export function addLambdaIntegration(
  definition: Dict,
  path: string,
  method: string,
  integration: LambdaIntegration,
): void {
  if (hasIntegration(definition, path, method)) {
    throw documentProblem(`Lambda integration already exists on Path=${path}, Method=${normalizeMethod(method)}`);
  }
  const { uri, credentials, condition, stream } = integration;
  integrate(definition, path, method, condition, (target) => {
    target[integrationKey] = dictOf({
      type: "aws_proxy",
      httpMethod: "POST",
      uri,
      ...(stream ? { responseTransferMode: "STREAM" } : {}),
      ...(isAbsent(credentials) ? {} : { credentials }),
    });
    target["responses"] ??= dictOf({});
  });
}

export interface Cors {
  readonly origins: unknown;
  readonly headers?: unknown;
  readonly methods?: unknown;
  readonly maxAge?: unknown;
  readonly credentials?: unknown;
}

/** Adds the OPTIONS method that answers preflight requests, unless the path has one. */
export function addCors(definition: Dict, path: string, cors: Cors): void {
  let { methods } = cors;
  for (const item of pathItems(definition, path)) {
    if (Object.hasOwn(item, "options")) continue;
    if (!isGiven(cors.origins)) throw templateProblem("Invalid input. Value for AllowedOrigins is required");
    if (!isGiven(methods)) methods = `'${allowedMethods(item)}'`;
    item["options"] = preflight({ ...cors, methods });
  }
}

function allowedMethods(item: Dict): string {
  const methods = Object.keys(item);
  const all = methods.includes(anyMethod)
    ? ["OPTIONS", "GET", "HEAD", "POST", "PUT", "DELETE", "PATCH"]
    : [...methods, "options"].map((method) => method.toUpperCase());
  return [...new Set(all)].toSorted().join(",");
}

function preflight(cors: Cors): Dict {
  const parameters = dictOf({});
  const headers = dictOf({});
  const add = (name: string, value: unknown, type: string) => {
    parameters[`method.response.header.${name}`] = value;
    headers[name] = dictOf({ type });
  };
  add("Access-Control-Allow-Origin", cors.origins, "string");
  if (isGiven(cors.headers)) add("Access-Control-Allow-Headers", cors.headers, "string");
  if (isGiven(cors.methods)) add("Access-Control-Allow-Methods", cors.methods, "string");
  if (!isAbsent(cors.maxAge)) add("Access-Control-Max-Age", cors.maxAge, "integer");
  if (cors.credentials === true) add("Access-Control-Allow-Credentials", "'true'", "string");
  return dictOf({
    summary: "CORS support",
    consumes: ["application/json"],
    produces: ["application/json"],
    [integrationKey]: dictOf({
      type: "mock",
      requestTemplates: { "application/json": '{\n  "statusCode" : 200\n}\n' },
      responses: dictOf({
        default: {
          statusCode: "200",
          responseParameters: parameters,
          responseTemplates: { "application/json": "{}\n" },
        },
      }),
    }),
    responses: dictOf({ "200": dictOf({ description: "Default response for CORS method", headers }) }),
  });
}

function securityDefinitions(definition: Dict): Dict {
  if (!isGiven(definition["securityDefinitions"])) definition["securityDefinitions"] = dictOf({});
  const definitions = definition["securityDefinitions"];
  if (!isDict(definitions)) throw templateProblem("securityDefinitions must be a dictionary.");
  return definitions;
}

export function addAuthorizers(definition: Dict, authorizers: ReadonlyMap<string, Dict>): void {
  const definitions = securityDefinitions(definition);
  for (const [name, authorizer] of authorizers) definitions[name] = authorizer;
}

function addSecurityDefinition(definition: Dict, name: string, value: Dict): void {
  const definitions = securityDefinitions(definition);
  if (!Object.hasOwn(definitions, name)) definitions[name] = value;
}

function addApiKeyDefinition(definition: Dict): void {
  addSecurityDefinition(definition, "api_key", { type: "apiKey", name: "x-api-key", in: "header" });
}

/** AWS: the IAM scheme is defined when it is the first requirement of some method. */
function setSecurity(definition: Dict, method: Dict, security: unknown[]): void {
  method["security"] = security;
  const first = security[0];
  if (!isDict(first) || !Object.hasOwn(first, "AWS_IAM")) return;
  addSecurityDefinition(definition, "AWS_IAM", {
    "x-amazon-apigateway-authtype": "awsSigv4",
    type: "apiKey",
    name: "Authorization",
    in: "header",
  });
}

function requirements(method: Dict, path: string, name: string): Dict[] {
  return securityOf(method, path, name).map((item) =>
    requireMap(item, `${display(item)} in Security for path ${path} method ${name} is not a valid dictionary.`),
  );
}

/** Sets the default authorizer on the methods of a path that have none of their own (`NONE` opts out). */
export function setDefaultAuthorizer(
  definition: Dict,
  path: string,
  authorizer: { readonly name: string; readonly scopes: unknown; readonly known: ReadonlySet<string> },
  onPreflight: boolean,
): void {
  for (const [name, method] of allMethods(definition, path, notMethods)) {
    if (name === "options" && !onPreflight) continue;
    const all = requirements(method, path, name);
    const own = all.filter((item) => Object.keys(item).some((key) => authorizer.known.has(key)));
    const others = all.filter((item) => !own.includes(item));
    const none = others.findIndex((item) => Object.hasOwn(item, "NONE"));
    let chosen = own;
    if (none >= 0) {
      others.splice(none, 1);
      chosen = [];
    } else if (own.length === 0) chosen = [dictOf({ [authorizer.name]: authorizer.scopes })];
    const security = [...others, ...chosen];
    if (security.length > 0) setSecurity(definition, method, security);
  }
}

const isApiKey = (item: Dict): boolean => Object.hasOwn(item, "api_key") || Object.hasOwn(item, "api_key_false");

export function setDefaultApiKey(definition: Dict, onPreflight: boolean): void {
  addApiKeyDefinition(definition);
  for (const path of Object.keys(pathsOf(definition))) {
    for (const [name, method] of allMethods(definition, path, notMethods)) {
      const all = requirements(method, path, name);
      const others = all.filter((item) => !isApiKey(item));
      const declined = all.some((item) => Object.hasOwn(item, "api_key_false"));
      const needed = !declined && (name !== "options" || onPreflight);
      const security = needed ? [...others, dictOf({ api_key: [] })] : others;
      if (!isSame(security, all)) method["security"] = security;
    }
  }
}

export function setMethodAuthorizer(
  definition: Dict,
  path: string,
  name: string,
  authorizer: string,
  authorizers: unknown,
  scopes: unknown,
): void {
  for (const method of methodDefinitions(definition, path, name)) {
    const existing = securityOf(method, path, name);
    let required: unknown = [];
    if (authorizer !== "NONE" && isDict(authorizers) && isGiven(authorizers)) {
      const known = authorizers[authorizer] ?? {};
      if (!isDict(known)) throw documentProblem(`Type of authorizer '${authorizer}' must be a dictionary`);
      const wanted = isAbsent(scopes) ? known["AuthorizationScopes"] : scopes;
      if (!isAbsent(authorizers[authorizer]) && !isAbsent(wanted)) required = wanted;
    }
    setSecurity(definition, method, [...existing, dictOf({ [authorizer]: required })]);
  }
}

export function setMethodApiKey(definition: Dict, path: string, name: string, isRequired: boolean): void {
  for (const method of methodDefinitions(definition, path, name)) {
    if (isRequired) addApiKeyDefinition(definition);
    const requirement = isRequired ? dictOf({ api_key: [] }) : dictOf({ api_key_false: [] });
    method["security"] = [...securityOf(method, path, name), requirement];
  }
}

export function addRequestValidator(
  definition: Dict,
  path: string,
  name: string,
  body: boolean,
  parameters: boolean,
): void {
  const validator = body
    ? parameters
      ? "body-and-params"
      : "body-only"
    : parameters
      ? "params-only"
      : "no-validation";
  const key = "x-amazon-apigateway-request-validators";
  if (!isDict(definition[key])) definition[key] = dictOf({});
  asDict(definition[key])[validator] ??= { validateRequestBody: body, validateRequestParameters: parameters };
  for (const method of methodDefinitions(definition, path, name)) {
    method["x-amazon-apigateway-request-validator"] = validator;
  }
}

export function addRequestModel(
  definition: Dict,
  path: string,
  name: string,
  model: string,
  isRequired: unknown,
): void {
  const id = model.toLowerCase();
  const required = isAbsent(isRequired) ? {} : { required: isRequired };
  for (const method of methodDefinitions(definition, path, name)) {
    if (!isAbsent(definition["swagger"])) {
      const schema = { $ref: `#/definitions/${id}` };
      method["parameters"] = [...parametersOf(method), { in: "body", name: id, schema, ...required }];
    } else if (isGiven(definition["openapi"]) && isOpenApi3(definition["openapi"])) {
      const schema = { $ref: `#/components/schemas/${id}` };
      method["requestBody"] = { content: { "application/json": { schema } }, ...required };
    }
  }
}

const parametersOf = (method: Dict): unknown[] => (isList(method["parameters"]) ? method["parameters"] : []);

export interface RequestParameter {
  /** `method.request.header.Authorization` */
  readonly name: string;
  readonly isRequired: unknown;
  readonly isCached: unknown;
}

export function addRequestParameters(
  definition: Dict,
  path: string,
  name: string,
  parameters: readonly RequestParameter[],
): void {
  for (const method of methodDefinitions(definition, path, name)) {
    const all = [...parametersOf(method)];
    for (const parameter of parameters) {
      const [location = "", ...rest] = parameter.name.replace("method.request.", "").split(".");
      all.push({
        in: location === "querystring" ? "query" : location,
        name: rest.join("."),
        required: parameter.isRequired,
        type: "string",
      });
      if (!isGiven(parameter.isCached)) continue;
      const integration = asDict(method[integrationKey]);
      const keys = isList(integration["cacheKeyParameters"]) ? integration["cacheKeyParameters"] : [];
      integration["cacheKeyParameters"] = [...keys, parameter.name];
    }
    method["parameters"] = all;
  }
}

export function addModels(definition: Dict, models: Dict): void {
  if (!isGiven(definition["definitions"])) definition["definitions"] = dictOf({});
  for (const [name, schema] of Object.entries(models)) {
    if (!isGiven(asDict(schema)["type"])) throw documentProblem("'Models' schema is missing 'type'.");
    asDict(definition["definitions"])[name.toLowerCase()] = schema;
  }
}

/** `~1` in media types is how JSON pointers write `/`. */
export function unescapeMediaTypes(value: unknown): unknown {
  if (isString(value)) return value.replaceAll("~1", "/");
  if (isList(value)) return value.map(unescapeMediaTypes);
  if (!isDict(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key.replaceAll("~1", "/"), unescapeMediaTypes(item)]),
  );
}

/** Moves what SAM added in Swagger 2 terms to where OpenAPI 3 keeps it. */
export function toOpenApi3(definition: Dict): void {
  for (const [from, to] of [
    ["securityDefinitions", "securitySchemes"],
    ["definitions", "schemas"],
  ] as const) {
    if (!isGiven(definition[from])) continue;
    const components = isGiven(definition["components"]) ? asDict(definition["components"]) : dictOf({});
    components[to] = definition[from];
    definition["components"] = components;
    Reflect.deleteProperty(definition, from);
  }
  if (!isGiven(definition["paths"])) return;
  const paths = requireMap(definition["paths"], "Value of paths must be a dictionary according to Swagger spec.");
  for (const [path, item] of Object.entries(paths)) {
    const methods = requireMap(item, `Value of '${path}' path must be a dictionary according to Swagger spec.`);
    if (isGiven(methods["options"])) optionsToOpenApi3(methods["options"], path);
  }
}

function optionsToOpenApi3(value: unknown, path: string): void {
  const options = requireMap(
    value,
    `Value of options method for path ${path} must be a dictionary according to Swagger spec.`,
  );
  Reflect.deleteProperty(options, "produces");
  Reflect.deleteProperty(options, "consumes");
  if (!Object.hasOwn(options, "responses")) return;
  const { value: headers, wrong } = deepGet(options["responses"], ["200", "headers"]);
  if (wrong !== undefined) throw documentProblem(`Invalid responses in options method for path ${path}: ${wrong}.`);
  if (!isGiven(headers)) return;
  const map = requireMap(
    headers,
    `Value of response's headers in options method for path ${path} must be a dictionary according to Swagger spec.`,
  );
  for (const [name, header] of Object.entries(map)) map[name] = { schema: header };
}
