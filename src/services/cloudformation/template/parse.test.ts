import fc from "fast-check";
import { stringify } from "yaml";
import { describe, expect, test } from "vitest";
import { parseTemplate } from "./parse.ts";
import { TemplateError } from "./template-error.ts";

describe("a YAML template", () => {
  test.each([
    ["A: !Ref X", { A: { Ref: "X" } }],
    ["A: !Sub 'x-${Y}'", { A: { "Fn::Sub": "x-${Y}" } }],
    ["A: !GetAtt X.Y.Z", { A: { "Fn::GetAtt": ["X", "Y.Z"] } }],
    ["A: !GetAtt [X, Y]", { A: { "Fn::GetAtt": ["X", "Y"] } }],
    ["A: !If [C, !Ref X, !Ref 'AWS::NoValue']", { A: { "Fn::If": ["C", { Ref: "X" }, { Ref: "AWS::NoValue" }] } }],
    ["A: !Not [!Condition C]", { A: { "Fn::Not": [{ Condition: "C" }] } }],
    ["A: !Join\n  - ','\n  - [a, b]", { A: { "Fn::Join": [",", ["a", "b"]] } }],
    ["A: !Base64\n  Fn::Sub: x", { A: { "Fn::Base64": { "Fn::Sub": "x" } } }],
    ["A: 2012-10-17", { A: "2012-10-17" }],
    ["A: 0123", { A: "0123" }],
    ["A: 1.10", { A: "1.10" }],
    ["A: 12", { A: 12 }],
    ["A: -1.5", { A: -1.5 }],
    ["A: 012345678901", { A: "012345678901" }],
    ["A: yes\nB: 'yes'\non: off", { A: true, B: "yes", on: false }],
    ["A: |\n  x\n  y\n", { A: "x\ny\n" }],
    ["A: {}\n# a comment", { A: {} }],
  ])("%j reads as %j", (text, value) => {
    expect(parseTemplate(text)).toEqual(value);
  });

  test.each([
    ["A: [", "Template format error: YAML not well-formed. (line 1, column 5)"],
    ["A: 1\nA: 2", "Template format error: YAML not well-formed. (line 2, column 1)"],
    ["A: !Nope x", "Template format error: YAML not well-formed. (line 1, column 10)"],
    ["a:\n\t- b", "Template format error: YAML not well-formed. (line 2, column 1)"],
    ["A: &x 1\nB: *x", "Template error: YAML aliases are not allowed in CloudFormation templates"],
    ["a: {<<: {b: 1}}", "Template format error: YAML not well-formed. (line 1, column 5)"],
    ["just text", "Template format error: unsupported structure."],
    ["- a", "Template format error: unsupported structure."],
    ["", "Template format error: unsupported structure."],
    ['{"a": [1, 2}', "Template format error: JSON not well-formed. (line 1, column 12)"],
    ['{\n  "a": 1,\n}', "Template format error: JSON not well-formed. (line 3, column 1)"],
  ])("%j is refused", (text, message) => {
    expect(() => parseTemplate(text)).toThrow(new TemplateError(message));
  });

  test("as deep as one likes is refused, not followed", () => {
    const deep = [
      `A: ${"[".repeat(50_000)}`,
      `A: ${"{a: ".repeat(900)}1${"}".repeat(900)}`,
      "- ".repeat(20_000),
      `{"a":${"[".repeat(50_000)}`,
      Array.from({ length: 500 }, (_, depth) => `${" ".repeat(depth)}a:`).join("\n"),
    ];
    for (const text of deep) expect(() => parseTemplate(text)).toThrow(TemplateError);
  });

  test("of two documents is refused", () => {
    expect(() => parseTemplate("--- 1\n---\n2")).toThrow(TemplateError);
  });

  test("with a key named __proto__ has that key, and nothing else changes", () => {
    const value = parseTemplate("__proto__: { polluted: 1 }");
    expect(Object.keys(value)).toEqual(["__proto__"]);
    expect("polluted" in {}).toBe(false);
  });

  test("says what its value was, whatever the value", () => {
    const json = fc.dictionary(fc.string({ minLength: 1 }), fc.jsonValue({ maxDepth: 3 }), { minKeys: 1 });
    fc.assert(
      fc.property(json, (value) => {
        expect(parseTemplate(JSON.stringify(value))).toEqual(JSON.parse(JSON.stringify(value)));
        const plain = JSON.parse(JSON.stringify(value));
        const yaml = stringify(plain, { defaultStringType: "QUOTE_DOUBLE", aliasDuplicateObjects: false });
        if (!/[eE]/.test(yaml.replaceAll(/"(?:[^"\\]|\\.)*"/g, ""))) expect(parseTemplate(yaml)).toEqual(plain);
      }),
      { numRuns: 200 },
    );
  });

  test("of random text never throws anything but TemplateError", () => {
    const pieces = fc.constantFrom(
      "a",
      ": ",
      "- ",
      "\n",
      "  ",
      "!Ref ",
      "!Sub ",
      "[",
      "]",
      "{",
      "}",
      ",",
      "'",
      '"',
      "&x ",
      "*x",
      "|\n",
      ">",
      "? ",
      "#",
      "---\n",
      "%",
      "\t",
      "~",
      "é",
      "\u0000",
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 60 }), (parts) => {
        try {
          parseTemplate(parts.join(""));
        } catch (error) {
          expect(error).toBeInstanceOf(TemplateError);
        }
      }),
      { numRuns: 500 },
    );
  });
});
