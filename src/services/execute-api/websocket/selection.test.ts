import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseMessage, parseSelectionExpression } from "./selection.ts";

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
