import fc from "fast-check";
import { expect, test } from "vitest";
import { compileBodyText } from "./json-path.ts";

const body = Buffer.from(
  JSON.stringify({
    user: { name: "Ann", roles: ["a", "b"], age: 7 },
    "odd name": true,
    none: null,
    items: [{ p: 1 }, { p: 2 }],
  }),
);

test.each([
  ["user.name", "Ann"],
  ["$.user.roles[1]", "b"],
  ["$['odd name']", "true"],
  ["user.roles", '["a","b"]'],
  ["user.age", "7"],
  ["items[*].p", "[1,2]"],
  ["items[-1:].p", "[2]"],
  ["$..p", "[1,2]"],
  ["items[?(@.p>1)].p", "[2]"],
  ["none", undefined],
  ["user.none.deeper", undefined],
  ["user[", undefined],
])("%s of a body is %s", (path, text) => {
  expect(compileBodyText(path)(body)).toBe(text);
});

// Source: "Transform API requests and responses for HTTP APIs": recursive descent and filter expressions are not supported.
test.each([
  ["user.roles[0]", "a"],
  ["items[*].p", "[1,2]"],
  ["$..p", undefined],
  ["items[?(@.p>1)]", undefined],
])("%s in a mapping of an HTTP API is %s", (path, text) => {
  expect(compileBodyText(path, "http")(body)).toBe(text);
});

test("whatever the path and the body, something is found or nothing is", () => {
  fc.assert(
    fc.property(fc.string(), fc.oneof(fc.string(), fc.json()), (path, text) => {
      const found = compileBodyText(path)(Buffer.from(text));
      return found === undefined || typeof found === "string";
    }),
  );
});
