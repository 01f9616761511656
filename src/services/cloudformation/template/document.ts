import { cloudFormationLimits as limits } from "../limits.ts";
import { isList, isObject, type JsonObject, type JsonValue } from "./parse.ts";
import { formatError, TemplateError, templateError } from "./template-error.ts";

/** A template whose sections have the right form. Values still hold intrinsic functions. */
export interface Template {
  readonly description: string | undefined;
  readonly metadata: JsonObject | undefined;
  readonly transforms: readonly string[];
  readonly parameters: ReadonlyMap<string, ParameterDeclaration>;
  readonly mappings: ReadonlyMap<string, JsonObject>;
  readonly conditions: ReadonlyMap<string, JsonValue>;
  readonly resources: ReadonlyMap<string, ResourceDeclaration>;
  readonly outputs: ReadonlyMap<string, OutputDeclaration>;
}

export interface ParameterDeclaration {
  readonly name: string;
  readonly type: string;
  readonly defaultValue: string | undefined;
  readonly description: string | undefined;
  readonly noEcho: boolean;
  readonly allowedValues: readonly string[] | undefined;
  readonly allowedPattern: string | undefined;
  readonly constraintDescription: string | undefined;
  readonly minLength: number | undefined;
  readonly maxLength: number | undefined;
  readonly minValue: number | undefined;
  readonly maxValue: number | undefined;
}

export interface ResourceDeclaration {
  readonly logicalId: string;
  readonly type: string;
  readonly properties: JsonObject;
  readonly dependsOn: readonly string[];
  readonly condition: string | undefined;
  readonly deletionPolicy: DeletionPolicy;
  readonly updateReplacePolicy: "Delete" | "Retain";
  readonly metadata: JsonObject | undefined;
}

export type DeletionPolicy = "Delete" | "Retain" | "RetainExceptOnCreate";

export interface OutputDeclaration {
  readonly name: string;
  readonly value: JsonValue;
  readonly description: string | undefined;
  readonly exportName: JsonValue | undefined;
  readonly condition: string | undefined;
}

const sectionNames = new Set([
  "AWSTemplateFormatVersion",
  "Description",
  "Metadata",
  "Parameters",
  "Rules",
  "Mappings",
  "Conditions",
  "Transform",
  "Resources",
  "Outputs",
  "Hooks",
]);

/** Check the form of all sections. @throws {TemplateError} in CloudFormation's words */
export function readTemplate(source: JsonObject): Template {
  const unknown = Object.keys(source).filter((name) => !sectionNames.has(name));
  if (unknown.length > 0) throw new TemplateError(`Invalid template property or properties [${unknown.join(", ")}]`);
  for (const name of ["Rules", "Hooks"]) {
    if (source[name] !== undefined)
      throw new TemplateError(`The template section ${name} is not implemented by Cumulet`);
  }
  const version = source["AWSTemplateFormatVersion"];
  if (version !== undefined && version !== "2010-09-09") {
    throw formatError(`${String(version)} is not a supported value for AWSTemplateFormatVersion.`);
  }
  const description = source["Description"];
  if (description !== undefined && typeof description !== "string")
    throw formatError("Description member must be a string");
  if (description !== undefined && Buffer.byteLength(description) > limits.descriptionBytesMax) {
    throw formatError(`Template description is longer than ${limits.descriptionBytesMax} bytes`);
  }
  refuseNulls(source);
  const resources = section(source, "Resources");
  if (resources.length === 0) throw formatError("At least one Resources member must be defined.");
  return {
    description,
    metadata: isObject(source["Metadata"]) ? source["Metadata"] : undefined,
    transforms: readTransforms(source),
    parameters: readParameters(source),
    mappings: new Map(
      section(source, "Mappings", limits.mappingsMax).map(([name, value]) => [name, mapping(name, value)]),
    ),
    conditions: new Map(section(source, "Conditions")),
    resources: readEach(resources, "Resource", limits.resourcesMax, readResource),
    outputs: readEach(section(source, "Outputs"), "Output", limits.outputsMax, readOutput),
  };
}

/** The macros of the `Transform` section, in order. */
export function readTransforms(source: JsonObject): readonly string[] {
  const transform = source["Transform"];
  if (transform === undefined) return [];
  const list = isList(transform) ? transform : [transform];
  return list.map((each) => {
    const name = isObject(each) ? each["Name"] : each;
    if (typeof name !== "string") throw formatError("Transform must be a string or a list of strings");
    return name;
  });
}

