import { validation } from "../errors.ts";
import { dynamoLimits } from "../limits.ts";
import type { Expression, PathExpression, TupleMember } from "./ast.ts";
import { foreignTypes, typesOfIs } from "./keywords.ts";
import { malformed, refusedAt, type Place } from "./malformed.ts";
import { unexpected, type TokenReader } from "./token-reader.ts";

/** Keywords that name functions of PartiQL; DynamoDB has SIZE alone of them, and EXISTS for whole statements. */
const callable: ReadonlySet<string> = new Set(
  `size exists count sum min max avg cast extract coalesce nullif upper lower trim substring position char_length character_length
  bit_length octet_length convert translate`.split(/\s+/),
);
const comparators: ReadonlySet<string> = new Set(["=", "<>", "!=", "<", "<=", ">", ">="]);

/** Any expression: conditions are expressions, too. @throws {ValidationException} */
export function parseExpression(input: TokenReader): Expression {
  let left = parseAnd(input);
  for (let place = input.peek(); input.takeWord("or"); place = input.peek()) {
    left = { kind: "or", left, right: parseRight(input, parseAnd), place: toPlace(place) };
  }
  return left;
}

function parseAnd(input: TokenReader): Expression {
  let left = parseNot(input);
  for (let place = input.peek(); input.takeWord("and"); place = input.peek()) {
    left = { kind: "and", left, right: parseRight(input, parseNot), place: toPlace(place) };
  }
  return left;
}

/** What follows an operator. */
function parseRight(input: TokenReader, rule: (input: TokenReader) => Expression): Expression {
  if (input.peek().kind === "end") throw malformed("Missing right-hand side expression of infix operator");
  return rule(input);
}

function parseNot(input: TokenReader): Expression {
  const place = toPlace(input.peek());
  if (!input.takeWord("not")) return parseComparison(input);
  return { kind: "not", of: input.deeper(() => parseNot(input)), place };
}

function parseComparison(input: TokenReader): Expression {
  let left = parseSum(input);
  for (let count = 0; ; count += 1) {
    assertChain(count);
    const found = input.peek();
    const place = toPlace(found);
    if (found.kind === "symbol" && comparators.has(found.text)) {
      input.next();
      const operator = found.text === "!=" ? "<>" : found.text;
      left = { kind: "binary", operator, left, right: parseRight(input, parseSum), place };
      continue;
    }
    const isNegated = input.isWord("not") && ["between", "in", "like"].includes(input.peek(1).text);
    if (isNegated) input.next();
    const of = left;
    if (input.takeWord("between")) {
      const low = parseRight(input, parseSum);
      if (!input.takeWord("and")) throw malformed("Expected AND after BETWEEN");
      left = { kind: "between", of, low, high: parseRight(input, parseSum), place };
    } else if (input.takeWord("in")) {
      left = { kind: "in", of, among: parseAmong(input), place };
    } else if (input.takeWord("like")) {
      left = { kind: "binary", operator: "LIKE", left, right: parseRight(input, parseSum), place };
    } else if (input.takeWord("is")) {
      const not = input.takeWord("not");
      const is: Expression = { kind: "is", of, type: parseType(input), place };
      left = not ? { kind: "not", of: is, place } : is;
    } else return left;
    if (isNegated) left = { kind: "not", of: left, place };
  }
}

/** As many operators as an expression of the item operations may have. */
function assertChain(count: number): void {
  if (count > dynamoLimits.expressionOperatorsMax) throw malformed("The statement is nested too deeply");
}

/** What stands in parentheses after IN is a list, though it were one value. */
function parseAmong(input: TokenReader): Expression {
  const place = toPlace(input.peek());
  if (!input.take("(")) return parseRight(input, parseSum);
  return { kind: "list", members: input.deeper(() => parseMembers(input, ")")), place };
}

function parseType(input: TokenReader): string {
  const { kind, text } = input.peek();
  const type = text.toLowerCase();
  const isType = type === "missing" || Object.hasOwn(typesOfIs, type) || foreignTypes.has(type);
  if ((kind !== "keyword" && kind !== "word") || !isType) throw malformed("Expected type name");
  input.next();
  if (type === "double") input.takeWord("precision");
  if (type === "character") input.takeWord("varying");
  return type;
}

function parseSum(input: TokenReader): Expression {
  let left = parseProduct(input);
  let count = 0;
  for (let found = input.peek(); input.take("+") || input.take("-") || input.take("||"); found = input.peek()) {
    left = {
      kind: "binary",
      operator: found.text,
      left,
      right: parseRight(input, parseProduct),
      place: toPlace(found),
    };
    assertChain((count += 1));
  }
  return left;
}

