import { createContext, Script } from "node:vm";
import { validationLimits as limits } from "./limits.ts";

/** Whether a text matches, or `undefined` when finding out takes too long. */
export type Pattern = (text: string) => boolean | undefined;

/**
 * A schema's `pattern`: a regular expression of ECMA 262, found anywhere in the text. A pattern that may take long for some text
 * is run with a limit; the plain ones, which most are, cost what they cost.
 *
 * @throws {SyntaxError} for what is no regular expression
 */
export function compilePattern(source: string): Pattern {
  const expression = new RegExp(source);
  const isPlain = unboundedParts(source) <= (source.startsWith("^") ? 2 : 1);
  let timed: ((text: string) => boolean | undefined) | undefined;
  return (text) => {
    if (isPlain && text.length <= limits.plainPatternTextMax) return expression.test(text);
    timed ??= timedTest(source);
    return timed(text);
  };
}

/** How many parts of a pattern may match any length, each of which may multiply the work; infinite where groups repeat. */
function unboundedParts(source: string): number {
  const plain = source
    .replaceAll(/\\[1-9k]/g, "()*")
    .replaceAll(/\\./g, "c")
    .replaceAll(/\[[^\]]*\]/g, "c");
  if (/\)(?:[*+]|\{)/.test(plain)) return Number.POSITIVE_INFINITY;
  let parts = 0;
  for (const [quantifier] of plain.matchAll(/[*+]|\{\d+(?:,\d*)?\}/g)) {
    const most = /^\{(\d+)\}$/.exec(quantifier)?.[1] ?? /^\{\d+,(\d+)\}$/.exec(quantifier)?.[1];
    if (most === undefined || Number(most) > limits.plainPatternRepeatMax) parts++;
  }
  return parts;
}

function timedTest(source: string): (text: string) => boolean | undefined {
  const sandbox: { text: string; matches: boolean | undefined } = { text: "", matches: undefined };
  const context = createContext(sandbox);
  const script = new Script(`matches = new RegExp(${JSON.stringify(source)}).test(text)`);
  return (text) => {
    sandbox.text = text;
    sandbox.matches = undefined;
    try {
      script.runInContext(context, { timeout: limits.patternMs });
    } catch {
      return undefined;
    }
    return sandbox.matches;
  };
}
