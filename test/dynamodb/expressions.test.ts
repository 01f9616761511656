import fc from "fast-check";
import { expect, test } from "vitest";
import { meets } from "../../src/services/dynamodb/expressions/condition.ts";
import { createExpressions } from "../../src/services/dynamodb/expressions/expressions.ts";
import { createPlaceholders } from "../../src/services/dynamodb/expressions/placeholders.ts";
import { applyUpdate } from "../../src/services/dynamodb/expressions/update.ts";
import type { AttributeValue, Item } from "../../src/services/dynamodb/values/attribute-value.ts";
import {
  evaluate,
  perform,
  print,
  printUpdate,
  type Condition,
  type Operand,
  type Path,
  type Update,
} from "./reference-evaluator.ts";

const expressions = createExpressions();

function placeholdersOf({ names, values }: Pick<ReturnType<typeof print>, "names" | "values">) {
  return createPlaceholders(someOf(names), someOf(values));
}

function someOf<T>(given: Record<string, T>): Record<string, T> | undefined {
  return Object.keys(given).length > 0 ? given : undefined;
}

const text = fc.constantFrom("", "a", "ab", "abc", "b", "é", "𝄞");
const number = fc.constantFrom("-10", "-0.5", "0", "1", "2", "9", "10", "1e20").map((N) => ({
  N: N === "1e20" ? "100000000000000000000" : N,
}));
const bytes = fc.constantFrom([], [0], [0, 1], [1], [255]).map((list) => ({ B: Buffer.from(list).toString("base64") }));
const scalar: fc.Arbitrary<AttributeValue> = fc.oneof(
  text.map((S) => ({ S })),
  number,
  bytes,
  fc.boolean().map((BOOL) => ({ BOOL })),
  fc.constant<AttributeValue>({ NULL: true }),
);
const set: fc.Arbitrary<AttributeValue> = fc.oneof(
  fc.uniqueArray(fc.constantFrom("a", "b", "ab"), { minLength: 1 }).map((SS) => ({ SS })),
  fc.uniqueArray(fc.constantFrom("1", "2", "10"), { minLength: 1 }).map((NS) => ({ NS })),
);
const value: fc.Arbitrary<AttributeValue> = fc.letrec<{ value: AttributeValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 2, withCrossShrink: true },
    scalar,
    set,
    fc.array(tie("value"), { maxLength: 3 }).map((L) => ({ L })),
    fc.dictionary(fc.constantFrom("x", "y"), tie("value"), { maxKeys: 2, noNullPrototype: true }).map((M) => ({ M })),
  ),
})).value;
const item: fc.Arbitrary<Item> = fc.dictionary(fc.constantFrom("a", "b", "c", "d"), value, {
  maxKeys: 4,
  noNullPrototype: true,
});

const path: fc.Arbitrary<Path> = fc
  .tuple(
    fc.constantFrom("a", "b", "c", "d"),
    fc.array(fc.oneof<fc.Arbitrary<string | number>[]>(fc.constantFrom("x", "y"), fc.integer({ min: 0, max: 3 })), {
      maxLength: 2,
    }),
  )
  .map(([first, rest]) => Array.of<string | number>(first).concat(rest));
const operand: fc.Arbitrary<Operand> = fc.oneof(
  { weight: 3, arbitrary: path.map((of): Operand => ({ kind: "path", path: of })) },
  { weight: 2, arbitrary: fc.oneof(scalar, set, value).map((of): Operand => ({ kind: "value", value: of })) },
  { weight: 1, arbitrary: path.map((of): Operand => ({ kind: "size", path: of })) },
);
const leaf: fc.Arbitrary<Condition> = fc.oneof(
  fc.record({
    kind: fc.constant("compare" as const),
    operator: fc.constantFrom("=", "<>", "<", "<=", ">", ">=" as const),
    left: operand,
    right: operand,
  }),
  fc.record({ kind: fc.constant("between" as const), subject: operand, low: operand, high: operand }),
  fc.record({
    kind: fc.constant("in" as const),
    subject: operand,
    among: fc.array(operand, { minLength: 1, maxLength: 3 }),
  }),
  fc.record({ kind: fc.constant("exists" as const), path, exists: fc.boolean() }),
  fc.record({
    kind: fc.constant("type" as const),
    path,
    type: fc.constantFrom("S", "N", "B", "BOOL", "NULL", "SS", "NS", "L", "M"),
  }),
  fc.record({ kind: fc.constant("begins" as const), path, prefix: operand }),
  fc.record({ kind: fc.constant("contains" as const), path, part: operand }),
);
const condition: fc.Arbitrary<Condition> = fc.letrec<{ any: Condition }>((tie) => ({
  any: fc.oneof(
    { maxDepth: 4, depthIdentifier: "condition" },
    { weight: 3, arbitrary: leaf },
    { weight: 1, arbitrary: tie("any").map((of): Condition => ({ kind: "not", of })) },
    {
      weight: 2,
      arbitrary: fc
        .tuple(fc.constantFrom("and" as const, "or" as const), tie("any"), tie("any"))
        .map(([kind, left, right]): Condition => ({ kind, left, right })),
    },
  ),
})).any;

