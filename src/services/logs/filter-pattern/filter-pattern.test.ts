import fc from "fast-check";
import { expect, test } from "vitest";
import { matchesWildcard } from "./expression.ts";
import { parseFilterPattern } from "./parse.ts";

const matches = (pattern: string, message: string) => parseFilterPattern(pattern)(message);

test.each([
  ["", "anything", true],
  ["ERROR", "[ERROR] bad", true],
  ["error", "[ERROR] bad", false],
  ["ERROR bad", "bad [ERROR]", true],
  ["ERROR good", "bad [ERROR]", false],
  ['"two words"', "one two words", true],
  ['"two words"', "words two", false],
  ['"a \\"quoted\\" word"', 'a "quoted" word', true],
  ["ERROR -bad", "[ERROR] bad", false],
  ["-bad", "good", true],
  ["?ERROR ?WARN", "[WARN] x", true],
  ["?ERROR ?WARN", "[INFO] x", false],
  ["?ERROR INFO", "[INFO] x", true],
])("the pattern %j on %j gives %j", (pattern, message, expected) => {
  expect(matches(pattern, message)).toBe(expected);
});

const event = JSON.stringify({ level: "ERROR", status: 404, ok: false, user: null, tags: ["a", { k: "v" }], "a b": 1 });

test.each([
  ['{ $.level = "ERROR" }', true],
  ["{ $.level = ERR* }", true],
  ['{ $.level != "ERROR" }', false],
  ["{ $.missing != 1 }", false],
  ["{ $.status = 404 }", true],
  ["{ $.status >= 400 && $.status < 500 }", true],
  ["{ ($.status = 1 || $.status = 404) && $.level = ERROR }", true],
  ["{ $.ok IS FALSE }", true],
  ["{ $.ok IS TRUE }", false],
  ["{ $.user IS NULL }", true],
  ["{ $.missing NOT EXISTS }", true],
  ["{ $.level NOT EXISTS }", false],
  ["{ $.level EXISTS }", true],
  ["{ $.tags[0] = a }", true],
  ["{ $.tags[1].k = v }", true],
  ["{ $.tags[*] = a }", true],
  ['{ $["a b"] = 1 }', true],
])("the JSON pattern %j gives %j", (pattern, expected) => {
  expect(matches(pattern, event)).toBe(expected);
});

test("a JSON pattern matches no text that is not JSON", () => {
  expect(matches("{ $.a NOT EXISTS }", "{ not json")).toBe(false);
});

const line = '127.0.0.1 - frank [10/Oct/2000:13:25:15 -0700] "GET /index.html HTTP/1.0" 404 1534';

test.each([
  ["[ip, id, user, timestamp, request, status, size]", true],
  ["[ip, id, user, timestamp, request, status = 4*, size]", true],
  ["[ip, id, user, timestamp, request, status = 4*, size > 2000]", false],
  ["[..., size > 1000]", true],
  ["[ip, ..., status = 404 || status = 410, size]", true],
  ["[ip, user]", false],
  ['[..., request = "GET*", status, size]', true],
])("the space-delimited pattern %j gives %j", (pattern, expected) => {
  expect(matches(pattern, line)).toBe(expected);
});

test.each(["{ $.a }", "{ $.a = }", "{ a = 1 }", "[a, ..., b, ...]", '"open', "a:b", "{ ($.a = 1 }", "[]"])(
  "%j is refused as an invalid pattern",
  (pattern) => {
    expect(() => parseFilterPattern(pattern)).toThrow("Invalid filter pattern");
  },
);

test.each(["%ERROR%", "{ $.a = %x% }", "[a = %x%]"])("%j is refused: regular expressions are not built", (pattern) => {
  expect(() => parseFilterPattern(pattern)).toThrow("not implemented");
});

test("any pattern is parsed or refused as AWS refuses, and never fails otherwise", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), fc.string(), (pattern, message) => {
      try {
        parseFilterPattern(pattern)(message);
      } catch (error) {
        expect(error).toMatchObject({ name: "AwsError" });
      }
    }),
    { numRuns: 1000 },
  );
});

test("wildcards match as the regular expression of the same meaning", () => {
  const text = fc.string({ unit: fc.constantFrom("a", "b", "*"), maxLength: 8 });
  fc.assert(
    fc.property(text, text, (subject, pattern) => {
      const regex = new RegExp(`^${pattern.replaceAll("*", "[^]*")}$`);
      expect(matchesWildcard(subject, pattern)).toBe(regex.test(subject));
    }),
    { numRuns: 1000 },
  );
});
