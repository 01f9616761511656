import { createContext, Script } from "node:vm";
import { cloudFormationLimits as limits } from "../limits.ts";
import type { ParameterDeclaration } from "./document.ts";
import type { JsonValue } from "./parse.ts";
import { formatError, TemplateError } from "./template-error.ts";

const scalarTypes = new Set(["String", "Number"]);
const listTypes = new Set(["List<Number>", "List<String>", "CommaDelimitedList"]);

/** AWS-specific types whose values are checked against an account's EC2 and Route 53: those services are not here. */
const awsTypes = /^(?:List<)?AWS::(?:EC2|Route53)::[A-Za-z:]+>?$/;

/** Refuse parameter types that are unknown, or that need a service that is not here. */
export function checkParameterTypes(parameters: Iterable<ParameterDeclaration>): void {
  for (const { name, type } of parameters) {
    if (scalarTypes.has(type) || listTypes.has(type)) continue;
    if (type.startsWith("AWS::SSM::Parameter::") || awsTypes.test(type)) {
      throw new TemplateError(`The type ${type} of parameter [${name}] is not implemented by Cumulet`);
    }
    throw formatError(`Unrecognized parameter type: ${type}`);
  }
}

/**
 * The value of each parameter as text: given, previous or default, checked against all its constraints.
 *
 * @param given values by name; undefined asks for the previous one
 * @throws {TemplateError} `Parameters: [X] must have values` …
 */
export function resolveParameters(
  declarations: ReadonlyMap<string, ParameterDeclaration>,
  given: ReadonlyMap<string, string | undefined>,
  previous: ReadonlyMap<string, string>,
): ReadonlyMap<string, string> {
  checkParameterTypes(declarations.values());
  const unknown = [...given.keys()].filter((name) => !declarations.has(name));
  if (unknown.length > 0) throw new TemplateError(`Parameters: [${unknown.join(", ")}] do not exist in the template`);
  const values = new Map<string, string>();
  const missing: string[] = [];
  for (const declaration of declarations.values()) {
    const { name } = declaration;
    const value = given.get(name) ?? (given.has(name) ? previous.get(name) : undefined) ?? declaration.defaultValue;
    if (value === undefined) missing.push(name);
    else values.set(name, value);
  }
  if (missing.length > 0) throw new TemplateError(`Parameters: [${missing.join(", ")}] must have values`);
  for (const declaration of declarations.values()) checkValue(declaration, values.get(declaration.name) ?? "");
  return values;
}

/** What `Ref` gives: lists are split. */
export function parameterValue(type: string, text: string): JsonValue {
  if (type === "CommaDelimitedList" || type.startsWith("List<")) {
    return text === "" ? [] : text.split(",").map((each) => each.trim());
  }
  return text;
}

function checkValue(declaration: ParameterDeclaration, value: string): void {
  const { name, type, constraintDescription } = declaration;
  const failed = (message: string) =>
    new TemplateError(
      constraintDescription === undefined
        ? message
        : `Parameter '${name}' failed to satisfy constraint: ${constraintDescription}`,
    );
  if (Buffer.byteLength(value) > limits.parameterValueBytesMax) {
    throw new TemplateError(`Parameter '${name}' must be at most ${limits.parameterValueBytesMax} bytes`);
  }
  const isListed = type === "CommaDelimitedList" || type.startsWith("List<");
  const items = isListed ? value.split(",").map((each) => each.trim()) : [value];
  if (declaration.allowedValues && !items.every((item) => declaration.allowedValues?.includes(item))) {
    throw failed(`Parameter '${name}' must be one of AllowedValues`);
  }
  if (type === "Number" || type === "List<Number>") {
    for (const item of items) checkNumber(declaration, item, failed);
    return;
  }
  if (declaration.minLength !== undefined && value.length < declaration.minLength) {
    throw failed(`Parameter '${name}' must contain at least ${declaration.minLength} characters`);
  }
  if (declaration.maxLength !== undefined && value.length > declaration.maxLength) {
    throw failed(`Parameter '${name}' must contain at most ${declaration.maxLength} characters`);
  }
  const { allowedPattern } = declaration;
  if (allowedPattern !== undefined && !items.every((item) => matches(allowedPattern, item, name))) {
    throw failed(`Parameter '${name}' must match pattern ${allowedPattern}`);
  }
}

function checkNumber(
  declaration: ParameterDeclaration,
  text: string,
  failed: (message: string) => TemplateError,
): void {
  const { name, minValue, maxValue } = declaration;
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value)) throw new TemplateError(`Parameter '${name}' must be a number.`);
  if (minValue !== undefined && value < minValue)
    throw failed(`Parameter '${name}' must be a number not less than ${minValue}`);
  if (maxValue !== undefined && value > maxValue)
    throw failed(`Parameter '${name}' must be a number not greater than ${maxValue}`);
}

/**
 * Java's dialect is CloudFormation's; what JavaScript cannot read of it is refused. The whole value must match. Both the
 * pattern and the value are the caller's: one that backtracks without end is stopped, and so refused.
 */
function matches(pattern: string, value: string, name: string): boolean {
  const translated = pattern
    .replaceAll(String.raw`\p{Alnum}`, "[A-Za-z0-9]")
    .replaceAll(String.raw`\p{Alpha}`, "[A-Za-z]")
    .replaceAll(/\\[AZz]/g, "");
  const source = `^(?:${translated})$`;
  try {
    // Beside the clock: a busy machine takes its time to make a context.
    const context = createContext({ source, value });
    return matching.runInContext(context, { timeout: patternTimeoutMs }) === true;
  } catch {
    throw formatError(`AllowedPattern ${pattern} of parameter ${name} is not a valid regular expression`);
  }
}

const matching = new Script("new RegExp(source).test(value)");
const patternTimeoutMs = 300;
