import { TemplateError } from "./errors.ts";
import { parseFilter, type Filter } from "./json-path-filter.ts";
import { templateLimits as limits } from "./limits.ts";
import { deeper, skipSpace, type Source, take } from "./source.ts";
import type { Value } from "./values.ts";

/** A JSONPath, parsed. */
export interface JsonPath {
  /** Of `$`, the document, or in filters of `@`, the item. */
  readonly from: "document" | "item";
  readonly tokens: readonly PathToken[];
  /** Whether it leads to one place: then it gives that value, else a list. */
  readonly isDefinite: boolean;
}

export type PathToken =
  | { readonly kind: "names"; readonly names: readonly string[] }
  | { readonly kind: "indices"; readonly indices: readonly number[] }
  | { readonly kind: "slice"; readonly from: number | undefined; readonly to: number | undefined }
  | { readonly kind: "every" }
  | { readonly kind: "filter"; readonly filter: Filter }
  /** `..`: what follows is looked for at every depth. */
  | { readonly kind: "scan" }
  | { readonly kind: "function"; readonly name: PathFunction; readonly args: readonly Value[] };

export const pathFunctions = [
  "min",
  "max",
  "avg",
  "sum",
  "stddev",
  "length",
  "size",
  "keys",
  "concat",
  "append",
  "first",
  "last",
  "index",
] as const;

export type PathFunction = (typeof pathFunctions)[number];

/**
 * Parse a JSONPath as JSONPath for Java (Jayway) has it: deep scans, wildcards, slices, filters, functions. `a.b` is `$.a.b`.
 *
 * @throws {TemplateError} for one that is malformed
 */
export function parseJsonPath(text: string): JsonPath {
  const trimmed = text.trim();
  if (trimmed.length > limits.pathLengthMax) throw new TemplateError("A JSONPath is too long");
  const source: Source = { text: /^[$@]/.test(trimmed) ? trimmed : `$.${trimmed}`, at: 0, depth: 0 };
  const path = parsePath(source);
  if (source.at < source.text.length) throw malformedPath(source);
  return path;
}

/** Read a path at `$` or `@`, up to what cannot belong to one. */
export function parsePath(source: Source): JsonPath {
  return deeper(source, () => {
    const from = source.text[source.at] === "@" ? "item" : "document";
    source.at++;
    const tokens: PathToken[] = [];
    for (;;) {
      const token = parseToken(source);
      if (token === undefined) break;
      tokens.push(token);
    }
    if (tokens.at(-1)?.kind === "scan") throw malformedPath(source);
    return { from, tokens, isDefinite: tokens.every((token, index) => isDefinite(token, index === tokens.length - 1)) };
  });
}

/** Names in brackets at the end are merged into one object. */
function isDefinite(token: PathToken, isLast: boolean): boolean {
  if (token.kind === "names") return token.names.length === 1 || isLast;
  return token.kind === "function" || (token.kind === "indices" && token.indices.length === 1);
}

function parseToken(source: Source): PathToken | undefined {
  if (source.text[source.at] === "[") return parseBrackets(source);
  if (source.text.startsWith("..", source.at)) {
    // What follows is read as after one dot, or in brackets.
    source.at += source.text[source.at + 2] === "[" ? 2 : 1;
    return { kind: "scan" };
  }
  if (!take(source, ".")) return undefined;
  if (take(source, "*")) return { kind: "every" };
  const name = /^[^.[\]()\s,&|=<>!?'"]+/.exec(source.text.slice(source.at, source.at + limits.pathLengthMax))?.[0];
  if (name === undefined) throw malformedPath(source);
  source.at += name.length;
  if (source.text[source.at] !== "(") return { kind: "names", names: [name] };
  const known = pathFunctions.find((candidate) => candidate === name);
  if (known === undefined) throw new TemplateError(`The JSONPath function ${name}() does not exist`);
  source.at++;
  return { kind: "function", name: known, args: parseFunctionArguments(source) };
}

function parseFunctionArguments(source: Source): Value[] {
  const args: Value[] = [];
  skipSpace(source);
  if (take(source, ")")) return args;
  for (;;) {
    skipSpace(source);
    const written = /^(?:-?\d+(?:\.\d+)?|"[^"\\]*"|'[^'\\]*')/.exec(source.text.slice(source.at))?.[0];
    if (written === undefined) throw malformedPath(source);
    source.at += written.length;
    args.push(/^["']/.test(written) ? written.slice(1, -1) : Number(written));
    skipSpace(source);
    if (take(source, ")")) return args;
    if (!take(source, ",")) throw malformedPath(source);
  }
}

function parseBrackets(source: Source): PathToken {
  source.at++;
  skipSpace(source);
  const next = source.text[source.at];
  if (next === "?") {
    source.at++;
    skipSpace(source);
    if (!take(source, "(")) throw malformedPath(source);
    const filter = parseFilter(source, parsePath);
    skipSpace(source);
    if (!take(source, ")")) throw malformedPath(source);
    closeBracket(source);
    return { kind: "filter", filter };
  }
  if (next === "*") {
    source.at++;
    closeBracket(source);
    return { kind: "every" };
  }
  if (next === "'" || next === '"') return parseNames(source);
  return parseIndices(source);
}

function parseNames(source: Source): PathToken {
  const names: string[] = [];
  for (;;) {
    skipSpace(source);
    names.push(parseQuotedName(source));
    skipSpace(source);
    if (take(source, "]")) return { kind: "names", names };
    if (!take(source, ",")) throw malformedPath(source);
  }
}

/** In single or double quotation marks, with backslashes before what would end it. */
export function parseQuotedName(source: Source): string {
  const mark = source.text[source.at] ?? "";
  if (mark !== "'" && mark !== '"') throw malformedPath(source);
  let name = "";
  for (let index = source.at + 1; index < source.text.length; index++) {
    const character = source.text[index] ?? "";
    if (character === mark) {
      source.at = index + 1;
      return name;
    }
    if (character === "\\") index++;
    name += source.text[index] ?? "";
  }
  throw malformedPath(source);
}

function parseIndices(source: Source): PathToken {
  const end = source.text.indexOf("]", source.at);
  if (end === -1) throw malformedPath(source);
  const written = source.text.slice(source.at, end).replaceAll(/\s/g, "");
  source.at = end + 1;
  const slice = /^(-?\d{1,9})?:(-?\d{1,9})?$/.exec(written);
  if (slice !== null) {
    const [, from, to] = slice;
    return {
      kind: "slice",
      from: from === undefined ? undefined : Number(from),
      to: to === undefined ? undefined : Number(to),
    };
  }
  if (!/^-?\d{1,9}(?:,-?\d{1,9})*$/.test(written)) throw malformedPath(source);
  return { kind: "indices", indices: written.split(",").map(Number) };
}

function closeBracket(source: Source): void {
  skipSpace(source);
  if (!take(source, "]")) throw malformedPath(source);
}

function malformedPath(source: Source): TemplateError {
  return new TemplateError(`The JSONPath ${source.text.slice(0, 100)} is malformed at character ${source.at}`);
}
