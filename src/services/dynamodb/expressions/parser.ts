import { validation } from "../errors.ts";
import { dynamoLimits } from "../limits.ts";
import type { Comparator, Condition, Operand, Path, PathStep, UpdateAction } from "./ast.ts";
import { type Token, tokenize } from "./lexer.ts";

/** What is wrong with an expression, whatever its names and values are; the caller says of which parameter. */
export class ExpressionError extends Error {}

/** Deeper than this nothing fits into 4 KiB that means something. */
const depthMax = 500;
const comparators: ReadonlySet<string> = new Set(["=", "<>", "<", "<=", ">", ">="]);

class SyntaxFailure extends Error {
  readonly at: number;
  constructor(at: number) {
    super();
    this.at = at;
  }
}

/** @throws {ExpressionError} in AWS's words. */
export function parseCondition(text: string): { readonly condition: Condition; readonly redundant: boolean } {
  return parse(text, (input) => {
    const { condition } = input.or();
    return { condition, redundant: input.redundant };
  });
}

export function parseUpdate(text: string): { readonly actions: readonly UpdateAction[]; readonly repeated?: string } {
  return parse(text, (input) => input.update());
}

export function parseProjection(text: string): readonly Path[] {
  return parse(text, (input) => {
    const paths = [input.path()];
    while (input.take(",")) paths.push(input.path());
    return paths;
  });
}

function parse<T>(text: string, rule: (input: ReturnType<typeof createParser>) => T): T {
  if (text.trim() === "") throw new ExpressionError("The expression can not be empty;");
  const bytes = Buffer.byteLength(text);
  if (bytes > dynamoLimits.expressionBytesMax) {
    throw new ExpressionError(`Expression size has exceeded the maximum allowed size; expression size: ${bytes}`);
  }
  const tokens = tokenize(text);
  const input = createParser(tokens);
  try {
    const result = rule(input);
    input.expectEnd();
    return result;
  } catch (error) {
    if (!(error instanceof SyntaxFailure)) throw error;
    throw new ExpressionError(describe(text, tokens, input.furthest));
  }
}

/** AWS: "near" is the token with those at its sides. */
function describe(text: string, tokens: readonly Token[], at: number): string {
  const [before, found, after] = [tokens[at - 1], tokens[at], tokens[at + 1]];
  const last = after && after.kind !== "end" ? after : found?.kind === "end" ? before : found;
  const near = text.slice((before ?? found)?.start ?? 0, last?.end ?? text.length);
  return `Syntax error; token: "${found?.text ?? "<EOF>"}", near: "${near}"`;
}

interface Parsed {
  readonly condition: Condition;
  /** It stood in parentheses. */
  readonly enclosed: boolean;
}

