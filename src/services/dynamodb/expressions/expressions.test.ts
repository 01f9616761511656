import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { AttributeValue, Item } from "../values/attribute-value.ts";
import { meets } from "./condition.ts";
import { createExpressions } from "./expressions.ts";
import { createPlaceholders } from "./placeholders.ts";
import { project } from "./projection.ts";
import { applyUpdate } from "./update.ts";

const expressions = createExpressions();
const values = {
  ":s": { S: "abc" },
  ":n": { N: "5" },
  ":m": { N: "7" },
  ":l": { L: [{ N: "1" }] },
  ":ss": { SS: ["a", "b"] },
  ":b": { BOOL: true },
  ":t": { S: "S" },
};
const placeholders = () => createPlaceholders({ "#n": "name", "#d": "a.b" }, values);
const condition = (text: string) => expressions.condition("ConditionExpression", text, placeholders());
const holds = (text: string, item: Item) => meets(condition(text), item);
const update = (text: string, item: Item) => applyUpdate(expressions.update(text, placeholders()), item);

function number(item: Item, name: string): number | undefined {
  const value = item[name];
  return value && "N" in value ? Number(value.N) : undefined;
}

describe("conditions", () => {
  const item: Item = {
    a: { N: "5" },
    name: { S: "abcdef" },
    l: { L: [{ M: { x: { N: "6" } } }] },
    tags1: { SS: ["a"] },
  };
  test.each([
    ["a = :n", true],
    ["a <> :n", false],
    ["absent <> :n", true],
    ["absent = :n", false],
    ["a < :m AND a >= :n", true],
    ["a between :n and :m", true],
    ["a IN (:m, :n)", true],
    ["NOT a = :n OR #n = :s", false],
    ["begins_with(#n, :s)", true],
    ["contains(tags1, :t)", false],
    ["l[0].x > :n", true],
    ["attribute_exists(l[0].x) and attribute_not_exists(l[1])", true],
    ["attribute_type(#n, :t)", true],
    ["size(#n) > :n", true],
    ["size(l) = size(tags1)", true],
    ["(a) = (:n)", true],
    ["(a = :n) AND (NOT (a = :m))", true],
    ["a = :s", false],
    ["a < :s", false],
  ])("%s is %s", (text, expected) => {
    expect(holds(text, item)).toBe(expected);
  });

  test.each([
    ["", "The expression can not be empty;"],
    ["a", 'Syntax error; token: "<EOF>", near: "a"'],
    ["a = ", 'Syntax error; token: "<EOF>", near: "="'],
    ["a == :n", 'Syntax error; token: "=", near: "== :n"'],
    ["a = :n AND", 'Syntax error; token: "<EOF>", near: "AND"'],
    ["a $ b", 'Syntax error; token: "$", near: "a $ b"'],
    ["((a = :n))", "The expression has redundant parentheses;"],
    ["Size(a) = :n", "Invalid function name; function: Size"],
    ["size(a)", "The function is not allowed to be used this way in an expression; function: size"],
    [
      "a = attribute_exists(b)",
      "The function is not allowed to be used this way in an expression; function: attribute_exists",
    ],
    ["size = :n", "Attribute name is a reserved keyword; reserved keyword: size"],
    ["#x = :n", "An expression attribute name used in the document path is not defined; attribute name: #x"],
    ["a = :x", "An expression attribute value used in expression is not defined; attribute value: :x"],
    [
      "begins_with(a, :n)",
      "Incorrect operand type for operator or function; operator or function: begins_with, operand type: N",
    ],
    [
      "begins_with(a)",
      "Incorrect number of operands for operator or function; operator or function: begins_with, number of operands: 1",
    ],
    ["attribute_exists(:s)", "Operator or function requires a document path; operator or function: attribute_exists"],
    [
      "attribute_type(a, :s)",
      "Invalid attribute type name found; type: abc, valid types: {B,NULL,SS,BOOL,L,BS,N,NS,S,M}",
    ],
    ["a < :b", "Incorrect operand type for operator or function; operator or function: <, operand type: BOOL"],
    [
      "a = a",
      "The first operand must be distinct from the remaining operands for this operator or function; operator: =, first operand: [a]",
    ],
    [
      "a BETWEEN :m AND :n",
      "The BETWEEN operator requires upper bound to be greater than or equal to lower bound; lower bound operand: AttributeValue: {N:7}, upper bound operand: AttributeValue: {N:5}",
    ],
    [
      "a BETWEEN :s AND :n",
      "The BETWEEN operator requires same data type for lower and upper bounds; lower bound operand: AttributeValue: {S:abc}, upper bound operand: AttributeValue: {N:5}",
    ],
    ["a".repeat(4097), "Expression size has exceeded the maximum allowed size; expression size: 4097"],
  ])("%s is refused", (text, message) => {
    expect(() => condition(text)).toThrow(`Invalid ConditionExpression: ${message}`);
  });

  test("thousands of parentheses are refused at once", () => {
    expect(() => condition("(".repeat(4_000))).toThrow("Invalid ConditionExpression");
  });

  interface Random {
    readonly text: string;
    readonly evaluate: (item: Item) => boolean;
  }
  const leaf: fc.Arbitrary<Random> = fc
    .tuple(
      fc.constantFrom("a", "b", "c"),
      fc.constantFrom("=", "<>", "<", "<=", ">", ">="),
      fc.constantFrom(":n", ":m"),
    )
    .map(([name, operator, value]) => {
      const right = value === ":n" ? 5 : 7;
      return {
        text: `${name} ${operator} ${value}`,
        evaluate: (item) => {
          const left = number(item, name);
          if (left === undefined) return operator === "<>";
          return (
            {
              "=": left === right,
              "<>": left !== right,
              "<": left < right,
              "<=": left <= right,
              ">": left > right,
              ">=": left >= right,
            }[operator] ?? false
          );
        },
      };
    });
  const random = fc.letrec<{ any: Random }>((tie) => ({
    any: fc.oneof(
      { maxDepth: 4 },
      leaf,
      tie("any").map(({ text, evaluate }) => ({ text: `NOT (${text})`, evaluate: (item: Item) => !evaluate(item) })),
      fc.tuple(tie("any"), tie("any")).map(([a, b]) => ({
        text: `(${a.text}) AND (${b.text})`,
        evaluate: (item: Item) => a.evaluate(item) && b.evaluate(item),
      })),
      fc.tuple(leaf, leaf, leaf).map(([a, b, c]) => ({
        text: `${a.text} OR ${b.text} and ${c.text}`,
        evaluate: (item: Item) => a.evaluate(item) || (b.evaluate(item) && c.evaluate(item)),
      })),
    ),
  })).any;
  const someItem = fc.record(
    { a: fc.integer({ min: 4, max: 8 }), b: fc.integer({ min: 4, max: 8 }), c: fc.integer({ min: 4, max: 8 }) },
    { requiredKeys: [] },
  );

  test("any condition holds where a reference evaluator says so", () => {
    fc.assert(
      fc.property(random, someItem, ({ text, evaluate }, given) => {
        const found: Record<string, AttributeValue> = {};
        for (const [name, value] of Object.entries(given)) found[name] = { N: String(value) };
        expect(holds(text, found)).toBe(evaluate(found));
      }),
      { numRuns: 1_000 },
    );
  });

  test("any text is parsed or refused, never more", () => {
    const word = fc.constantFrom(
      "a",
      "(",
      ")",
      "=",
      "<",
      "AND",
      "or",
      "not",
      "[",
      "0",
      "]",
      ".",
      ":n",
      "#n",
      ",",
      "in",
      "size",
      "$",
    );
    fc.assert(
      fc.property(fc.array(word, { maxLength: 12 }), (words) => {
        try {
          condition(words.join(" "));
        } catch (error) {
          expect(error).toMatchObject({ code: "ValidationException" });
        }
      }),
      { numRuns: 2_000 },
    );
  });
});

