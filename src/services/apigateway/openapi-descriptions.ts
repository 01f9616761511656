import { asMembers, type Members } from "../../aws/open-api.ts";
import { type DocumentationDefinition, parseLocation } from "./openapi-describing.ts";
import { resolve } from "./openapi-document.ts";
import type { DocumentationLocation } from "./records.ts";

/**
 * What a definition's descriptions document, as parts of documentation.
 *
 * Source: "Representation of API documentation in API Gateway", and "Documentation parts" of definitions. What exports write where
 * nothing was described (`200 response`) documents nothing.
 *
 * @param paths the definition's, by the path that each becomes
 */
export function readDescriptions(document: Members, paths: ReadonlyMap<string, Members>): DocumentationDefinition[] {
  const parts: DocumentationDefinition[] = [];
  const add = (location: DocumentationLocation, properties: Members) => {
    if (Object.keys(properties).length === 0) return;
    parts.push({ location: parseLocation({ ...location }), properties: JSON.stringify(properties) });
  };
  const info = textsOf(asMembers(document["info"]), ["description"]);
  add({ type: "API" }, Object.keys(info).length === 0 ? {} : { info });
  const schemes = {
    ...asMembers(document["securityDefinitions"]),
    ...asMembers(asMembers(document["components"])["securitySchemes"]),
  };
  for (const [name, scheme] of Object.entries(schemes)) {
    if (asMembers(scheme)["x-amazon-apigateway-authorizer"] === undefined) continue;
    add({ type: "AUTHORIZER", name }, textsOf(asMembers(scheme), ["description"]));
  }
  const schemas = { ...asMembers(document["definitions"]), ...asMembers(asMembers(document["components"])["schemas"]) };
  for (const [name, schema] of Object.entries(schemas)) {
    add({ type: "MODEL", name }, textsOf(asMembers(schema), ["title", "description"]));
  }
  for (const [path, item] of paths) {
    add({ type: "RESOURCE", path }, textsOf(item, ["summary", "description"]));
    for (const [member, value] of Object.entries(item)) {
      const method = methodOf(member);
      if (method !== undefined) addOperation(document, item, asMembers(value), { path, method }, add);
    }
  }
  return parts;
}

function addOperation(
  document: Members,
  item: Members,
  operation: Members,
  at: { readonly path: string; readonly method: string },
  add: (location: DocumentationLocation, properties: Members) => void,
): void {
  const { tags } = operation;
  add(
    { type: "METHOD", ...at },
    {
      ...(Array.isArray(tags) && tags.length > 0 ? { tags: tags.map(String) } : {}),
      ...textsOf(operation, ["summary", "description"]),
    },
  );
  for (const given of [...listOf(item["parameters"]), ...listOf(operation["parameters"])]) {
    const parameter = resolve(document, given);
    const described = textsOf(parameter, ["description"]);
    const name = String(parameter["name"]);
    switch (parameter["in"]) {
      case "path":
        add({ type: "PATH_PARAMETER", ...at, name }, described);
        break;
      case "query":
        add({ type: "QUERY_PARAMETER", ...at, name }, described);
        break;
      case "header":
        add({ type: "REQUEST_HEADER", ...at, name }, described);
        break;
      case "body":
        add({ type: "REQUEST_BODY", ...at }, described);
        break;
      default:
    }
  }
  add({ type: "REQUEST_BODY", ...at }, textsOf(resolve(document, operation["requestBody"]), ["description"]));
  for (const [statusCode, value] of Object.entries(asMembers(operation["responses"]))) {
    if (!/^[1-5]\d\d$/.test(statusCode)) continue;
    const response = resolve(document, value);
    const described = textsOf(response, ["description"]);
    if (described["description"] !== `${statusCode} response`) add({ type: "RESPONSE", ...at, statusCode }, described);
    for (const [name, header] of Object.entries(asMembers(response["headers"]))) {
      add({ type: "RESPONSE_HEADER", ...at, statusCode, name }, textsOf(asMembers(header), ["description"]));
    }
  }
}

/** Undefined for a member that is no operation. */
function methodOf(member: string): string | undefined {
  const lower = member.toLowerCase();
  if (lower === "x-amazon-apigateway-any-method") return "ANY";
  return /^(?:get|put|post|delete|options|head|patch)$/.test(lower) ? lower.toUpperCase() : undefined;
}

function textsOf(members: Members, names: readonly string[]): Record<string, string> {
  const texts: Record<string, string> = {};
  for (const name of names) {
    const text = members[name];
    if (typeof text === "string" && text.trim() !== "") texts[name] = text;
  }
  return texts;
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}