function createParser(tokens: readonly Token[]) {
  let at = 0;
  let depth = 0;
  const state = { furthest: 0, redundant: false };

  const peek = (): Token => {
    const found = tokens[at] ?? tokens.at(-1);
    if (!found) throw new TypeError("There is always an end");
    state.furthest = Math.max(state.furthest, at);
    return found;
  };
  const fail = (): never => {
    peek();
    throw new SyntaxFailure(at);
  };
  const isSymbol = (text: string) => peek().kind === "symbol" && peek().text === text;
  const isWord = (word: string) => peek().kind === "word" && peek().text.toUpperCase() === word;
  const take = (text: string): boolean => {
    if (!isSymbol(text)) return false;
    at += 1;
    return true;
  };
  const takeWord = (word: string): boolean => {
    if (!isWord(word)) return false;
    at += 1;
    return true;
  };
  const expect = (text: string) => {
    if (!take(text)) fail();
  };
  const deeper = <T>(rule: () => T): T => {
    depth += 1;
    if (depth > depthMax) throw new ExpressionError("The expression contains too many nested operations");
    const result = rule();
    depth -= 1;
    return result;
  };
  /** The rule's result; or undefined, and nothing has been read. */
  const attempt = <T>(rule: () => T): T | undefined => {
    const [from, level, redundant] = [at, depth, state.redundant];
    try {
      return rule();
    } catch (error) {
      if (!(error instanceof SyntaxFailure)) throw error;
      at = from;
      depth = level;
      state.redundant = redundant;
      return undefined;
    }
  };

  const or = (): Parsed => {
    let left = and();
    while (takeWord("OR")) {
      left = { condition: { kind: "or", left: left.condition, right: and().condition }, enclosed: false };
    }
    return left;
  };
  const and = (): Parsed => {
    let left = not();
    while (takeWord("AND")) {
      left = { condition: { kind: "and", left: left.condition, right: not().condition }, enclosed: false };
    }
    return left;
  };
  const not = (): Parsed => {
    // A function may be called NOT by nobody: the word is reserved.
    if (!takeWord("NOT")) return primary();
    return { condition: { kind: "not", of: deeper(not).condition }, enclosed: false };
  };
  const primary = (): Parsed => {
    if (isSymbol("(")) {
      const inner = attempt(() =>
        deeper(() => {
          expect("(");
          const parsed = or();
          expect(")");
          // What stood in parentheses was an operand.
          if (goesOn()) fail();
          return parsed;
        }),
      );
      if (inner) {
        if (inner.enclosed) state.redundant = true;
        return { condition: inner.condition, enclosed: true };
      }
    }
    return { condition: comparison(), enclosed: false };
  };
  const goesOn = () => {
    const { kind, text } = peek();
    return (kind === "symbol" && comparators.has(text)) || isWord("BETWEEN") || isWord("IN");
  };
  const comparison = (): Condition => {
    const left = operand();
    const { kind, text } = peek();
    if (kind === "symbol" && isComparator(text)) {
      at += 1;
      return { kind: "compare", comparator: text, left, right: operand() };
    }
    if (takeWord("BETWEEN")) {
      const low = operand();
      if (!takeWord("AND")) fail();
      return { kind: "between", of: left, low, high: operand() };
    }
    if (takeWord("IN")) {
      expect("(");
      const among = [operand()];
      while (take(",")) among.push(operand());
      expect(")");
      return { kind: "in", of: left, among };
    }
    if (left.kind === "call") return left;
    return fail();
  };
  const operand = (): Operand => {
    const found = peek();
    if (found.kind === "symbol" && found.text === "(") {
      return deeper(() => {
        at += 1;
        if (isSymbol("(")) state.redundant = true;
        const inner = operand();
        expect(")");
        return inner;
      });
    }
    if (found.kind === "value") {
      at += 1;
      return { kind: "value", name: found.text };
    }
    const next = tokens[at + 1];
    if (found.kind === "word" && next?.kind === "symbol" && next.text === "(") {
      return deeper(() => {
        at += 2;
        const args = [operand()];
        while (take(",")) args.push(operand());
        expect(")");
        return { kind: "call", name: found.text, args };
      });
    }
    return { kind: "path", path: path() };
  };
  const path = (): Path => {
    const steps: PathStep[] = [step()];
    for (;;) {
      if (take(".")) steps.push(step());
      else if (take("[")) {
        const index = peek();
        if (index.kind !== "index") fail();
        at += 1;
        expect("]");
        steps.push(Number(index.text));
      } else return steps;
    }
  };
  const step = (): PathStep => {
    const { kind, text } = peek();
    if (kind === "word" && !isOperatorWord(text)) {
      at += 1;
      return { name: text };
    }
    if (kind === "name") {
      at += 1;
      return { placeholder: text };
    }
    return fail();
  };
  // Words of the grammar are told as syntax errors where nothing else stands for them, and as reserved words elsewhere.
  const isOperatorWord = (text: string) => /^(?:AND|OR|NOT|BETWEEN|IN)$/i.test(text) && tokens[at + 1]?.text !== ".";

  const update = () => {
    const actions: UpdateAction[] = [];
    const seen = new Set<string>();
    let repeated: string | undefined;
    do {
      const section = peek();
      const word = section.kind === "word" ? section.text.toUpperCase() : "";
      const rule = sections.get(word);
      if (!rule) return fail();
      at += 1;
      if (seen.has(word)) repeated ??= word;
      seen.add(word);
      actions.push(rule());
      while (take(",")) actions.push(rule());
    } while (peek().kind !== "end");
    return { actions, ...(repeated !== undefined && { repeated }) };
  };
  const setAction = (): UpdateAction => {
    const target = path();
    expect("=");
    return { kind: "set", path: target, value: sum() };
  };
  const sum = (): Operand => {
    const enclosed = attempt(() =>
      deeper(() => {
        expect("(");
        const inner = sum();
        expect(")");
        return inner;
      }),
    );
    const left = enclosed ?? operand();
    if (take("+")) return { kind: "math", operator: "+", left, right: operand() };
    if (take("-")) return { kind: "math", operator: "-", left, right: operand() };
    return left;
  };
  const valued = (kind: "add" | "delete") => (): UpdateAction => ({ kind, path: path(), value: operand() });
  const sections = new Map<string, () => UpdateAction>([
    ["SET", setAction],
    ["REMOVE", () => ({ kind: "remove", path: path() })],
    ["ADD", valued("add")],
    ["DELETE", valued("delete")],
  ]);

  return {
    or,
    update,
    path,
    take,
    expectEnd: () => {
      if (peek().kind !== "end") fail();
    },
    get furthest() {
      return state.furthest;
    },
    get redundant() {
      return state.redundant;
    },
  };
}

function isComparator(text: string): text is Comparator {
  return comparators.has(text);
}

/** The error of a parameter that holds an expression. */
export function invalidExpression(parameter: string, message: string) {
  return validation(`Invalid ${parameter}: ${message}`);
}
