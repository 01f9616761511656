import { readTransforms, type ParameterDeclaration } from "./document.ts";
import { expandForEach } from "./for-each.ts";
import { parameterValue } from "./parameters.ts";
import type { JsonObject, JsonValue } from "./parse.ts";
import { TemplateError } from "./template-error.ts";

export const samTransform = "AWS::Serverless-2016-10-31";
const languageExtensions = "AWS::LanguageExtensions";

/** A transform has refused the template. The message begins with `Transform … failed with: `. */
export class TransformError extends Error {
  constructor(transform: string, message: string) {
    super(`Transform ${transform} failed with: ${message}`);
    this.name = "TransformError";
  }
}

/** The SAM transform as a function: throws an `Error` with the transform's message. */
export type SamTransform = (
  template: JsonObject,
  context: { readonly parameters: ReadonlyMap<string, JsonValue>; readonly region: string; readonly now: number },
) => JsonObject;

/** What the template becomes by its transforms; undefined when it names none. @throws {TransformError | TemplateError} */
export function applyTransforms(
  source: JsonObject,
  declarations: ReadonlyMap<string, ParameterDeclaration>,
  context: {
    readonly values: ReadonlyMap<string, string>;
    readonly region: string;
    readonly now: number;
    readonly sam: SamTransform;
  },
): JsonObject | undefined {
  const names = readTransforms(source);
  for (const name of names) {
    if (name === samTransform || name === languageExtensions) continue;
    if (name.startsWith("AWS::")) throw new TemplateError(`The transform ${name} is not implemented by Cumulet`);
    throw new TemplateError(`No transform named ${name} found.`);
  }
  if (names.length === 0) return undefined;
  const parameters = new Map<string, JsonValue>();
  for (const [name, { type }] of declarations) {
    const value = context.values.get(name);
    if (value !== undefined) parameters.set(name, parameterValue(type, value));
  }
  const { Transform: _applied, ...bare } = source;
  let result: JsonObject = bare;
  // AWS: LanguageExtensions always goes before Serverless, in whatever order they are listed.
  if (names.includes(languageExtensions)) result = expandForEach(result, parameters);
  if (names.includes(samTransform))
    result = context.sam(result, { parameters, region: context.region, now: context.now });
  const { Transform: _left, Globals: _globals, ...processed } = result;
  return processed;
}
