import type { ModelChecker } from "../port.ts";
import { tooLarge, type Check, compileKeywords, type Compiler, type Report } from "./keywords.ts";
import { validationLimits as limits } from "./limits.ts";

/** A schema that cannot be one: its message says why. */
class SchemaError extends Error {}

/** A JSON Schema of draft 4, made ready. */
export interface JsonSchema {
  /** What is wrong with a value, in the words of AWS's validator; empty when it is valid. */
  validate(value: unknown): string[];
}

/**
 * Compile a model's schema into plain closures: nothing of what users write becomes code. What it refers to is resolved within
 * itself and in other models (`https://apigateway.amazonaws.com/restapis/{id}/models/{name}`).
 *
 * @param models schemas by name, as text
 * @throws {SchemaError} for what is no JSON, no schema, or refers to what is not there
 */
export function compileJsonSchema(text: string, models: Readonly<Record<string, string>>): JsonSchema {
  const documents = new Map<string, unknown>([["", parseSchema(text)]]);
  const compiled = new Map<string, Check>();
  const waiting: (() => void)[] = [];
  let depth = 0;

  const documentOf = (name: string): unknown => {
    if (!documents.has(name)) {
      const model = Object.hasOwn(models, name) ? models[name] : undefined;
      if (model === undefined) throw new SchemaError(`Invalid model name specified: ${name}`);
      documents.set(name, parseSchema(model));
    }
    return documents.get(name);
  };
  const resolve = (document: string, reference: string): Check => {
    const { model, pointer } = parseReference(reference);
    const name = model ?? document;
    const key = `${name}#${pointer}`;
    let check: Check | undefined;
    if (!compiled.has(key)) {
      // Placed before it is compiled: a schema may refer to itself.
      compiled.set(key, (value, report) => check?.(value, report));
      const schema = follow(documentOf(name), pointer, reference);
      waiting.push(() => {
        check = compileKeywords(schema, compilerOf(name));
        compiled.set(key, check);
      });
    }
    return (value, report) => compiled.get(key)?.(value, report);
  };
  const compilerOf = (document: string): Compiler => {
    const compiler: Compiler = {
      schema: (schema) => {
        if (++depth > limits.depthMax) throw new SchemaError("Invalid model schema specified. It is nested too deeply");
        const check = compileKeywords(schema, compiler);
        depth--;
        return check;
      },
      reference: (reference) => resolve(document, reference),
      invalid: (message) => new SchemaError(message),
    };
    return compiler;
  };

  const root = compileKeywords(documents.get(""), compilerOf(""));
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) next();
  return {
    validate: (value) => {
      const report: Report = { messages: [], failures: 0, checksLeft: limits.checksPerBodyMax, depth: 0 };
      root(value, report);
      // An alternative that cost too much has taken its message with it.
      if (report.failures > 0 && report.messages.length === 0) report.messages.push(tooLarge);
      return report.messages;
    },
  };
}

/** The compiler as control planes use it: to know what can be compiled before a deployment depends on it. */
export const modelChecker: ModelChecker = {
  problemOf: (schema, models) => {
    try {
      compileJsonSchema(schema, models);
      return undefined;
    } catch (error) {
      if (error instanceof SchemaError) return error.message;
      throw error;
    }
  },
  modelsReferredTo,
};

function modelsReferredTo(text: string): string[] {
  const names = new Set<string>();
  const visit = (value: unknown): void => {
    if (typeof value !== "object" || value === null) return;
    for (const [member, child] of Object.entries(value)) {
      if (member === "$ref" && typeof child === "string") {
        const name = modelUrl.exec(child)?.[1];
        if (name !== undefined) names.add(name);
      } else {
        visit(child);
      }
    }
  };
  try {
    visit(JSON.parse(text));
  } catch {
    // No JSON refers to nothing.
  }
  return [...names];
}

const modelUrl = /^https?:\/\/[^/]+\/restapis\/[^/]+\/models\/([A-Za-z0-9]+)(#.*)?$/;

function parseReference(reference: string): { model?: string; pointer: string } {
  if (reference.startsWith("#")) return { pointer: reference.slice(1) };
  const match = modelUrl.exec(reference);
  if (match?.[1] === undefined) throw new SchemaError(`Invalid $ref specified: ${reference}`);
  return { model: match[1], pointer: (match[2] ?? "#").slice(1) };
}

function follow(document: unknown, pointer: string, reference: string): unknown {
  let target = document;
  for (const part of pointer.split("/").slice(1)) {
    const name = decodePart(part);
    const isThere = typeof target === "object" && target !== null && Object.hasOwn(target, name);
    target = isThere ? new Map<string, unknown>(Object.entries(target ?? {})).get(name) : undefined;
    if (target === undefined) throw new SchemaError(`Invalid $ref specified: ${reference}`);
  }
  return target;
}

function decodePart(part: string): string {
  let decoded = part;
  try {
    decoded = decodeURIComponent(part);
  } catch {
    // Not encoded: taken as it is.
  }
  return decoded.replaceAll("~1", "/").replaceAll("~0", "~");
}

function parseSchema(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new SchemaError("Invalid model schema specified. It is not valid JSON");
  }
}
