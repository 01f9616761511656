import { asMembers, type Members } from "../../aws/open-api.ts";
import { badRequest } from "./errors.ts";
import type { DocumentationLocation, DocumentationType } from "./records.ts";

export interface ValidatorDefinition {
  readonly name: string;
  readonly validateRequestBody: boolean;
  readonly validateRequestParameters: boolean;
}

/** `x-amazon-apigateway-request-validators`: by name. */
export function readValidators(document: Members): Map<string, ValidatorDefinition> {
  const validators = new Map<string, ValidatorDefinition>();
  for (const [name, value] of Object.entries(asMembers(document["x-amazon-apigateway-request-validators"]))) {
    const members = asMembers(value);
    validators.set(name, {
      name,
      validateRequestBody: members["validateRequestBody"] === true,
      validateRequestParameters: members["validateRequestParameters"] === true,
    });
  }
  return validators;
}

/** The validator of an operation: its own, else that of the definition. Throws BadRequestException for an unknown one. */
export function validatorOf(
  document: Members,
  operation: Members,
  validators: ReadonlyMap<string, ValidatorDefinition>,
  where: string,
): string | undefined {
  const extension = "x-amazon-apigateway-request-validator";
  const name = operation[extension] ?? document[extension];
  if (name === undefined || name === "") return undefined;
  if (validators.has(String(name))) return String(name);
  throw badRequest(`Unable to put method '${where}': the request validator '${String(name)}' is not defined`);
}

export interface DocumentationDefinition {
  readonly location: DocumentationLocation;
  readonly properties: string;
}

/** The parts that `x-amazon-apigateway-documentation` lists, and the version that they are where it is named. */
export function readListed(document: Members): { parts: DocumentationDefinition[]; version?: string } {
  const documentation = asMembers(document["x-amazon-apigateway-documentation"]);
  const parts: DocumentationDefinition[] = [];
  const listed = documentation["documentationParts"];
  for (const item of Array.isArray(listed) ? listed : []) {
    const part = asMembers(item);
    parts.push({
      location: parseLocation(asMembers(part["location"])),
      properties:
        typeof part["properties"] === "string" ? part["properties"] : JSON.stringify(part["properties"] ?? {}),
    });
  }
  const version = documentation["version"];
  return { parts, ...(typeof version === "string" && version !== "" ? { version } : {}) };
}

/** What each type of documentation may be of. Source: "Target an API entity for documentation". */
const locationMembers: Readonly<Record<DocumentationType, readonly (keyof DocumentationLocation)[]>> = {
  API: [],
  AUTHORIZER: ["name"],
  MODEL: ["name"],
  RESOURCE: ["path"],
  METHOD: ["path", "method"],
  PATH_PARAMETER: ["path", "method", "name"],
  QUERY_PARAMETER: ["path", "method", "name"],
  REQUEST_HEADER: ["path", "method", "name"],
  REQUEST_BODY: ["path", "method"],
  RESPONSE: ["path", "method", "statusCode"],
  RESPONSE_HEADER: ["path", "method", "statusCode", "name"],
  RESPONSE_BODY: ["path", "method", "statusCode"],
};

const defaultLocation = { path: "/", method: "*", statusCode: "*" } as const;

/** A location with its defaults. Throws BadRequestException for members that its type does not have. */
export function parseLocation(given: Readonly<Record<string, unknown>>): DocumentationLocation {
  const type = documentationTypes.find((known) => known === given["type"]);
  if (type === undefined) throw badRequest(`Invalid documentation part type specified: ${String(given["type"])}`);
  const allowed = locationMembers[type];
  const location: Record<string, string> = {};
  for (const member of ["path", "method", "statusCode", "name"] as const) {
    const value = given[member];
    if (value !== undefined && value !== null && !allowed.includes(member)) {
      throw badRequest(`Invalid location: ${member} is not supported for documentation parts of type ${type}`);
    }
    if (!allowed.includes(member)) continue;
    if (value !== undefined && value !== null) location[member] = String(value);
    else if (member !== "name") location[member] = defaultLocation[member];
    else throw badRequest(`Invalid location: name is required for documentation parts of type ${type}`);
  }
  return { type, ...location };
}

const documentationTypes: readonly DocumentationType[] = [
  "API",
  "AUTHORIZER",
  "MODEL",
  "RESOURCE",
  "METHOD",
  "PATH_PARAMETER",
  "QUERY_PARAMETER",
  "REQUEST_HEADER",
  "REQUEST_BODY",
  "RESPONSE",
  "RESPONSE_HEADER",
  "RESPONSE_BODY",
];
