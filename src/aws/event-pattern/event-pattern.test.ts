import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compileEventPattern, EventPatternError } from "./event-pattern.ts";

const matches = (pattern: unknown, event: unknown) => compileEventPattern(JSON.stringify(pattern))(event);

describe("a field", () => {
  test.each([
    [["a", "b"], "b", true],
    [["a"], "A", false],
    [[""], "", true],
    [[null], null, true],
    [[null], undefined, false],
    [[true], true, true],
    [[300], 300, true],
    [["300"], 300, false],
    [["a"], ["x", "a"], true],
    [["a"], [["x"], ["a"]], true],
    [["a"], [], false],
    [["a"], { a: "a" }, false],
    [[{ prefix: "us-" }], "us-east-1", true],
    [[{ prefix: "us-" }], "eu-us-", false],
    [[{ prefix: { "equals-ignore-case": "US-" } }], "us-east-1", true],
    [[{ suffix: ".png" }], "a.png", true],
    [[{ suffix: { "equals-ignore-case": ".PNG" } }], "a.png", true],
    [[{ "equals-ignore-case": "ALICE" }], "Alice", true],
    [[{ wildcard: "dir/*/a*.png" }], "dir/x/y/abc.png", true],
    [[{ wildcard: "a*a" }], "a", false],
    [[{ wildcard: "a\\*b" }], "a*b", true],
    [[{ wildcard: "a\\*b" }], "axb", false],
    [[{ "anything-but": "a" }], "b", true],
    [[{ "anything-but": "a" }], "a", false],
    [[{ "anything-but": ["a", "b"] }], "b", false],
    [[{ "anything-but": [1, 2] }], 3, true],
    [[{ "anything-but": ["a"] }], undefined, false],
    [[{ "anything-but": { prefix: "a" } }], "ab", false],
    [[{ "anything-but": { prefix: ["a", "b"] } }], "cb", true],
    [[{ "anything-but": { suffix: "b" } }], "ab", false],
    [[{ "anything-but": { "equals-ignore-case": ["A"] } }], "a", false],
    [[{ "anything-but": { wildcard: "*/lib/*" } }], "/usr/lib/x", false],
    [[{ numeric: [">", 0, "<=", 5] }], 5, true],
    [[{ numeric: [">", 0, "<=", 5] }], 0, false],
    [[{ numeric: ["=", 3.5] }], 3.5, true],
    [[{ numeric: ["<", 10] }], "1", false],
    [[{ exists: true }], 0, true],
    [[{ exists: true }], undefined, false],
    [[{ exists: true }], { a: 1 }, false],
    [[{ exists: false }], undefined, true],
    [[{ exists: false }], null, false],
    [[{ exists: false }, "a"], "a", true],
    [[{ cidr: "10.0.0.0/24" }], "10.0.0.255", true],
    [[{ cidr: "10.0.0.0/24" }], "10.0.1.0", false],
    [[{ cidr: "2001:db8::/32" }], "2001:db8::1", true],
    [[{ cidr: "10.0.0.0/24" }], "nonsense", false],
  ])("%j of %j: %s", (pattern, value, expected) => {
    expect(matches({ field: pattern }, { field: value })).toBe(expected);
  });

  test("of an event that is inherited is none", () => {
    expect(matches({ constructor: [{ exists: true }] }, {})).toBe(false);
    expect(matches({ toString: [{ exists: false }] }, {})).toBe(true);
  });
});

