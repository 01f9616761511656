import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { evaluate, type Scope } from "./evaluate.ts";
import type { JsonValue } from "./parse.ts";
import { pseudoParameters } from "./pseudo-parameters.ts";
import { TemplateError } from "./template-error.ts";

const scope: Scope = {
  pseudo: pseudoParameters({
    account: "123456789012",
    region: "eu-west-1",
    stackId: "arn:aws:cloudformation:eu-west-1:123456789012:stack/app/1",
    stackName: "app",
  }),
  parameters: new Map<string, JsonValue>([
    ["Name", "n"],
    ["List", ["a", "b", "c"]],
  ]),
  mappings: new Map([["Map", { top: { second: "value", list: ["x", "y"] } }]]),
  conditions: new Map([
    ["Yes", true],
    ["No", false],
  ]),
  resources: {
    ref: (id) => (id === "Topic" ? "topic-1" : undefined),
    attribute: (id, name) => (id === "Topic" && name === "Arn" ? "arn:topic-1" : undefined),
  },
  exports: new Map([["shared", "exported"]]),
};

describe("intrinsic functions", () => {
  test.each<[string, JsonValue, JsonValue | undefined]>([
    ["Ref of a parameter", { Ref: "Name" }, "n"],
    ["Ref of a pseudo parameter", { Ref: "AWS::AccountId" }, "123456789012"],
    ["Ref of a resource", { Ref: "Topic" }, "topic-1"],
    ["NoValue removes a member", { a: 1, b: { Ref: "AWS::NoValue" } }, { a: 1 }],
    ["NoValue removes an item", ["a", { Ref: "AWS::NoValue" }], ["a"]],
    ["NoValue as the whole", { Ref: "AWS::NoValue" }, undefined],
    ["GetAtt as a list", { "Fn::GetAtt": ["Topic", "Arn"] }, "arn:topic-1"],
    ["GetAtt as text", { "Fn::GetAtt": "Topic.Arn" }, "arn:topic-1"],
    ["Sub", { "Fn::Sub": "${AWS::Region}/${Name}/${Topic.Arn}/${!Literal}" }, "eu-west-1/n/arn:topic-1/${Literal}"],
    ["Sub with a map", { "Fn::Sub": ["${A}-${Name}", { A: { Ref: "Topic" } }] }, "topic-1-n"],
    ["Join", { "Fn::Join": ["-", ["a", { Ref: "Name" }, 1]] }, "a-n-1"],
    ["Join of a list parameter", { "Fn::Join": ["", { Ref: "List" }] }, "abc"],
    ["Select", { "Fn::Select": ["1", { Ref: "List" }] }, "b"],
    ["Split", { "Fn::Split": [",", "a,b"] }, ["a", "b"]],
    ["Select of Split", { "Fn::Select": [1, { "Fn::Split": [":", { "Fn::GetAtt": "Topic.Arn" }] }] }, "topic-1"],
    ["FindInMap", { "Fn::FindInMap": ["Map", "top", "second"] }, "value"],
    [
      "FindInMap with a default",
      { "Fn::FindInMap": ["Map", "none", "second", { DefaultValue: { Ref: "Name" } }] },
      "n",
    ],
    ["Base64", { "Fn::Base64": "hello" }, "aGVsbG8="],
    ["Cidr", { "Fn::Cidr": ["10.0.0.0/16", 3, 8] }, ["10.0.0.0/24", "10.0.1.0/24", "10.0.2.0/24"]],
    ["Cidr of IPv6", { "Fn::Cidr": ["2001:db8::/56", 2, 64] }, ["2001:db8::/64", "2001:db8:0:1::/64"]],
    ["GetAZs", { "Fn::GetAZs": "" }, ["eu-west-1a", "eu-west-1b", "eu-west-1c"]],
    ["ImportValue", { "Fn::ImportValue": "shared" }, "exported"],
    ["If", { "Fn::If": ["Yes", "a", "b"] }, "a"],
    ["If not", { "Fn::If": ["No", "a", { "Fn::If": ["Yes", "b", "c"] }] }, "b"],
    ["Length", { "Fn::Length": { Ref: "List" } }, 3],
    ["ToJsonString", { "Fn::ToJsonString": { a: { Ref: "Name" } } }, '{"a":"n"}'],
    [
      "Condition as an ordinary key",
      { Condition: { StringEquals: { a: "b" } } },
      { Condition: { StringEquals: { a: "b" } } },
    ],
  ])("%s", (_name, value, expected) => {
    expect(evaluate(value, scope)).toEqual(expected);
  });

  test.each<[JsonValue, string]>([
    [{ Ref: ["a"] }, "Template error: every Ref object must have a single String value."],
    [
      { Ref: "Nobody" },
      "Template format error: Unresolved resource dependencies [Nobody] in the Resources block of the template",
    ],
    [
      { "Fn::GetAtt": "Topic" },
      "Template error: every Fn::GetAtt object requires two non-empty parameters, the resource name and the resource attribute",
    ],
    [{ "Fn::Select": [9, ["a"]] }, "Template error: Fn::Select cannot select nonexistent value at index 9"],
    [
      { "Fn::Select": ["x", ["a"]] },
      "Template error: Fn::Select requires a list argument with two elements: an integer index and a list",
    ],
    [{ "Fn::FindInMap": ["Map", "top", "none"] }, "Template error: Unable to get mapping for Map::top::none"],
    [
      { "Fn::FindInMap": ["None", "top", "none"] },
      "Template error: Mapping named 'None' is not present in the 'Mappings' section of template.",
    ],
    [{ "Fn::Base64": ["a"] }, "Template error: every Fn::Base64 object must have a String-typed value."],
    [{ "Fn::ImportValue": "nobody" }, "No export named nobody found."],
    [
      { "Fn::Sub": "${a b}" },
      "Template error: variable names in Fn::Sub syntax must contain only alphanumeric characters, underscores, periods, and colons",
    ],
    [{ "Fn::If": ["Maybe", 1, 2] }, "Template error: unresolved condition dependency Maybe in Fn::If"],
    [{ "Fn::Cidr": ["10.0.0.0/33", 1, 8] }, "Template error: Fn::Cidr 10.0.0.0/33 is not a valid CIDR block"],
    [
      { "Fn::FindInMap": ["Map", "__proto__", "toString"] },
      "Template error: Unable to get mapping for Map::__proto__::toString",
    ],
  ])("%j is refused", (value, message) => {
    expect(() => evaluate(value, scope)).toThrow(new TemplateError(message));
  });

  test("a value without functions stays what it is", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const plain: JsonValue = JSON.parse(JSON.stringify(value));
        if (/"(?:Ref|Fn::\w+)":/.test(JSON.stringify(plain))) return;
        expect(evaluate(plain, scope)).toEqual(plain);
      }),
    );
  });

  test("Split undoes Join", () => {
    const item = fc.string().filter((text) => !text.includes("|"));
    fc.assert(
      fc.property(fc.array(item, { minLength: 1 }), (items) => {
        expect(evaluate({ "Fn::Split": ["|", { "Fn::Join": ["|", items] }] }, scope)).toEqual(items);
      }),
    );
  });

  test("Sub without variables is its text, and ${!x} is ${x}", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const literal = text.replaceAll("${", "${!");
        if (/\$\{[^}]*$/.test(literal)) return;
        expect(evaluate({ "Fn::Sub": literal }, scope)).toBe(text);
      }),
    );
  });

  test("blocks of Fn::Cidr follow each other without a gap, inside of the block", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 256 }), fc.integer({ min: 1, max: 8 }), (count, bits) => {
        const blocks = evaluate({ "Fn::Cidr": ["10.1.0.0/16", count, bits] }, scope);
        const starts = (Array.isArray(blocks) ? blocks : []).map((block) =>
          String(block)
            .split("/")[0]
            ?.split(".")
            .reduce((sum, part) => sum * 256 + Number(part), 0),
        );
        expect(starts).toEqual(Array.from({ length: count }, (_, index) => 0x0a01_0000 + index * 2 ** bits));
      }),
    );
  });

  test("text that would grow without end is refused", () => {
    let value: JsonValue = "x".repeat(1000);
    for (let doubling = 0; doubling < 30; doubling++) value = { "Fn::Join": ["", [value, value]] };
    expect(() => evaluate(value, scope)).toThrow("Template error: the evaluated template is too large");
  });

  test("arguments of any form give a value or a TemplateError", () => {
    const names = fc.constantFrom(
      "Ref",
      "Fn::GetAtt",
      "Fn::Sub",
      "Fn::Join",
      "Fn::Select",
      "Fn::Split",
      "Fn::FindInMap",
      "Fn::Base64",
      "Fn::Cidr",
      "Fn::GetAZs",
      "Fn::ImportValue",
      "Fn::If",
      "Fn::Length",
      "Fn::ToJsonString",
    );
    const argument = fc.jsonValue({ maxDepth: 3 });
    fc.assert(
      fc.property(names, argument, (name, given) => {
        try {
          evaluate({ [name]: JSON.parse(JSON.stringify(given)) }, scope);
        } catch (error) {
          expect(error).toBeInstanceOf(TemplateError);
        }
      }),
      { numRuns: 1000 },
    );
  });
});