/** The `Parameters` section alone: what a template summary needs before any transform has run. */
export function readParameters(source: JsonObject): ReadonlyMap<string, ParameterDeclaration> {
  return readEach(section(source, "Parameters"), "Parameter", limits.parametersMax, readParameter);
}

function section(source: JsonObject, name: string, max = Number.POSITIVE_INFINITY): readonly [string, JsonValue][] {
  const value = source[name];
  if (value === undefined) return [];
  if (!isObject(value)) throw formatError(`[/${name}] expected a map`);
  const entries = Object.entries(value);
  if (entries.length > max) throw tooMany(name.toLowerCase(), entries.length, max);
  return entries;
}

const tooMany = (what: string, count: number, max: number) =>
  formatError(`Number of ${what}, ${count}, is greater than maximum allowed, ${max}`);

function readEach<T>(
  entries: readonly [string, JsonValue][],
  noun: string,
  max: number,
  read: (name: string, value: JsonValue) => T,
): ReadonlyMap<string, T> {
  if (entries.length > max) throw tooMany(`${noun.toLowerCase()}s`, entries.length, max);
  return new Map(
    entries.map(([name, value]) => {
      if (!/^[A-Za-z0-9]+$/.test(name)) throw formatError(`${noun} name ${name} is non alphanumeric.`);
      if (name.length > limits.logicalIdLengthMax) {
        throw formatError(`${noun} name ${name} is longer than ${limits.logicalIdLengthMax} characters`);
      }
      return [name, read(name, value)];
    }),
  );
}

/** CloudFormation has no null: `[/Resources/A/Properties/B] 'null' values are not allowed in templates`. */
function refuseNulls(source: JsonObject): void {
  const visit = (value: JsonValue, path: string): void => {
    if (value === null) throw formatError(`[${path}] 'null' values are not allowed in templates`);
    if (isList(value)) value.forEach((each, index) => visit(each, `${path}/${index}`));
    else if (isObject(value)) for (const [key, each] of Object.entries(value)) visit(each, `${path}/${key}`);
  };
  for (const name of ["Parameters", "Mappings", "Conditions", "Resources", "Outputs"]) {
    const value = source[name];
    if (value !== undefined) visit(value, `/${name}`);
  }
}

function mapping(name: string, value: JsonValue): JsonObject {
  if (!isObject(value)) throw formatError("Every Mappings member must be a map");
  const keys = Object.entries(value);
  if (keys.length > limits.mappingAttributesMax)
    throw tooMany("mapping attributes", keys.length, limits.mappingAttributesMax);
  for (const [key, attributes] of keys) {
    if (!isObject(attributes))
      throw formatError(`Every Mappings attribute must be a String or a List. [/Mappings/${name}/${key}]`);
    for (const attribute of Object.values(attributes)) {
      if (isObject(attribute)) throw formatError("Every Mappings attribute must be a String or a List.");
    }
  }
  return value;
}

const parameterMembers = new Set([
  "Type",
  "Default",
  "Description",
  "NoEcho",
  "AllowedValues",
  "AllowedPattern",
  "ConstraintDescription",
  "MinLength",
  "MaxLength",
  "MinValue",
  "MaxValue",
]);

function readParameter(name: string, value: JsonValue): ParameterDeclaration {
  if (!isObject(value)) throw formatError(`[/Parameters/${name}] Every Parameters member must be a map.`);
  for (const member of Object.keys(value)) {
    if (!parameterMembers.has(member)) throw new TemplateError(`Invalid template parameter property '${member}'`);
  }
  const text = (member: string): string | undefined => {
    const given = value[member];
    if (given === undefined) return undefined;
    if (isList(given) || isObject(given)) throw formatError(`Every ${member} member must be a string.`);
    return String(given);
  };
  const number = (member: string): number | undefined => {
    const given = text(member);
    if (given === undefined) return undefined;
    if (given.trim() === "" || !Number.isFinite(Number(given))) {
      throw formatError(`[/Parameters/${name}] ${member} must be a number.`);
    }
    return Number(given);
  };
  const type = text("Type");
  if (type === undefined)
    throw formatError(`[/Parameters/${name}] Every Parameters object must contain a Type member.`);
  const allowed = value["AllowedValues"];
  if (allowed !== undefined && !isList(allowed))
    throw formatError(`[/Parameters/${name}] AllowedValues must be a list.`);
  return {
    name,
    type,
    defaultValue: text("Default"),
    description: text("Description"),
    noEcho: text("NoEcho")?.toLowerCase() === "true",
    allowedValues: allowed?.map(String),
    allowedPattern: text("AllowedPattern"),
    constraintDescription: text("ConstraintDescription"),
    minLength: number("MinLength"),
    maxLength: number("MaxLength"),
    minValue: number("MinValue"),
    maxValue: number("MaxValue"),
  };
}

