import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compileJsonSchema, modelChecker } from "./json-schema.ts";

const validate = (schema: object, value: unknown, models: Record<string, string> = {}) =>
  compileJsonSchema(JSON.stringify(schema), models).validate(value);

describe("What AWS's validator says", () => {
  test.each<[string, object, unknown, string]>([
    ["required", { required: ["b", "a", "c"] }, { c: 1 }, 'object has missing required properties (["a","b"])'],
    [
      "type",
      { type: "number" },
      "x",
      'instance type (string) does not match any allowed primitive type (allowed: ["integer","number"])',
    ],
    [
      "integer",
      { type: "integer" },
      1.5,
      'instance type (number) does not match any allowed primitive type (allowed: ["integer"])',
    ],
    [
      "enum",
      { enum: ["cat", "dog"] },
      "cow",
      'instance value ("cow") not found in enum (possible values: ["cat","dog"])',
    ],
    ["minLength", { minLength: 3 }, "ab", 'string "ab" is too short (length: 2, required minimum: 3)'],
    ["maxLength", { maxLength: 1 }, "👍👍", 'string "👍👍" is too long (length: 2, maximum allowed: 1)'],
    ["pattern", { pattern: "^a+$" }, "b", 'ECMA 262 regex "^a+$" does not match input string "b"'],
    ["minimum", { minimum: 25 }, 1, "numeric instance is lower than the required minimum (minimum: 25, found: 1)"],
    [
      "exclusiveMinimum",
      { minimum: 1, exclusiveMinimum: true },
      1,
      "numeric instance is not strictly greater than the required minimum 1",
    ],
    ["maximum", { maximum: 5 }, 6, "numeric instance is greater than the required maximum (maximum: 5, found: 6)"],
    [
      "additionalProperties",
      { properties: { a: {} }, additionalProperties: false },
      { a: 1, z: 1, b: 2 },
      'object instance has properties which are not allowed by the schema: ["b","z"]',
    ],
    ["multipleOf", { multipleOf: 2 }, 3, "remainder of division is not zero (3 / 2)"],
    [
      "uniqueItems",
      { uniqueItems: true },
      [
        { a: 1, b: 2 },
        { b: 2, a: 1 },
      ],
      "array must not contain duplicate elements",
    ],
    ["minItems", { minItems: 2 }, [1], "array is too short: must have at least 2 elements but instance has 1 elements"],
    [
      "anyOf",
      { anyOf: [{ type: "string" }, { type: "null" }] },
      1,
      "instance failed to match at least one required schema among 2",
    ],
    ["oneOf", { oneOf: [{}, {}] }, 1, "instance failed to match exactly one schema (matched 2 out of 2)"],
    [
      "allOf",
      { allOf: [{}, { type: "null" }] },
      1,
      "instance failed to match all required schemas (matched only 1 out of 2)",
    ],
    ["not", { not: {} }, 1, "instance matched a schema which it should not have"],
    ["format", { format: "email" }, "nobody", 'string "nobody" is not a valid email address'],
  ])("of %s", (_keyword, schema, value, message) => {
    expect(validate(schema, value)).toEqual([message]);
  });

  test("What a value contains is looked at when the value itself is valid", () => {
    const schema = { required: ["b"], properties: { a: { type: "string" } } };
    expect(validate(schema, { a: 1 })).toHaveLength(1);
    expect(validate(schema, { a: 1, b: 1 })).toHaveLength(1);
    expect(validate(schema, { a: "x", b: 1 })).toEqual([]);
  });
});

describe("References", () => {
  const models = {
    Pet: JSON.stringify({
      properties: {
        owner: { $ref: "https://apigateway.amazonaws.com/restapis/abc/models/Owner" },
        next: { $ref: "#" },
      },
    }),
    Owner: JSON.stringify({ $ref: "#/definitions/Person", definitions: { Person: { required: ["name"] } } }),
  };
  test("lead to other models, and within a schema, to itself too", () => {
    const schema = { $ref: "https://apigateway.amazonaws.com/restapis/abc/models/Pet" };
    expect(validate(schema, { owner: { name: "n" }, next: { owner: { name: "n" } } }, models)).toEqual([]);
    expect(validate(schema, { next: { owner: {} } }, models)).toHaveLength(1);
  });
  test.each(["#/definitions/none", "https://example.com/x", "https://apigateway.amazonaws.com/restapis/a/models/None"])(
    "to what is not there are refused: %s",
    ($ref) => {
      expect(modelChecker.problemOf(JSON.stringify({ $ref }), models)).toContain("Invalid");
    },
  );
  test("that never end do not either", () => {
    expect(validate({ $ref: "#" }, 1)).not.toEqual([]);
  });
});

describe("Limits", () => {
  test.each([
    ["patterns that backtrack", { pattern: "^(a+)+$" }, `${"a".repeat(40)}!`],
    ["alternatives that multiply", nested(40), {}],
  ])("hold for %s", (_name, schema, value) => {
    const started = performance.now();
    expect(validate(schema, value)).not.toEqual([]);
    expect(performance.now() - started).toBeLessThan(5000);
  });
  test.each([
    "{",
    "[]",
    '{"type":"text"}',
    '{"pattern":"("}',
    '{"required":[1]}',
    `${'{"not":'.repeat(5000)}{}${"}".repeat(5000)}`,
  ])("refuse what is no schema: %.20s", (schema) => {
    expect(modelChecker.problemOf(schema, {})).toContain("Invalid model schema specified");
  });
  test("Any JSON is a schema or is refused, and any value is valid or not", () => {
    fc.assert(
      fc.property(fc.json(), fc.jsonValue(), (schema, value) => {
        if (modelChecker.problemOf(schema, {}) === undefined) compileJsonSchema(schema, {}).validate(value);
      }),
    );
  });
});

function nested(depth: number): object {
  const definitions: Record<string, object> = { d0: { type: "string" } };
  for (let level = 1; level <= depth; level++) {
    const $ref = `#/definitions/d${level - 1}`;
    definitions[`d${level}`] = { anyOf: [{ $ref }, { $ref }] };
  }
  return { $ref: `#/definitions/d${depth}`, definitions };
}
