import { compare, next, parseBoolean, tokenize, toOperand, type Comparison, type Cursor } from "./expression.ts";
import { invalidFilterPattern } from "./refusals.ts";
import type { Matches } from "./unstructured.ts";

/** `{ $.user.id = 1 && $.name != "x*" || $.tags[0] NOT EXISTS }` */
export function parseJsonPattern(pattern: string): Matches {
  const test = parseBoolean<unknown>(tokenize(pattern.slice(1, -1)), parseCondition);
  return (message) => {
    if (!message.trimStart().startsWith("{") && !message.trimStart().startsWith("[")) return false;
    try {
      return test(JSON.parse(message));
    } catch {
      return false;
    }
  };
}

/** The first scalar that a selector finds in a JSON message. Throws for what is no selector. */
export function readSelector(message: string, selector: string): string | undefined {
  const path = parseSelector(selector);
  let document: unknown;
  try {
    document = JSON.parse(message);
  } catch {
    return undefined;
  }
  const value = select(document, path).find((each) => ["string", "number", "boolean"].includes(typeof each));
  return value === undefined ? undefined : String(value);
}

const comparisons: readonly string[] = ["=", "!=", "<", ">", "<=", ">="] satisfies Comparison[];

function isComparison(text: string): text is Comparison {
  return comparisons.includes(text);
}

function parseCondition(cursor: Cursor): (document: unknown) => boolean {
  const selector = next(cursor);
  if (selector?.kind !== "word" || selector.quoted) throw invalidFilterPattern();
  const path = parseSelector(selector.text);
  const operator = next(cursor);
  if (operator?.kind === "symbol" && isComparison(operator.text)) {
    const [how, operand] = [operator.text, toOperand(next(cursor))];
    // AWS: a property that is not there satisfies no comparison, `!=` included.
    return (document) => select(document, path).some((value) => value !== undefined && compare(value, how, operand));
  }
  const word = wordOf(operator);
  if (word === "EXISTS") return (document) => select(document, path).some((value) => value !== undefined);
  const object = wordOf(next(cursor));
  if (word === "NOT" && object === "EXISTS") {
    return (document) => select(document, path).every((value) => value === undefined);
  }
  if (word === "IS" && object === "NULL") return (document) => select(document, path).includes(null);
  if (word === "IS" && object === "TRUE") return (document) => select(document, path).includes(true);
  if (word === "IS" && object === "FALSE") return (document) => select(document, path).includes(false);
  throw invalidFilterPattern();
}

function wordOf(token: ReturnType<typeof next>): string | undefined {
  return token?.kind === "word" && !token.quoted ? token.text.toUpperCase() : undefined;
}

type Step = string | number | "*";

/** `$.a.b[0].c[*]["d e"]` → steps. */
function parseSelector(text: string): readonly Step[] {
  if (!text.startsWith("$")) throw invalidFilterPattern();
  const steps: Step[] = [];
  const part = /\.([A-Za-z0-9_@$-]+|\*)|\[(\d+|\*|"[^"]*"|'[^']*')\]/gy;
  part.lastIndex = 1;
  let end = 1;
  for (let match = part.exec(text); match; match = part.exec(text)) {
    end = part.lastIndex;
    const [, name, index] = match;
    if (name !== undefined) steps.push(name);
    else if (index === "*") steps.push("*");
    else if (index !== undefined && /^\d/.test(index)) steps.push(Number(index));
    else steps.push((index ?? "").slice(1, -1));
  }
  if (end !== text.length || steps.length === 0) throw invalidFilterPattern();
  return steps;
}

function select(document: unknown, path: readonly Step[]): unknown[] {
  let values: unknown[] = [document];
  for (const step of path) {
    values = values.flatMap((value) => {
      if (typeof value !== "object" || value === null) return [undefined];
      if (step === "*") return Object.values(value);
      return [Object.hasOwn(value, step) ? Reflect.get(value, step) : undefined];
    });
  }
  return values;
}
