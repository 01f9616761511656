import { afterAll, beforeAll, expect, test } from "vitest";
import { createFakeClock } from "../../../testing/fake-clock.ts";
import { type FakeGateway, startFakeGateway } from "../fake-gateway.ts";
import type { PublishedEndpointIntegration, PublishedIntegrationResponse } from "../port.ts";

let gateway: FakeGateway;
let published = 0;

beforeAll(async () => {
  gateway = await startFakeGateway(createFakeClock(Date.UTC(2026, 2, 12)));
});
afterAll(() => gateway.stop());

/** A method that calls a function with the mapped body. */
async function publish(
  response: Partial<PublishedIntegrationResponse>,
  more: Partial<PublishedEndpointIntegration> = {},
): Promise<string> {
  const apiId = `e${published++}`;
  const functionArn = "arn:aws:lambda:us-east-1:000000000000:function:f";
  await gateway.publish({
    kind: "rest",
    version: 1,
    account: "000000000000",
    region: "us-east-1",
    apiId,
    stageName: "prod",
    deploymentId: "d",
    variables: {},
    disableExecuteApiEndpoint: false,
    binaryMediaTypes: ["image/png"],
    gatewayResponses: [],
    methods: [
      {
        resourceId: "r",
        path: "/",
        httpMethod: "ANY",
        authorizationType: "NONE",
        integration: {
          type: "AWS",
          uri: `arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/${functionArn}/invocations`,
          httpMethod: "POST",
          timeoutMs: 29_000,
          requestTemplates: {},
          requestParameters: {},
          passthroughBehavior: "WHEN_NO_MATCH",
          responses: [{ statusCode: "200", responseParameters: {}, responseTemplates: {}, ...response }],
          ...more,
        },
      },
    ],
  });
  return `${gateway.url}/${apiId}/prod/`;
}

/** "Handle Lambda errors in API Gateway": the guide's error, mapping and headers. */
test("The members of a function's custom error, which stands in its message as JSON, go into headers", async () => {
  const trace = { function: "abc()", line: 123, file: "abc.js" };
  const error = { errorType: "InternalServerError", httpStatus: 500, requestId: "e5849002", trace };
  const payload = Buffer.from(JSON.stringify({ errorMessage: JSON.stringify(error) }));
  gateway.answer(() => Promise.resolve({ payload, functionError: "Unhandled" }));
  const url = await publish({
    responseParameters: {
      "method.response.header.error_trace_function": "integration.response.body.errorMessage.trace.function",
      "method.response.header.error_status": "integration.response.body.errorMessage.httpStatus",
      "method.response.header.error_type": "integration.response.body.errorMessage.errorType",
      "method.response.header.error_trace": "integration.response.body.errorMessage.trace",
      "method.response.header.none": "integration.response.body.errorMessage.nobody",
    },
  });
  const { headers } = await fetch(url);
  expect(headers.get("error_status")).toBe("500");
  expect(JSON.parse(headers.get("error_trace") ?? "")).toEqual(trace);
  expect(headers.get("error_trace_function")).toBe("abc()");
  expect(headers.get("error_type")).toBe("InternalServerError");
  expect(headers.has("none")).toBe(false);
});

/** "Content type conversions in API Gateway": a conversion that fails is a 500, as for a configuration error. */
test("An answer that the client wants as binary and that is no base 64 is a 500, and so is a request; a text in base 64 is bytes", async () => {
  gateway.answer({ is: "no base 64" });
  const answered = await fetch(await publish({}), { headers: { accept: "image/png" } });
  expect([answered.status, await answered.json()]).toEqual([500, { message: "Internal server error" }]);
  const asked = await fetch(await publish({}, { contentHandling: "CONVERT_TO_BINARY" }), { method: "POST", body: "%" });
  expect(asked.status).toBe(500);
  gateway.answer("AAEC");
  const told = await fetch(await publish({}), { headers: { accept: "image/png" } });
  expect([told.status, [...(await told.bytes())]]).toEqual([200, [0, 1, 2]]);
});
