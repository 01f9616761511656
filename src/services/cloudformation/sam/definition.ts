import { isNoValue, makeIf } from "./intrinsics.ts";
import { documentProblem } from "./problems.ts";
import { asDict, dictOf, display, isDict, isGiven, isList, type Dict } from "./values.ts";

/** What editing a Swagger 2 and an OpenAPI 3 definition have in common. Paths and methods may be wrapped in `Fn::If`. */

export const integrationKey = "x-amazon-apigateway-integration";
export const anyMethod = "x-amazon-apigateway-any-method";

export function isOpenApi3(version: unknown): boolean {
  return /^3(\.\d)(\.\d)?$/.test(versionText(version));
}

/** YAML reads an unquoted `3.0` as a number, and JavaScript's numbers forget the `.0`. */
export function versionText(version: unknown): string {
  return Number.isInteger(version) ? `${display(version)}.0` : display(version);
}

/** The value itself, or what an `Fn::If` may choose (but for `AWS::NoValue`). */
export function alternatives(value: unknown): unknown[] {
  if (!isDict(value) || !Object.hasOwn(value, "Fn::If")) return [value];
  const items = value["Fn::If"];
  if (!isList(items)) throw documentProblem("Value of Fn::If must be a list.");
  return items.slice(1).filter((item) => !isNoValue(item));
}

export function requireMap(value: unknown, message: string): Dict {
  if (isDict(value)) return value;
  throw documentProblem(message);
}

function requirePathItem(value: unknown, path: string): Dict {
  return requireMap(value, `Value of '${path}' path must be a dictionary according to Swagger spec.`);
}

function requireMethod(value: unknown, path: string, method: string): Dict {
  return requireMap(value, `Definition of method '${method}' for path '${path}' should be a map.`);
}

export function pathsOf(definition: Dict): Dict {
  return asDict(definition["paths"]);
}

export function pathItems(definition: Dict, path: string): Dict[] {
  return alternatives(pathsOf(definition)[path]).map((item) => requirePathItem(item, path));
}

export function checkPathItems(definition: Dict): void {
  for (const path of Object.keys(pathsOf(definition))) pathItems(definition, path);
}

export function normalizeMethod(method: string): string {
  const lower = method.toLowerCase();
  return lower === "any" ? anyMethod : lower;
}

const isIntegrated = (definition: Dict): boolean => isGiven(definition[integrationKey]);

export function hasIntegration(definition: Dict, path: string, rawMethod: string): boolean {
  if (!Object.hasOwn(pathsOf(definition), path)) return false;
  const method = normalizeMethod(rawMethod);
  const items = alternatives(pathsOf(definition)[path]);
  if (items.some((item) => !isDict(item) || !Object.hasOwn(item, method))) return false;
  return items.every((item) => {
    const content = requirePathItem(item, path)[method];
    if (!isDict(content)) return false;
    return alternatives(content).some((one) => isIntegrated(requireMethod(one, path, method)));
  });
}

export function addPath(definition: Dict, path: string, rawMethod: string): void {
  const paths = pathsOf(definition);
  if (!Object.hasOwn(paths, path)) paths[path] = dictOf({});
  requirePathItem(paths[path], path);
  const method = normalizeMethod(rawMethod);
  for (const item of pathItems(definition, path)) if (!Object.hasOwn(item, method)) item[method] = dictOf({});
}

/** The definitions of one method of a path; without an integration they are none of SAM's business. */
export function methodDefinitions(definition: Dict, path: string, rawMethod: string, integratedOnly = true): Dict[] {
  const method = normalizeMethod(rawMethod);
  return pathItems(definition, path)
    .flatMap((item) => alternatives(item[method]))
    .map((one) => requireMethod(one, path, rawMethod))
    .filter((one) => !integratedOnly || isIntegrated(one));
}

/** Every integrated method of a path, whatever is not a method left out by name. */
export function allMethods(
  definition: Dict,
  path: string,
  excluded: readonly string[],
): (readonly [method: string, definition: Dict])[] {
  return pathItems(definition, path)
    .flatMap((item) => Object.entries(item))
    .filter(([method]) => !excluded.includes(method))
    .flatMap(([method, content]) =>
      alternatives(content).map((one) => [normalizeMethod(method), requireMethod(one, path, method)] as const),
    )
    .filter(([, one]) => isIntegrated(one));
}

/** Puts an integration on a method, conditional when the function is. */
export function integrate(
  definition: Dict,
  path: string,
  rawMethod: string,
  condition: unknown,
  fill: (method: Dict) => void,
): void {
  const name = normalizeMethod(rawMethod);
  addPath(definition, path, name);
  for (const item of pathItems(definition, path)) {
    const method = isDict(item[name]) ? item[name] : dictOf({});
    fill(method);
    item[name] = isGiven(condition) ? makeIf(condition, method) : method;
  }
}

export function setTimeoutInMillis(definition: Dict, path: string, method: string, timeout: unknown): void {
  for (const one of methodDefinitions(definition, path, method))
    asDict(one[integrationKey])["timeoutInMillis"] = timeout;
}

/** The list of security requirements of a method. */
export function securityOf(method: Dict, path: string, name: string): unknown[] {
  const security = Object.hasOwn(method, "security") ? method["security"] : [];
  if (isList(security)) return security;
  throw documentProblem(`Type of security for path ${path} method ${name} must be a list`);
}

/** `/users/{id}` → `/users/*`: the path of an execute-api ARN. */
export function arnPath(path: string, greedy: boolean): string {
  return path.replace(greedy ? /\{[a-zA-Z0-9._-]+\+?\}/g : /\{([a-zA-Z0-9._-]+|proxy\+)\}/g, "*");
}

/** Reads `a.b.c` of nested maps; the sentence to complain with when something in between is not a map. */
export function deepGet(
  value: unknown,
  path: readonly string[],
): { readonly value?: unknown; readonly wrong?: string } {
  let current = value;
  for (const [index, key] of path.entries()) {
    if (current === undefined || current === null) return {};
    if (!isDict(current)) return { wrong: notAMap(path.slice(0, index)) };
    current = current[key];
  }
  return { value: current };
}

export function notAMap(path: readonly string[]): string {
  return path.length > 0 ? `The value of '${path.join(".")}' should be a map` : "It should be a map";
}
