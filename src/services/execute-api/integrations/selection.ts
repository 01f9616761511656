import { createContext, Script } from "node:vm";
import { fromJavaPattern } from "../../../wire/java-pattern.ts";
import { integrationLimits as limits } from "./limits.ts";

/** Finds the integration response for a status or an error message; undefined when none matches and there is no default. */
type Selection<Response> = (text: string | undefined) => Response | undefined;

/** A response to select: the default, where it has no pattern. */
interface Selectable {
  readonly selectionPattern?: string;
}

/**
 * AWS: the response whose pattern, a regular expression of Java, matches the whole text; else the one without a pattern. Without
 * a text, as for a function that did not fail, the latter alone.
 */
export function compileSelection<Response extends Selectable>(responses: readonly Response[]): Selection<Response> {
  const patterns: (readonly [matches: (text: string) => boolean, response: Response])[] = [];
  let fallback: Response | undefined;
  for (const response of responses) {
    if (!response.selectionPattern) fallback ??= response;
    else patterns.push([compilePattern(response.selectionPattern), response]);
  }
  return (text) => {
    if (text !== undefined) {
      const cut = text.slice(0, limits.selectionTextMax);
      for (const [matches, response] of patterns) if (matches(cut)) return response;
    }
    return fallback;
  };
}

/** Words, wildcards and alternatives that no text makes slow. */
const plain =
  /^[\w\s.:;,'"!#%&@/<>=-]*(?:\.[*+])?[\w\s.:;,'"!#%&@/<>=-]*(?:\.[*+])?$|^[\d|.-]+$|^\d(?:\\d|\[\d-\d\]|\{\d\})+$/;

/** A pattern that may take long for some text is stopped then, and has not matched. */
function compilePattern(pattern: string): (text: string) => boolean {
  const expression = fromJavaPattern(pattern);
  if (expression === undefined) return () => false;
  // AWS: a dot does not match the end of a line, and messages have many: patterns begin with (?s) or [\s\S]* for them.
  if (plain.test(pattern)) return (text) => expression.test(text);
  const { source, flags } = expression;
  const sandbox: { text: string; matches: boolean } = { text: "", matches: false };
  const context = createContext(sandbox);
  const script = new Script(`matches = new RegExp(${JSON.stringify(source)}, ${JSON.stringify(flags)}).test(text)`);
  return (text) => {
    // Too short for a pattern to take long with.
    if (text.length <= shortText) return expression.test(text);
    sandbox.text = text;
    sandbox.matches = false;
    try {
      script.runInContext(context, { timeout: limits.patternMs });
    } catch {
      return false;
    }
    return sandbox.matches;
  };
}

const shortText = 12;
