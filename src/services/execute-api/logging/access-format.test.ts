import fc from "fast-check";
import { expect, test } from "vitest";
import { compileAccessFormat } from "./access-format.ts";

const values: Record<string, unknown> = {
  requestId: "id-1",
  "identity.sourceIp": "10.0.0.1",
  requestTime: "21/Apr/2020:15:08:21 +0000",
  httpMethod: "GET",
  resourcePath: "/pets",
  protocol: "HTTP/1.1",
  status: 200,
  responseLength: 12,
  "error.messageString": '"Not \\"Found\\""',
  "authorizer.claims.cognito:username": "me",
};
const write = (format: string) => compileAccessFormat<undefined>(format, (_request, name) => values[name])(undefined);

// Source: "Set up CloudWatch logging for REST APIs", examples of formats.
test("the Common Log Format is written as documented", () => {
  const format =
    '$context.identity.sourceIp $context.identity.caller $context.identity.user [$context.requestTime]"$context.httpMethod $context.resourcePath $context.protocol" $context.status $context.responseLength $context.requestId $context.extendedRequestId\n';
  expect(write(format)).toBe('10.0.0.1 - - [21/Apr/2020:15:08:21 +0000]"GET /pets HTTP/1.1" 200 12 id-1 -');
});

test("JSON, XML and CSV are text like any other", () => {
  expect(write('{ "requestId":"$context.requestId", "status":"$context.status" }')).toBe(
    '{ "requestId":"id-1", "status":"200" }',
  );
  expect(write('<request id="$context.requestId"><status>$context.status</status></request>')).toBe(
    '<request id="id-1"><status>200</status></request>',
  );
  expect(write("$context.requestId,$context.httpMethod,$context.status")).toBe("id-1,GET,200");
  expect(write("$context.httpMethod-$context.status.")).toBe("GET-200.");
});

test("claims are found by their names, and messages stay quoted as they are", () => {
  expect(write("$context.authorizer.claims.cognito:username")).toBe("me");
  expect(write('{"m":$context.error.messageString}')).toBe('{"m":"Not \\"Found\\""}');
});

test("whatever a value holds, the line is one line, and JSON stays JSON", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (value) => {
      const read = () => value;
      const text = compileAccessFormat(`x $context.path`, read)(undefined);
      expect(text).not.toMatch(/[\r\n]/);
      const json = compileAccessFormat(`{"path":"$context.path"}`, read)(undefined);
      expect(JSON.parse(json)).toEqual({ path: value === "" ? "-" : value });
    }),
  );
});