describe("fields", () => {
  test("must all match, at any depth", () => {
    const pattern = { eventName: ["INSERT"], dynamodb: { NewImage: { id: { S: [{ prefix: "o" }] } } } };
    expect(matches(pattern, { eventName: "INSERT", dynamodb: { NewImage: { id: { S: "o1" } } } })).toBe(true);
    expect(matches(pattern, { eventName: "MODIFY", dynamodb: { NewImage: { id: { S: "o1" } } } })).toBe(false);
    expect(matches(pattern, { eventName: "INSERT", dynamodb: {} })).toBe(false);
    expect(matches(pattern, { eventName: "INSERT" })).toBe(false);
  });

  test("of objects in an array are found in one of them", () => {
    const pattern = { a: { b: [1], c: [2] } };
    expect(matches(pattern, { a: [{ b: 1 }, { c: 2 }] })).toBe(false);
    expect(matches(pattern, { a: [{ b: 0 }, { b: 1, c: 2 }] })).toBe(true);
  });

  test("that are not there satisfy exists false", () => {
    expect(matches({ a: { b: [{ exists: false }] } }, {})).toBe(true);
    expect(matches({ a: { b: [{ exists: false }] } }, { a: { b: 1 } })).toBe(false);
  });

  test("of $or are alternatives beside the others", () => {
    const pattern = { kind: ["k"], $or: [{ a: [1] }, { b: { c: [2] } }] };
    expect(matches(pattern, { kind: "k", a: 1 })).toBe(true);
    expect(matches(pattern, { kind: "k", b: { c: 2 } })).toBe(true);
    expect(matches(pattern, { kind: "k", b: { c: 3 } })).toBe(false);
    expect(matches(pattern, { kind: "x", a: 1 })).toBe(false);
  });
});

describe("what is no pattern is refused", () => {
  test.each([
    "",
    "[]",
    "1",
    "null",
    "{}",
    '{"a":{}}',
    '{"a":[]}',
    '{"a":"b"}',
    '{"a":[["b"]]}',
    '{"a":[{}]}',
    '{"a":[{"prefix":"a","suffix":"b"}]}',
    '{"a":[{"unknown":"a"}]}',
    '{"a":[{"prefix":1}]}',
    '{"a":[{"prefix":{"prefix":"a"}}]}',
    '{"a":[{"exists":"true"}]}',
    '{"a":[{"cidr":"10.0.0.0"}]}',
    '{"a":[{"cidr":"10.0.0.0/33"}]}',
    '{"a":[{"numeric":[]}]}',
    '{"a":[{"numeric":["=",1,"=",2]}]}',
    '{"a":[{"numeric":[">",5,"<",5]}]}',
    '{"a":[{"numeric":["!=",5]}]}',
    '{"a":[{"numeric":[">",5000000001]}]}',
    '{"a":[{"wildcard":"a**b"}]}',
    '{"a":[{"wildcard":"a\\\\b"}]}',
    '{"a":[{"anything-but":[]}]}',
    '{"a":[{"anything-but":["a",1]}]}',
    '{"a":[{"anything-but":{"numeric":["=",1]}}]}',
    `${'{"a":'.repeat(200)}["b"]${"}".repeat(200)}`,
    JSON.stringify({ a: Array.from({ length: 3000 }, (_, at) => at) }),
  ])("%.40s", (text) => {
    expect(() => compileEventPattern(text)).toThrow(EventPatternError);
  });
});

test("whatever text is given, it is compiled or refused as a pattern", () => {
  const leaf = fc.oneof(fc.string(), fc.integer(), fc.constantFrom("prefix", "numeric", "anything-but", "exists", "*"));
  const { node } = fc.letrec((tie) => ({
    node: fc.oneof(
      leaf,
      fc.array(tie("node"), { maxLength: 3 }),
      fc.dictionary(
        fc.constantFrom("a", "$or", "prefix", "suffix", "wildcard", "numeric", "exists", "cidr", "anything-but"),
        tie("node"),
        { maxKeys: 3 },
      ),
    ),
  }));
  fc.assert(
    fc.property(node, fc.jsonValue(), (pattern, event) => {
      try {
        expect(typeof matches(pattern, event)).toBe("boolean");
      } catch (error) {
        expect(error).toBeInstanceOf(EventPatternError);
      }
    }),
    { numRuns: 500 },
  );
});

test("wildcards agree with regular expressions", () => {
  const text = fc.string({ unit: fc.constantFrom("a", "b", ".", "*", "\\"), maxLength: 12 });
  const pattern = fc
    .array(fc.constantFrom("a", "b", ".", "*", "\\*", "\\\\"), { maxLength: 8 })
    .filter((parts) => !parts.some((part, at) => part === "*" && parts[at + 1] === "*"));
  fc.assert(
    fc.property(pattern, text, (parts, value) => {
      const source = parts.map((part) => (part === "*" ? ".*" : part === "." ? "\\." : part)).join("");
      expect(matches({ a: [{ wildcard: parts.join("") }] }, { a: value })).toBe(
        new RegExp(`^${source}$`, "s").test(value),
      );
    }),
    { numRuns: 500 },
  );
});
