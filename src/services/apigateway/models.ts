import type { ModelChecker } from "../execute-api/port.ts";
import { badRequest } from "./errors.ts";
import type { MethodRecord } from "./model.ts";
import type { ModelRecord, RequestValidatorRecord } from "./records.ts";

/** The models that CreateRestApi makes. */
export const defaultModels: readonly Omit<ModelRecord, "id">[] = [
  {
    name: "Empty",
    description: "This is a default empty schema model",
    schema:
      '{\n  "$schema": "http://json-schema.org/draft-04/schema#",\n  "title" : "Empty Schema",\n  "type" : "object"\n}',
    contentType: "application/json",
  },
  {
    name: "Error",
    description: "This is a default error schema model",
    schema:
      '{\n  "$schema" : "http://json-schema.org/draft-04/schema#",\n  "title" : "Error Schema",\n  "type" : "object",\n  "properties" : {\n    "message" : { "type" : "string" }\n  }\n}',
    contentType: "application/json",
  },
];

export function checkModelName(name: string | undefined): string {
  if (name !== undefined && /^[A-Za-z0-9]+$/.test(name)) return name;
  throw badRequest("Model name must be alphanumeric");
}

export function schemasByName(models: readonly ModelRecord[]): Record<string, string> {
  return Object.fromEntries(models.map((model) => [model.name, model.schema]));
}

/** Why a model cannot be kept, as AWS says it; undefined when it can. */
export function schemaProblem(
  checker: ModelChecker,
  model: ModelRecord,
  models: readonly ModelRecord[],
): string | undefined {
  const problem = model.schema === "" ? undefined : checker.problemOf(model.schema, schemasByName(models));
  return problem === undefined
    ? undefined
    : `Invalid model specified: Validation Result: warnings : [], errors : [${problem}]`;
}

/** A model with all that it refers to within itself: what `flatten` asks for. */
export function flattenSchema(checker: ModelChecker, model: ModelRecord, models: readonly ModelRecord[]): string {
  const schemas = schemasByName(models);
  const names = reachable(checker, [model.name], schemas).filter((name) => name !== model.name);
  if (names.length === 0) return model.schema;
  const own = withLocalReferences(model.schema);
  const definitions: Record<string, unknown> = {};
  for (const name of names) definitions[name] = withLocalReferences(schemas[name] ?? "{}");
  return JSON.stringify({ ...own, definitions: { ...asObject(own["definitions"]), ...definitions } });
}

function withLocalReferences(schema: string): Record<string, unknown> {
  const value: unknown = JSON.parse(schema, (name, child: unknown) =>
    name === "$ref" && typeof child === "string"
      ? child.replace(/^https?:\/\/[^/]+\/restapis\/[^/]+\/models\/([A-Za-z0-9]+)$/, "#/definitions/$1")
      : child,
  );
  return asObject(value);
}

function asObject(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : {};
}

/** Models by name and all that they refer to. */
function reachable(
  checker: ModelChecker,
  from: readonly string[],
  schemas: Readonly<Record<string, string>>,
): string[] {
  const found = new Set<string>();
  const waiting = [...from];
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    const schema = schemas[name];
    if (schema === undefined || found.has(name)) continue;
    found.add(name);
    waiting.push(...checker.modelsReferredTo(schema));
  }
  return [...found];
}

/** What a deployment freezes of request validation. */
export interface FrozenValidation {
  readonly validationOf: (method: MethodRecord) => Validation | undefined;
  /** The schemas that methods need; complete once each method has been asked for. */
  readonly schemas: () => Record<string, string>;
}

interface Validation {
  readonly requiredParameters: readonly string[];
  readonly bodyModels: Readonly<Record<string, string>>;
}

/** Freeze validators and models. Throws BadRequestException for a method whose model is not there or cannot be one. */
export function freezeValidation(
  checker: ModelChecker,
  models: readonly ModelRecord[],
  validators: readonly RequestValidatorRecord[],
): FrozenValidation {
  const byId = new Map(validators.map((validator) => [validator.id, validator]));
  const schemas = schemasByName(models);
  const used = new Set<string>();
  return {
    validationOf: (method) => {
      const validator = byId.get(method.requestValidatorId ?? "");
      if (validator === undefined) return undefined;
      const requiredParameters = validator.validateRequestParameters
        ? Object.entries(method.requestParameters ?? {}).flatMap(([name, isRequired]) => (isRequired ? name : []))
        : [];
      const bodyModels = validator.validateRequestBody ? (method.requestModels ?? {}) : {};
      for (const name of Object.values(bodyModels)) {
        const schema = schemas[name];
        if (schema === undefined) throw badRequest(`Invalid model identifier specified: ${name}`);
        const problem = checker.problemOf(schema === "" ? "{}" : schema, schemas);
        if (problem !== undefined) throw badRequest(problem);
        used.add(name);
      }
      if (requiredParameters.length === 0 && Object.keys(bodyModels).length === 0) return undefined;
      return { requiredParameters, bodyModels };
    },
    schemas: () =>
      Object.fromEntries(reachable(checker, [...used], schemas).map((name) => [name, schemas[name] || "{}"])),
  };
}
