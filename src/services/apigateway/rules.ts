import { notImplemented } from "../../aws/error.ts";
import { badRequest } from "./errors.ts";
import { apiGatewayLimits as limits } from "./limits.ts";
import type { IntegrationRecord, MethodRecord } from "./model.ts";

const methods = new Set(["ANY", "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);

/** Refuse, by name, the members of a request that nothing here acts on. Empty and false ones ask for nothing. */
export function refuseMembers(operation: string, input: object, names: readonly string[]): void {
  for (const [name, value] of Object.entries(input)) {
    if (names.includes(name) && asksForSomething(value)) throw notImplemented(`${operation} with ${name}`);
  }
}

export function asksForSomething(value: unknown): boolean {
  if (value === undefined || value === null || value === false || value === "") return false;
  return typeof value !== "object" || Object.keys(value).length > 0;
}

export function parseHttpMethod(method: string | undefined): string {
  if (method !== undefined && methods.has(method)) return method;
  throw badRequest("Invalid HTTP method specified: must be one of GET, PUT, POST, DELETE, PATCH, OPTIONS, HEAD, ANY");
}

export function parseAuthorizationType(type: string | undefined): MethodRecord["authorizationType"] {
  if (type === "NONE" || type === "AWS_IAM" || type === "CUSTOM" || type === "COGNITO_USER_POOLS") return type;
  throw badRequest(
    "Invalid authorization type specified. Valid options are NONE, AWS_IAM, CUSTOM, and COGNITO_USER_POOLS",
  );
}

/** Whether a path part is a variable, a greedy one, or literal; throws for anything else. */
export function checkPathPart(pathPart: string): void {
  if (/^[A-Za-z0-9._\-:~%@+$&'()*,;=!]+$/.test(pathPart) || /^\{[\w.:-]+\+?\}$/.test(pathPart)) return;
  throw badRequest(
    "Resource's path part only allow a-zA-Z0-9._-: or a valid greedy path variable and curly braces at the beginning and the end.",
  );
}

export function checkStageName(stageName: string | undefined): string {
  if (stageName !== undefined && /^[\w-]{1,128}$/.test(stageName)) return stageName;
  throw badRequest("Stage name only allows a-zA-Z0-9_-");
}

export function checkVariables(variables: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  for (const [name, value] of Object.entries(variables)) {
    if (!/^\w{1,64}$/.test(name)) {
      throw badRequest(`Stage variable name ${name} is not valid: only alphanumeric characters and _ are allowed`);
    }
    if (value.length > 512 || !/^[\w.~:/?#&=,@-]*$/.test(value)) {
      throw badRequest(
        `Stage variable ${name} has an invalid value. Please use values with alphanumeric characters and the symbols ' ', -', '.', '_', ':', '/', '?', '&', '=', and ','.`,
      );
    }
  }
  return variables;
}

export function checkTags(tags: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const entries = Object.entries(tags);
  if (entries.length > limits.tagsMax) throw badRequest(`A resource has at most ${limits.tagsMax} tags`);
  for (const [key, value] of entries) {
    if (key.length < 1 || key.length > 128 || value.length > 256) throw badRequest(`The tag ${key} is too long`);
  }
  return tags;
}

export function parsePassthrough(behavior: string | undefined): IntegrationRecord["passthroughBehavior"] {
  const value = behavior?.toUpperCase() ?? "WHEN_NO_MATCH";
  if (value === "WHEN_NO_MATCH" || value === "WHEN_NO_TEMPLATES" || value === "NEVER") return value;
  throw badRequest("Invalid passthrough behavior specified");
}

/** One page of a list whose items are told apart by `idOf`. */
export function pageOf<T>(
  items: readonly T[],
  idOf: (item: T) => string,
  limit: number | undefined,
  position: string | undefined,
): { items: T[]; position?: string } {
  const size = Math.min(Math.max(limit ?? limits.pageDefault, 1), limits.pageMax);
  let start = 0;
  if (position !== undefined) {
    const after = Buffer.from(position, "base64url").toString("utf8");
    start = items.findIndex((item) => idOf(item) === after) + 1;
    if (start === 0) throw badRequest("Invalid position parameter");
  }
  const page = items.slice(start, start + size);
  const last = page.at(-1);
  return start + size >= items.length || last === undefined
    ? { items: page }
    : { items: page, position: Buffer.from(idOf(last), "utf8").toString("base64url") };
}

/** A moment as AWS tells it of this service: without fractions of a second. */
export function wholeSecond(epochMs: number): Date {
  return new Date(Math.floor(epochMs / 1000) * 1000);
}
