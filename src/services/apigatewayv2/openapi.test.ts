import fc from "fast-check";
import { expect, test } from "vitest";
import { AwsError } from "../../aws/error.ts";
import { parseApiDefinition } from "./openapi.ts";

const members = [
  "get",
  "responses",
  "x-amazon-apigateway-any-method",
  "x-amazon-apigateway-integration",
  "x-amazon-apigateway-integrations",
  "x-amazon-apigateway-authorizer",
  "x-amazon-apigateway-authtype",
  "securitySchemes",
  "$ref",
  "type",
  "uri",
  "httpMethod",
  "payloadFormatVersion",
  "requestParameters",
  "responseParameters",
  "identitySource",
  "jwtConfiguration",
  "security",
  "__proto__",
  "200",
];
const leaf = fc.oneof(
  fc.jsonValue({ maxDepth: 1 }),
  fc.constantFrom(
    "aws_proxy",
    "http_proxy",
    "2.0",
    "ANY",
    "jwt",
    "request",
    "#/components/x",
    "$request.header.a",
    "\ud800",
  ),
);
const { tree } = fc.letrec((tie) => ({
  tree: fc.oneof(
    { depthSize: "small", maxDepth: 5 },
    leaf,
    fc.dictionary(fc.constantFrom(...members), tie("tree"), { maxKeys: 4 }),
    fc.array(tie("tree"), { maxLength: 2 }),
  ),
}));

test("Any definition of an HTTP API is read or refused, with an answer that AWS would give", () => {
  const document = fc.record({
    openapi: fc.constantFrom("3.0.1", "3.1.0"),
    info: fc.oneof(fc.constant({ title: "a", version: "1" }), tree),
    paths: fc.oneof(tree, fc.dictionary(fc.constantFrom("/", "/a", "/{b+}", "/$default", "x"), tree)),
    components: tree,
    security: tree,
    servers: tree,
    tags: tree,
    "x-amazon-apigateway-cors": tree,
    "x-amazon-apigateway-endpoint-configuration": tree,
  });
  let read = 0;
  fc.assert(
    fc.property(document, fc.constantFrom("ignore", "prepend", "split"), (value, mode) => {
      try {
        parseApiDefinition(JSON.stringify(value), mode);
        read++;
      } catch (error) {
        if (!(error instanceof AwsError)) throw error;
      }
    }),
    { numRuns: 500 },
  );
  expect(read).toBeGreaterThan(0);
});

test("Any text is read or refused as a definition", () => {
  const pieces = fc.constantFrom(
    "{",
    "}",
    "[",
    "]",
    ":",
    "- ",
    "\n",
    "  ",
    '"',
    "&a ",
    "*a",
    "openapi: 3.0.1",
    "info:",
    "!!js/function ",
    "<<: ",
    "\t",
    "\0",
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.array(pieces, { maxLength: 12 }).map((parts) => parts.join("")),
        fc.string(),
      ),
      (text) => {
        expect(() => parseApiDefinition(text)).toThrow(AwsError);
      },
    ),
  );
});
