import fc from "fast-check";
import { expect, test } from "vitest";
import { compileSource } from "../../execute-api/websocket/parameters.ts";
import { parseRequestParameters, parseResponseParameters } from "./parameter-rules.ts";

const target = "integration.request.header.X";
const isTaken = (source: string) => {
  try {
    parseRequestParameters({ [target]: source });
    return true;
  } catch {
    return false;
  }
};

// The table of "Set up data mapping for WebSocket APIs in API Gateway".
test.each([
  "route.request.querystring.q",
  "route.request.header.X-Name",
  "route.request.multivaluequerystring.q",
  "route.request.multivalueheader.X",
  "route.request.body.user.name",
  "route.request.body",
  "stageVariables.color",
  "context.connectionId",
  "context.authorizer.principalId",
  "'literal, with {anything}'",
  "method.request.header.X",
])("%s is mapped", (source) => {
  expect(isTaken(source)).toBe(true);
  expect(compileSource(source)).toBeDefined();
});

test.each(["route.request.path.x", "integration.response.body", "$context.stage", "context.", "'open", "x", ""])(
  "%j is refused",
  (source) => {
    expect(isTaken(source)).toBe(false);
    expect(() => parseResponseParameters({ "route.response.body": source })).toThrow();
  },
);

test("What the control plane takes, the data plane can read, whatever it is", () => {
  const part = fc.oneof(
    fc.constantFrom("route", "method", "request", "body", "header", "querystring", "context", "stageVariables", "'"),
    fc.string({ maxLength: 4 }),
  );
  const source = fc.array(part, { maxLength: 5 }).map((parts) => parts.join("."));
  fc.assert(
    fc.property(fc.oneof(source, fc.string()), (text) => {
      if (isTaken(text)) expect(compileSource(text)).toBeDefined();
    }),
  );
});