const resourceMembers = new Set([
  "Type",
  "Properties",
  "DependsOn",
  "Condition",
  "DeletionPolicy",
  "UpdateReplacePolicy",
  "Metadata",
  "CreationPolicy",
  "UpdatePolicy",
  // AWS: accepted and without meaning in templates; older tools write them.
  "Description",
  "Version",
]);

function readResource(logicalId: string, value: JsonValue): ResourceDeclaration {
  if (!isObject(value)) throw formatError(`[/Resources/${logicalId}] Every Resources member must be a map.`);
  const type = value["Type"];
  if (type === undefined) {
    throw formatError(`[/Resources/${logicalId}] Every Resources object must contain a Type member.`);
  }
  if (typeof type !== "string") throw formatError(`[/Resources/${logicalId}/Type] must be a string.`);
  for (const member of Object.keys(value)) {
    if (!resourceMembers.has(member)) throw new TemplateError(`Invalid template resource property '${member}'`);
  }
  for (const member of ["CreationPolicy", "UpdatePolicy"]) {
    if (value[member] !== undefined) {
      throw new TemplateError(`The attribute ${member} of resource [${logicalId}] is not implemented by Cumulet`);
    }
  }
  const properties = value["Properties"] ?? {};
  if (!isObject(properties)) throw formatError(`[/Resources/${logicalId}/Properties] Properties must be a map.`);
  const condition = value["Condition"];
  if (condition !== undefined && typeof condition !== "string")
    throw formatError("Every Condition member must be a string.");
  return {
    logicalId,
    type,
    properties,
    dependsOn: readDependsOn(value["DependsOn"]),
    condition,
    deletionPolicy: readPolicy(logicalId, type, "DeletionPolicy", value["DeletionPolicy"]),
    updateReplacePolicy:
      readPolicy(logicalId, type, "UpdateReplacePolicy", value["UpdateReplacePolicy"]) === "Retain"
        ? "Retain"
        : "Delete",
    metadata: isObject(value["Metadata"]) ? value["Metadata"] : undefined,
  };
}

function readDependsOn(value: JsonValue | undefined): readonly string[] {
  if (value === undefined) return [];
  const list = isList(value) ? value : [value];
  return list.map((each) => {
    if (typeof each !== "string") throw formatError("DependsOn must be a string or list of strings.");
    return each;
  });
}

function readPolicy(logicalId: string, type: string, member: string, value: JsonValue | undefined): DeletionPolicy {
  if (value === undefined || value === "Delete") return "Delete";
  if (value === "Retain" || (value === "RetainExceptOnCreate" && member === "DeletionPolicy")) return value;
  if (value === "Snapshot") throw templateError(`resource type ${type} does not support deletion policy Snapshot`);
  throw formatError(
    `Unrecognized ${member} ${typeof value === "string" ? value : JSON.stringify(value)} for resource ${logicalId}`,
  );
}

function readOutput(name: string, value: JsonValue): OutputDeclaration {
  if (!isObject(value)) throw formatError(`[/Outputs/${name}] Every Outputs member must be a map.`);
  for (const member of Object.keys(value)) {
    if (!["Value", "Description", "Export", "Condition"].includes(member)) {
      throw new TemplateError(`Invalid template output property '${member}'`);
    }
  }
  const output = value["Value"];
  if (output === undefined) throw formatError(`[/Outputs/${name}] Every Outputs member must contain a Value object`);
  const description = value["Description"];
  if (description !== undefined && typeof description !== "string") {
    throw formatError(`[/Outputs/${name}/Description] Description member must be a string`);
  }
  const condition = value["Condition"];
  if (condition !== undefined && typeof condition !== "string")
    throw formatError("Every Condition member must be a string.");
  const exported = value["Export"];
  if (exported !== undefined && (!isObject(exported) || exported["Name"] === undefined)) {
    throw formatError(`Output ${name} is malformed. The Export field of every Export member must have a Name.`);
  }
  return { name, value: output, description, exportName: isObject(exported) ? exported["Name"] : undefined, condition };
}
