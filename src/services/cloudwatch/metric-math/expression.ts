import { cloudWatchLimits } from "../limits.ts";

/** A metric math expression, parsed. */
export type Expression =
  | { readonly kind: "number"; readonly value: number }
  | { readonly kind: "text"; readonly value: string }
  /** The Id of a query, or a word that a function takes (`REPEAT`, `DESC`). */
  | { readonly kind: "name"; readonly name: string }
  | { readonly kind: "list"; readonly items: readonly Expression[] }
  | { readonly kind: "negative"; readonly operand: Expression }
  | { readonly kind: "operation"; readonly operator: string; readonly left: Expression; readonly right: Expression }
  | { readonly kind: "call"; readonly name: string; readonly arguments: readonly Expression[] };

export class ExpressionError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "ExpressionError";
  }
}

/** Loosest first. Source: CloudWatch user guide, "Metric math syntax and functions". */
const levels: readonly (readonly string[])[] = [
  ["||", "OR"],
  ["&&", "AND"],
  ["==", "!=", "<=", ">=", "<", ">"],
  ["+", "-"],
  ["*", "/"],
  ["^"],
];

const token =
  /\s*(?:(\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|\.\d+)|"([^"]*)"|'([^']*)'|([A-Za-z][A-Za-z0-9_]*)|(\|\||&&|==|!=|<=|>=|[-+*/^<>(),[\]]))/y;

interface Token {
  readonly kind: "number" | "text" | "name" | "sign";
  readonly text: string;
}

/** @throws {ExpressionError} */
export function parseExpression(text: string): Expression {
  const tokens = tokenize(text);
  let at = 0;
  let depth = 0;

  const peek = () => tokens[at];
  const isSign = (sign: string) => peek()?.kind === "sign" && peek()?.text === sign;
  const expect = (sign: string) => {
    if (!isSign(sign)) throw new ExpressionError(`Invalid syntax: '${sign}' expected`);
    at += 1;
  };

  const nested = <T>(parse: () => T): T => {
    depth += 1;
    if (depth > cloudWatchLimits.expressionDepthMax) throw new ExpressionError("The expression is nested too deeply");
    const parsed = parse();
    depth -= 1;
    return parsed;
  };

  const parseLevel = (level: number): Expression => {
    const operators = levels[level];
    if (operators === undefined) return parseUnary();
    let left = parseLevel(level + 1);
    for (let next = peek(); next && operators.includes(next.text) && next.kind !== "text"; next = peek()) {
      at += 1;
      const right = parseLevel(level + 1);
      left = { kind: "operation", operator: next.text, left, right };
    }
    return left;
  };

  const parseUnary = (): Expression => {
    if (!isSign("-")) return parsePrimary();
    at += 1;
    return { kind: "negative", operand: nested(parseUnary) };
  };

  const parseItems = (end: string): Expression[] => {
    const items: Expression[] = [];
    if (!isSign(end)) {
      do {
        if (items.length > 0) at += 1;
        items.push(nested(() => parseLevel(0)));
      } while (isSign(","));
    }
    expect(end);
    return items;
  };

  const parsePrimary = (): Expression => {
    const next = peek();
    if (next === undefined) throw new ExpressionError("Invalid syntax: the expression ends too early");
    at += 1;
    if (next.kind === "number") return { kind: "number", value: Number(next.text) };
    if (next.kind === "text") return { kind: "text", value: next.text };
    if (next.kind === "name") {
      if (!isSign("(")) return { kind: "name", name: next.text };
      at += 1;
      return { kind: "call", name: next.text.toUpperCase(), arguments: parseItems(")") };
    }
    if (next.text === "[") return { kind: "list", items: parseItems("]") };
    if (next.text !== "(") throw new ExpressionError(`Invalid syntax at '${next.text}'`);
    const inner = nested(() => parseLevel(0));
    expect(")");
    return inner;
  };

  const parsed = nested(() => parseLevel(0));
  const left = peek();
  if (left) throw new ExpressionError(`Invalid syntax at '${left.text}'`);
  return parsed;
}

/** The queries that an expression is computed from; with METRICS, all of those that are no expressions. */
export function namesIn(expression: Expression): ReadonlySet<string> {
  const names = new Set<string>();
  const visit = (at: Expression): void => {
    if (at.kind === "name") names.add(at.name);
    else if (at.kind === "list") at.items.forEach(visit);
    else if (at.kind === "negative") visit(at.operand);
    else if (at.kind === "call") at.arguments.forEach(visit);
    else if (at.kind === "operation") {
      visit(at.left);
      visit(at.right);
    }
  };
  visit(expression);
  return names;
}

function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  const end = text.trimEnd().length;
  token.lastIndex = 0;
  while (token.lastIndex < end) {
    const from = token.lastIndex;
    const match = token.exec(text);
    if (!match) throw new ExpressionError(`Invalid syntax at '${text.slice(from, from + 10).trim()}'`);
    const [, number, double, single, name, sign = ""] = match;
    if (number !== undefined) tokens.push({ kind: "number", text: number });
    else if (name !== undefined) tokens.push({ kind: "name", text: name });
    else if (double !== undefined || single !== undefined) tokens.push({ kind: "text", text: double ?? single ?? "" });
    else tokens.push({ kind: "sign", text: sign });
  }
  return tokens;
}
