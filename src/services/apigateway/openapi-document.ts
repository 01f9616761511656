import { parse as parseYaml } from "yaml";
import { notImplemented } from "../../aws/error.ts";
import { asMembers, type Members } from "../../aws/open-api.ts";
import { badRequest } from "./errors.ts";
import { apiGatewayLimits as limits } from "./limits.ts";
import { asksForSomething } from "./rules.ts";

/** Read a definition in JSON or YAML. Throws BadRequestException. */
export function parseDocument(body: Uint8Array): Members {
  if (body.byteLength > limits.definitionBytesMax) throw badRequest("The definition is larger than 6 MB");
  const text = Buffer.from(body).toString("utf8");
  let value: unknown;
  try {
    value = text.trimStart().startsWith("{") ? JSON.parse(text) : parseYaml(text, { maxAliasCount: 100 });
  } catch {
    throw badRequest("Invalid OpenAPI input: the definition is neither JSON nor YAML");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw badRequest("Invalid OpenAPI input: the definition is not an object");
  }
  if (isTooDeep(value)) throw badRequest("Invalid OpenAPI input: the definition is nested too deeply");
  return asMembers(value);
}

/** Level by level, so that what is nested without end is found before anything follows it. */
function isTooDeep(value: object): boolean {
  let level: object[] = [value];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > limits.definitionDepthMax) return true;
    const next: object[] = [];
    for (const item of level) {
      for (const child of Object.values(item)) if (typeof child === "object" && child !== null) next.push(child);
    }
    level = next;
  }
  return false;
}

/** A map of texts: numbers and flags are written out. */
export function readTexts(value: unknown): Record<string, string> {
  return Object.fromEntries(Object.entries(asMembers(value)).map(([name, text]) => [name, String(text)]));
}

/** Refuse, by name, extensions of AWS that nothing here acts on. */
export function refuseExtensions(members: Members, known: ReadonlySet<string>, where: string): void {
  for (const [name, value] of Object.entries(members)) {
    if (name.startsWith("x-amazon-apigateway-") && !known.has(name) && asksForSomething(value)) {
      throw notImplemented(`${name} (${where})`);
    }
  }
}

/** Follow a `$ref` into the same document. */
export function resolve(document: Members, value: unknown): Members {
  const members = asMembers(value);
  const reference = members["$ref"];
  if (typeof reference !== "string") return members;
  let target: unknown = document;
  for (const part of reference.replace(/^#\//, "").split("/")) target = asMembers(target)[part];
  return asMembers(target);
}
