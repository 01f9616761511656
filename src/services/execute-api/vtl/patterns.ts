import { createContext, type Context, Script } from "node:vm";
import { fromJavaPattern } from "../../../wire/java-pattern.ts";
import { TemplateError } from "./errors.ts";
import { templateLimits as limits } from "./limits.ts";

/** A regular expression of a template, whose use is bounded in time. */
export interface BoundedPattern {
  /** Whether it may backtrack for long: each use counts. */
  readonly slow: boolean;
  /** The whole text, as Java's `matches`. */
  matches(text: string): boolean;
  replace(text: string, replacement: string, all: boolean): string;
  /** @param most parts at the most, empty ones at the end among them; 0 for all, without empty ones at the end */
  split(text: string, most: number): string[];
}

/**
 * Compiles a template's regular expressions, once each.
 *
 * Most are plain and are simply run. One that may backtrack without end (groups that repeat, several unbounded parts) is run
 * where it can be stopped.
 */
export function createPatterns(): (source: string) => BoundedPattern {
  const compiled = new Map<string, BoundedPattern>();
  let context: Context | undefined;
  return (source) => {
    let pattern = compiled.get(source);
    if (pattern === undefined) {
      pattern = compile(source, () => (context ??= createContext(Object.create(null))));
      // Patterns may be made of a payload: they are not kept without end.
      if (compiled.size < patternsKeptMax) compiled.set(source, pattern);
    }
    return pattern;
  };
}

const patternsKeptMax = 100;
const patternLengthMax = 1_000;
/** Below it a plain pattern, at worst quadratic, takes a few milliseconds. */
const plainTextMax = 4_096;

function compile(source: string, contextOf: () => Context): BoundedPattern {
  const whole = source.length > patternLengthMax ? undefined : fromJavaPattern(source);
  if (whole === undefined) throw new TemplateError(`The regular expression ${source.slice(0, 100)} is malformed`);
  const body = whole.source.slice("^(?:".length, -")$".length);
  const modifiers = whole.flags;
  const found = new RegExp(body, `g${modifiers}`);
  const slow = unboundedParts(body) > 1;
  const bounded = <T>(text: string, action: string, plainly: () => T): T =>
    !slow && (text.length <= plainTextMax || unboundedParts(body) === 0)
      ? plainly()
      : runBounded<T>(contextOf(), body, modifiers, text, action);
  return {
    slow,
    matches: (text) => bounded(text, "whole.test(text)", () => whole.test(text)),
    replace: (text, replacement, all) => {
      const fill = replacementOf(replacement);
      // The replacement is never run as code: matches are found where they can be stopped, and filled in here.
      const matches = bounded<readonly (readonly (string | number | undefined)[])[]>(
        text,
        "Array.from(text.matchAll(found), (m) => [m.index, ...m])",
        () => Array.from(text.matchAll(found), (match) => [match.index, ...match]),
      );
      let result = "";
      let from = 0;
      for (const [at, ...groups] of all ? matches : matches.slice(0, 1)) {
        result +=
          text.slice(from, Number(at)) + fill(groups.map((group) => (group === undefined ? "" : String(group))));
        from = Number(at) + String(groups[0] ?? "").length;
        if (result.length > limits.outputCharactersMax) throw new TemplateError("The template makes too long a text");
      }
      return result + text.slice(from);
    },
    split: (text, most) => {
      const ends = bounded<readonly (readonly [number, number])[]>(
        text,
        "Array.from(text.matchAll(found), (m) => [m.index, m.index + m[0].length])",
        () =>
          Array.from(text.matchAll(found), (match): [number, number] => [match.index, match.index + match[0].length]),
      );
      const parts: string[] = [];
      let from = 0;
      for (const [start, end] of ends) {
        // As in Java, an empty match at the beginning splits nothing off.
        if (end === 0) continue;
        if (most > 0 && parts.length === most - 1) break;
        parts.push(text.slice(from, start));
        from = end;
      }
      parts.push(text.slice(from));
      if (most !== 0) return parts;
      return parts.slice(0, Math.max(1, parts.findLastIndex((part) => part !== "") + 1));
    },
  };
}

function runBounded<T>(context: Context, source: string, modifiers: string, text: string, action: string): T {
  const script = new Script(
    `(() => { const text = ${JSON.stringify(text)}; const found = new RegExp(${JSON.stringify(source)}, ${JSON.stringify(`g${modifiers}`)}); ` +
      `const whole = new RegExp(${JSON.stringify(`^(?:${source})$`)}, ${JSON.stringify(modifiers)}); return JSON.stringify(${action}); })()`,
  );
  try {
    return JSON.parse(String(script.runInContext(context, { timeout: limits.patternMs })));
  } catch {
    throw new TemplateError(`The regular expression ${source.slice(0, 100)} takes too long`);
  }
}

/** Java's replacement: `$1` is a group, a backslash takes the next character as it is. */
function replacementOf(replacement: string): (groups: readonly string[]) => string {
  if (!/[\\$]/.test(replacement)) return () => replacement;
  const parts: (string | number)[] = [];
  for (let index = 0; index < replacement.length; index++) {
    const character = replacement[index] ?? "";
    const next = replacement[index + 1];
    if (character === "\\") {
      if (next === undefined) throw new TemplateError("A replacement ends with a backslash");
      parts.push(next);
      index++;
    } else if (character === "$") {
      if (next === undefined || !/\d/.test(next)) throw new TemplateError("A replacement refers to no group");
      parts.push(Number(next));
      index++;
    } else {
      parts.push(character);
    }
  }
  return (groups) => parts.map((part) => (typeof part === "number" ? group(groups, part) : part)).join("");
}

function group(groups: readonly string[], index: number): string {
  const text = groups[index];
  if (text === undefined) throw new TemplateError(`A regular expression has no group ${index}`);
  return text;
}

/** How many parts of a pattern may match any length, each of which may multiply the work; infinite where groups repeat. */
function unboundedParts(source: string): number {
  const plain = source
    .replaceAll(/\\[1-9k]/g, "()*")
    .replaceAll(/\\./g, "c")
    .replaceAll(/\[[^\]]*\]/g, "c");
  if (/\)(?:[*+]|\{)/.test(plain)) return Number.POSITIVE_INFINITY;
  return [...plain.matchAll(/[*+]|\{\d+(?:,\d*)?\}/g)].length;
}