describe("updates", () => {
  const item: Item = {
    n: { N: "1" },
    l: { L: [{ S: "0" }, { S: "1" }, { S: "2" }] },
    m: { M: { k: { N: "1" } } },
    ss: { SS: ["a", "c"] },
  };
  test.each([
    ["SET n = n + :n", { n: { N: "6" } }],
    ["SET n = n - :n", { n: { N: "-4" } }],
    ["SET x = if_not_exists(x, :n), y = n", { x: { N: "5" }, y: { N: "1" } }],
    ["SET l = list_append(l, :l)", { l: { L: [{ S: "0" }, { S: "1" }, { S: "2" }, { N: "1" }] } }],
    ["SET l[1] = :n REMOVE l[0], l[2]", { l: { L: [{ N: "5" }] } }],
    ["SET l[9] = :n, l[7] = :m", { l: { L: [{ S: "0" }, { S: "1" }, { S: "2" }, { N: "7" }, { N: "5" }] } }],
    ["SET m.k = :n, m.j = :s", { m: { M: { k: { N: "5" }, j: { S: "abc" } } } }],
    ["ADD n :n, q :m", { n: { N: "6" }, q: { N: "7" } }],
    ["ADD ss :ss", { ss: { SS: ["a", "c", "b"] } }],
    ["DELETE ss :ss", { ss: { SS: ["c"] } }],
    ["set #n = :s", { name: { S: "abc" } }],
  ])("%s", (text, changed) => {
    expect(update(text, item)).toEqual({ ...item, ...changed });
    // What was there is left as it was.
    expect(item).toMatchObject({ n: { N: "1" }, m: { M: { k: { N: "1" } } } });
  });

  test.each([
    ["SET n + 1", 'Syntax error; token: "+", near: "n + 1"'],
    ["SET a = :n SET b = :n", 'The "SET" section can only be used once in an update expression;'],
    ["SET name = :n", "Attribute name is a reserved keyword; reserved keyword: name"],
    ["SET a = foo(:n)", "Invalid function name; function: foo"],
    [
      "SET a = :n, a.b = :n",
      "Two document paths overlap with each other; must remove or rewrite one of these paths; path one: [a], path two: [a, b]",
    ],
    [
      "SET a[0] = :n, a.b = :n",
      "Two document paths conflict with each other; must remove or rewrite one of these paths; path one: [a, [0]], path two: [a, b]",
    ],
    ["SET a = b + :s", "Incorrect operand type for operator or function; operator or function: +, operand type: S"],
    [
      "SET a = list_append(b, :n)",
      "Incorrect operand type for operator or function; operator or function: list_append, operand type: N",
    ],
    [
      "SET a = if_not_exists(:n, :n)",
      "Operator or function requires a document path; operator or function: if_not_exists",
    ],
    [
      "ADD a :s",
      "Incorrect operand type for operator or function; operator: ADD, operand type: STRING, typeSet: ALLOWED_FOR_ADD_OPERAND",
    ],
    [
      "DELETE a :n",
      "Incorrect operand type for operator or function; operator: DELETE, operand type: NUMBER, typeSet: ALLOWED_FOR_DELETE_OPERAND",
    ],
  ])("%s is refused", (text, message) => {
    expect(() => update(text, {})).toThrow(`Invalid UpdateExpression: ${message}`);
  });

  test.each([
    ["SET a = absent", "The provided expression refers to an attribute that does not exist in the item"],
    ["SET a = ss + :n", "An operand in the update expression has an incorrect data type"],
    ["ADD ss :n", "An operand in the update expression has an incorrect data type"],
    ["SET absent.x = :n", "The document path provided in the update expression is invalid for update"],
    ["SET n.x = :n", "The document path provided in the update expression is invalid for update"],
  ])("%s does not fit the item", (text, message) => {
    expect(() => update(text, item)).toThrow(message);
  });
});

test("a projection keeps what it names, and elements of lists close up", () => {
  const item: Item = {
    a: { M: { b: { N: "1" }, c: { N: "2" } } },
    l: { L: [{ N: "0" }, { N: "1" }, { N: "2" }] },
    "a.b": { S: "x" },
  };
  const keep = (text: string) => project(expressions.projection(text, placeholders()), item);
  expect(keep("a.b, l[2], l[0], #d, nothing")).toEqual({
    a: { M: { b: { N: "1" } } },
    l: { L: [{ N: "0" }, { N: "2" }] },
    "a.b": { S: "x" },
  });
  expect(() => keep("a, a.b")).toThrow("Invalid ProjectionExpression: Two document paths overlap with each other;");
});
