import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compileKeyChoice, parseMessage, parseSelectionExpression } from "./selection.ts";

const message = { service: "chat", action: "join", data: { room: "room1234", tags: ["a", "b"] } };

describe("A selection expression", () => {
  // The table of "Route selection expressions" in the developer guide.
  test.each([
    ["$request.body.action", "join"],
    ["${request.body.action}", "join"],
    ["${request.body.service}/${request.body.action}", "chat/join"],
    ["${request.body.action}-${request.body.invalidPath}", undefined],
    ["$request.body.data.room", "room1234"],
    ["$request.body.data['room']", "room1234"],
    ["$request.body.data.tags[1]", "b"],
    ["$request.body.data.tags", "[a, b]"],
    ["$request.body.data.tags[7]", undefined],
    ["$request.body.constructor", undefined],
  ])("%s is %s", (expression, expected) => {
    expect(parseSelectionExpression(expression)?.evaluate(message)).toBe(expected);
  });

  test.each([
    "action",
    "$request.header.x",
    "$request.body..action",
    "$request.body.*",
    "${request.body.action",
    "",
    "$",
  ])("%j is none", (expression) => {
    expect(parseSelectionExpression(expression)).toBeUndefined();
  });

  test("takes any text and any message", () => {
    fc.assert(
      fc.property(fc.string(), fc.jsonValue(), (text, body) => {
        parseSelectionExpression(`$request.body${text}`)?.evaluate(body);
        parseSelectionExpression(text)?.evaluate(body);
        parseMessage(text);
      }),
    );
  });
});

describe("A key of a model or template", () => {
  const sources = {
    body: () => message,
    answer: { status: "200", header: (name: string) => (name === "x-kind" ? ["a", "b"] : []) },
  };

  // The table of "WebSocket selection expressions" in the developer guide.
  test.each([
    ["\\$default", "$default"],
    ["$default", "$default"],
    ["plain", "plain"],
    ["", ""],
    ["${request.body.action}-beta", "join-beta"],
    ["$request.body.none", undefined],
    ["${integration.response.statuscode}", "200"],
    ["${integration.response.header.x-kind}", "b"],
    ["${integration.response.multivalueheader.x-kind}", "[a, b]"],
    ["\\${request.body.action}", "${request.body.action}"],
  ])("of an answer, %j, is %j", (expression, expected) => {
    const choose = compileKeyChoice(expression, "answer");
    expect(choose).toBeDefined();
    expect(choose?.(sources)).toBe(expected);
  });

  test.each(["$integration.response.statuscode", "${integration.response.header.x}", "${context.stage}", "$method"])(
    "of a message cannot be %s",
    (expression) => {
      expect(compileKeyChoice(expression, "message")).toBeUndefined();
    },
  );

  test("takes any text", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        compileKeyChoice(`\${${text}`, "answer")?.(sources);
        compileKeyChoice(text, "answer")?.(sources);
      }),
    );
  });
});
