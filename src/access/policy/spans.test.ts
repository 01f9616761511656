import fc from "fast-check";
import { expect, test } from "vitest";
import { statementSpans } from "./spans.ts";

const json = fc.jsonValue({ maxDepth: 4 });
const statement = fc.record({ Effect: fc.constant("Allow"), Condition: json, Principal: json, 'x"}]\\': json });

test("each statement is where it says, however the document is written", () => {
  fc.assert(
    fc.property(
      fc.array(statement, { minLength: 1, maxLength: 5 }),
      json,
      fc.constantFrom(0, 1, 3),
      (statements, id, indent) => {
        const text = JSON.stringify({ Id: id, Statement: statements, Version: "2012-10-17" }, undefined, indent);
        const spans = statementSpans(text);
        expect(spans.map(({ start, end }) => JSON.parse(text.slice(start, end)))).toEqual(
          statements.map((each) => JSON.parse(JSON.stringify(each))),
        );
      },
    ),
  );
});

test("a single statement stands alone; principals are told with their quotation marks", () => {
  const text =
    '{ "Statement": {"Principal" : { "AWS": ["a", "b\\u0041"], "Service": "c" }, "NotPrincipal": {"AWS":"d"} } }';
  const [span] = statementSpans(text);
  expect(span?.principals.map(({ value }) => value)).toEqual(["a", "bA", "d"]);
  expect(span?.principals.map(({ start, end }) => text.slice(start, end))).toEqual(['"a"', '"b\\u0041"', '"d"']);
  expect(statementSpans('{"Statement":{"Principal":"*"}}')[0]?.principals).toEqual([]);
});