function parseProduct(input: TokenReader): Expression {
  let left = parseSigned(input);
  let count = 0;
  for (let found = input.peek(); input.take("*") || input.take("/") || input.take("%"); found = input.peek()) {
    left = { kind: "binary", operator: found.text, left, right: parseRight(input, parseSigned), place: toPlace(found) };
    assertChain((count += 1));
  }
  return left;
}

function parseSigned(input: TokenReader): Expression {
  const found = input.peek();
  if (!input.take("-") && !input.take("+")) return parseTerm(input);
  const of = input.deeper(() => parseRight(input, parseSigned));
  const place = toPlace(found);
  if (of.kind === "number") {
    if (found.text === "+") return { ...of, place };
    return { ...of, text: of.text.startsWith("-") ? of.text.slice(1) : `-${of.text}`, place };
  }
  return { kind: "sign", operator: found.text, of, place };
}

function parseTerm(input: TokenReader): Expression {
  const found = input.peek();
  const place = toPlace(found);
  switch (found.kind) {
    case "string":
    case "number":
    case "ion":
      input.next();
      return { kind: found.kind, text: found.text, place };
    case "parameter":
      input.next();
      return { kind: "parameter", at: input.nextParameter(), place };
    case "word":
      return input.peek(1).text === "(" && input.peek(1).kind === "symbol" ? parseCall(input) : parsePath(input);
    case "name":
      return parsePath(input);
    case "keyword":
      return parseKeyword(input);
    case "symbol":
      return parseCollection(input);
    case "end":
      throw unexpected(found);
  }
}

function parseKeyword(input: TokenReader): Expression {
  const found = input.peek();
  const place = toPlace(found);
  switch (found.text) {
    case "true":
    case "false":
      input.next();
      return { kind: "boolean", value: found.text === "true", place };
    case "null":
    case "missing":
      input.next();
      return { kind: found.text, place };
  }
  if (callable.has(found.text) && input.peek(1).written === "(") return parseCall(input);
  throw unexpected(found);
}

function parseCall(input: TokenReader): Expression {
  const found = input.next();
  input.expect("(");
  const args = input.deeper(() => parseMembers(input, ")"));
  return { kind: "call", name: found.text, args, place: toPlace(found) };
}

function parseMembers(input: TokenReader, end: string): readonly Expression[] {
  const members: Expression[] = [];
  if (input.take(end)) return members;
  do members.push(parseExpression(input));
  while (input.take(","));
  input.expect(end);
  return members;
}

function parseCollection(input: TokenReader): Expression {
  const found = input.peek();
  const place = toPlace(found);
  return input.deeper(() => {
    if (input.take("[")) return { kind: "list", members: parseMembers(input, "]"), place };
    if (input.take("<<")) return { kind: "bag", members: parseMembers(input, ">>"), place };
    if (input.take("{")) return { kind: "tuple", members: parseTuple(input), place };
    if (!input.take("(")) throw unexpected(found);
    const first = parseExpression(input);
    if (input.take(")")) return first;
    const members = [first];
    while (input.take(",")) members.push(parseExpression(input));
    input.expect(")");
    return { kind: "list", members, place };
  });
}

function parseTuple(input: TokenReader): readonly TupleMember[] {
  const members: TupleMember[] = [];
  if (input.take("}")) return members;
  do {
    const key = parseSum(input);
    input.expect(":");
    members.push({ key, value: parseExpression(input) });
  } while (input.take(","));
  input.expect("}");
  return members;
}

/** A document path. @throws {ValidationException} */
export function parsePath(input: TokenReader): PathExpression {
  const first = input.peek();
  if (first.kind !== "word" && first.kind !== "name") throw unexpected(first);
  input.next();
  const steps: (string | number)[] = [first.text];
  for (;;) {
    if (input.take(".")) {
      const step = input.peek();
      if (input.isSymbol("*")) throw validation("Unpivot path component like a.*.b are not supported");
      if (step.kind !== "word" && step.kind !== "name") throw malformed("Invalid path dot component");
      steps.push(input.next().text);
    } else if (input.take("[")) {
      if (input.isSymbol("*")) throw validation("Wildcard path component like a[*].b are not supported");
      steps.push(toStep(input.deeper(() => parseExpression(input))));
      input.expect("]");
    } else return { kind: "path", steps, place: toPlace(first) };
  }
}

const indexMax = 2 ** 31 - 1;

function toStep(expression: Expression): string | number {
  if (expression.kind === "string") return expression.text;
  if (expression.kind !== "number" || !/^-?\d+$/.test(expression.text)) {
    throw refusedAt("Unexpected path component", expression.place);
  }
  const index = Number(expression.text);
  if (index < 0 || index > indexMax) {
    throw refusedAt(`List index is not within the allowable range; index: [${expression.text}]`, expression.place);
  }
  return Math.abs(index);
}

function toPlace({ line, column, length }: Place): Place {
  return { line, column, length };
}