test("any condition with every operator, function and type holds where the reference evaluator says so", () => {
  let compared = 0;
  fc.assert(
    fc.property(condition, item, fc.boolean(), (given, found, isSpare) => {
      const { expression, ...rest } = print(given, isSpare);
      const placeholders = placeholdersOf(rest);
      const expected = evaluate(given, found);
      let parsed;
      try {
        parsed = expressions.condition("ConditionExpression", expression, placeholders);
      } catch (error) {
        // Operands that no item could have: a size or a type that the operator does not take.
        expect([expression, error]).toMatchObject([expression, { code: "ValidationException" }]);
        expect([expression, expected.refused]).toEqual([expression, true]);
        return;
      }
      expect([expression, expected.refused]).toEqual([expression, false]);
      compared += 1;
      expect([expression, meets(parsed, found)]).toEqual([expression, expected.holds]);
    }),
    { numRuns: 2_000 },
  );
  expect(compared).toBeGreaterThan(800);
});

const updateOperand = fc.oneof(
  { weight: 2, arbitrary: path.map((of) => ({ kind: "path" as const, path: of })) },
  { weight: 3, arbitrary: value.map((of) => ({ kind: "value" as const, value: of })) },
);
const update: fc.Arbitrary<Update> = fc.oneof(
  fc.record({ kind: fc.constant("set" as const), path, from: updateOperand }),
  fc.record({
    kind: fc.constant("sum" as const),
    path,
    sign: fc.constantFrom("+" as const, "-" as const),
    left: updateOperand,
    right: updateOperand,
  }),
  fc.record({ kind: fc.constant("append" as const), path, left: updateOperand, right: updateOperand }),
  fc.record({ kind: fc.constant("ifNotExists" as const), path, or: path, otherwise: updateOperand }),
  fc.record({ kind: fc.constant("remove" as const), path }),
  fc.record({ kind: fc.constant("add" as const), path, value: fc.oneof(number, set) }),
  fc.record({ kind: fc.constant("delete" as const), path, value: set }),
);

/** Documents that paths lead into more often than not. */
const document: fc.Arbitrary<Item> = fc.record(
  {
    a: fc.record({ x: number, y: fc.array(scalar, { maxLength: 3 }).map((L) => ({ L })) }).map((M) => ({ M })),
    b: fc
      .array(
        fc.oneof(
          number,
          fc.record({ x: number }).map((M) => ({ M })),
        ),
        { maxLength: 3 },
      )
      .map((L) => ({ L })),
    c: number,
    d: set,
  },
  { requiredKeys: ["a", "b"], noNullPrototype: true },
);

const of = (value: AttributeValue) => ({ kind: "value" as const, value });
const list = fc.array(scalar, { maxLength: 2 }).map((L) => of({ L }));
const at = (...paths: Path[]) => fc.constantFrom(...paths);
const numbers = at(["c"], ["a", "x"], ["b", 0, "x"]);
/** Updates that fit such a document more often than not. */
const likely: fc.Arbitrary<Update> = fc.oneof(
  update,
  fc.record({
    kind: fc.constant("set" as const),
    path: at(["a", "x"], ["a", "z"], ["b", 1], ["b", 0], ["b", 7], ["b", 5], ["c"]),
    from: value.map(of),
  }),
  fc.record({
    kind: fc.constant("sum" as const),
    path: at(["c"], ["a", "x"], ["e"]),
    sign: fc.constantFrom("+" as const, "-" as const),
    left: numbers.map((each) => ({ kind: "path" as const, path: each })),
    right: number.map(of),
  }),
  fc.record({
    kind: fc.constant("append" as const),
    path: at(["b"], ["a", "y"]),
    left: fc.constant({ kind: "path" as const, path: ["b"] }),
    right: list,
  }),
  at(["a", "y", 0], ["a", "y", 1], ["b", 0], ["b", 2], ["c"], ["d"]).map((path): Update => ({ kind: "remove", path })),
  fc.record({ kind: fc.constant("add" as const), path: numbers, value: number }),
  fc.record({ kind: fc.constantFrom("add" as const, "delete" as const), path: at(["d"], ["a", "s"]), value: set }),
);

test("any update leaves the item as the reference evaluator says, or is refused by both", () => {
  let compared = 0;
  fc.assert(
    fc.property(fc.array(likely, { minLength: 1, maxLength: 3 }), fc.oneof(document, item), (given, found) => {
      const { expression, ...rest } = printUpdate(given);
      const expected = perform(given, found);
      let changed: Item | undefined;
      try {
        changed = applyUpdate(expressions.update(expression, placeholdersOf(rest)), found);
      } catch (error) {
        expect([expression, error]).toMatchObject([expression, { code: "ValidationException" }]);
        expect([expression, expected]).toEqual([expression, undefined]);
        return;
      }
      compared += 1;
      expect([expression, changed]).toEqual([expression, expected]);
    }),
    { numRuns: 2_500 },
  );
  expect(compared).toBeGreaterThan(400);
});
