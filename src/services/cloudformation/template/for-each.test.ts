import { expect, test } from "vitest";
import { expandForEach } from "./for-each.ts";

test("Fn::ForEach makes one entry per item, in keys, texts and references", () => {
  const source = {
    Resources: {
      "Fn::ForEach::Topics": [
        "Name",
        { Ref: "Names" },
        {
          "Topic${Name}": {
            Type: "AWS::SNS::Topic",
            Properties: { TopicName: { Ref: "Name" }, DisplayName: "x ${Name}" },
          },
        },
      ],
      Other: { Type: "AWS::SNS::Topic" },
    },
  };
  expect(expandForEach(source, new Map([["Names", ["A", "B"]]]))).toEqual({
    Resources: {
      TopicA: { Type: "AWS::SNS::Topic", Properties: { TopicName: "A", DisplayName: "x A" } },
      TopicB: { Type: "AWS::SNS::Topic", Properties: { TopicName: "B", DisplayName: "x B" } },
      Other: { Type: "AWS::SNS::Topic" },
    },
  });
});

test("&{Name} drops what a logical id cannot have", () => {
  const source = { Outputs: { "Fn::ForEach::L": ["I", ["10.0.0.1"], { "Out&{I}": { Value: "${I}" } }] } };
  expect(expandForEach(source, new Map())).toEqual({ Outputs: { Out10001: { Value: "10.0.0.1" } } });
});

test("loops in loops multiply, up to a limit", () => {
  const items = Array.from({ length: 100 }, (_, index) => `i${index}`);
  const inner = (name: string, body: object): object => ({ [`Fn::ForEach::${name}`]: [name, items, body] });
  const source = { Resources: inner("A", inner("B", inner("C", { "X${A}${B}${C}": "y" }))) };
  expect(() => expandForEach(JSON.parse(JSON.stringify(source)), new Map())).toThrow(
    "Transform AWS::LanguageExtensions failed with: the expanded template is too large",
  );
});

test.each([[["I"]], [["I", "text", {}]], [["I", ["a"], "text"]]])("%j is refused", (argument) => {
  expect(() => expandForEach({ Resources: { "Fn::ForEach::L": argument } }, new Map())).toThrow(
    "Transform AWS::LanguageExtensions failed with: Fn::ForEach",
  );
});
