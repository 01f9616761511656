import { compilePattern } from "../validation/patterns.ts";

/**
 * Whether a text is what an expression says from beginning to end. An expression that a client's text would keep busy for
 * too long does not match, and neither does one that is none. Undefined where there is no expression.
 */
export function compileWholeMatch(expression: string | undefined): ((text: string) => boolean) | undefined {
  if (expression === undefined || expression === "") return undefined;
  try {
    const matches = compilePattern(`^(?:${expression})$`);
    return (text) => matches(text) === true;
  } catch {
    return () => false;
  }
}
