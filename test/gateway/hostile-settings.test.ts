import { APIGatewayClient, CreateDeploymentCommand, ImportRestApiCommand } from "@aws-sdk/client-api-gateway";
import { ApiGatewayV2Client, CreateStageCommand, ImportApiCommand } from "@aws-sdk/client-apigatewayv2";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestPlatform, type TestPlatform } from "../../src/testing/platform.ts";

/**
 * Who may deploy an API must not be able to end the server with it: whatever a definition says is refused when it is imported, or
 * served.
 */
let platform: TestPlatform;
let v1: APIGatewayClient;
let v2: ApiGatewayV2Client;
beforeAll(async () => {
  platform = await startTestPlatform();
  v1 = new APIGatewayClient(platform.settings);
  v2 = new ApiGatewayV2Client(platform.settings);
});
afterAll(() => platform.stop());

const odd = fc.constantFrom(
  "x", "", " ", "a b", "a\nb", "a\r\nx: y", "\u0000", "\u0100", "\ud800", "\u00e9", "*", "__proto__", "constructor", "'", "$", "#set(", "{", "999", "0", "-1", "1e3", "200.5",
  "abc", "101", "600", ":", "/", "//", "..", "%zz", "a".repeat(300),
); // prettier-ignore
const literal = odd.map((text) => `'${text}'`);

/** One member in two is odd: with more, everything is refused for one of them. */
function mostly<T extends Readonly<Record<string, unknown>>>(
  usual: T,
  members: { readonly [Name in keyof T]: fc.Arbitrary<T[Name]> },
): fc.Arbitrary<T> {
  const names = Object.keys(usual);
  return fc
    .tuple(fc.record(members), fc.subarray(names, { minLength: 1, maxLength: 2 }))
    .map(([oddities, chosen]) =>
      Object.assign({}, usual, Object.fromEntries(chosen.map((name) => [name, oddities[name]]))),
    );
}

/** What an attempt came to: refused by the platform as AWS would, or done. */
async function attempt<T>(sent: Promise<T>): Promise<T | undefined> {
  try {
    return await sent;
  } catch (error) {
    const status: unknown = Reflect.get(Object(Reflect.get(Object(error), "$metadata")), "httpStatusCode");
    expect(status, String(error)).toBeGreaterThanOrEqual(400);
    expect(status === 501 || Number(status) < 500, String(error)).toBe(true);
    return undefined;
  }
}

async function expectAnswers(apiId: string, stage: string): Promise<void> {
  for (const [path, init] of [
    ["/a", {}],
    ["/none", { headers: { accept: "image/png" } }],
    [
      "/a",
      { method: "POST", body: "{}", headers: { "content-type": "application/json", origin: "https://a.example" } },
    ],
    ["/a", { method: "OPTIONS", headers: { origin: "https://a.example", "access-control-request-method": "GET" } }],
  ] as const) {
    const answer = await fetch(`${platform.endpoint}/_cumulet/api/${apiId}${stage}${path}`, {
      ...init,
      signal: AbortSignal.timeout(5_000),
    });
    await answer.text();
  }
}

test("Whatever a REST API's definition says, it is refused or served", { timeout: 60_000 }, async () => {
  const usual = {
    responseType: "MISSING_AUTHENTICATION_TOKEN",
    gatewayStatus: "404",
    gatewayHeader: "X-Own",
    gatewayValue: "'a'",
    gatewayType: "application/json",
    gatewayTemplate: "{}",
    status: "200",
    header: "X-Own",
    value: "'a'",
    template: "{}",
    type: "application/json",
    binary: "image/*",
    pattern: "default",
    timeout: 1_000,
  };
  const setting = mostly<typeof usual>(usual, {
    responseType: fc.constantFrom("DEFAULT_4XX", "DEFAULT_5XX", "API_CONFIGURATION_ERROR", "NONE"),
    gatewayStatus: odd,
    gatewayHeader: odd,
    gatewayValue: fc.oneof(literal, odd),
    gatewayType: odd,
    gatewayTemplate: odd,
    status: odd,
    header: odd,
    value: fc.oneof(literal, odd),
    template: odd,
    type: odd,
    binary: odd,
    pattern: fc.oneof(fc.constantFrom("(", "[", "(a+)+b", "\\"), odd),
    timeout: fc.oneof(fc.integer({ min: -5, max: 40_000 }), fc.constant(Number.NaN)),
  });
  let served = 0;
  await fc.assert(
    fc.asyncProperty(setting, async (set) => {
      const answerHeader = `method.response.header.${set.header}`;
      const definition = {
        swagger: "2.0",
        info: { title: "hostile", version: "1" },
        "x-amazon-apigateway-binary-media-types": [set.binary],
        "x-amazon-apigateway-gateway-responses": {
          [set.responseType]: {
            statusCode: set.gatewayStatus,
            responseParameters: { [`gatewayresponse.header.${set.gatewayHeader}`]: set.gatewayValue },
            responseTemplates: { [set.gatewayType]: set.gatewayTemplate },
          },
        },
        paths: {
          "/a": {
            "x-amazon-apigateway-any-method": {
              responses: {
                [set.status]: { description: "", headers: { [set.header]: { type: "string" } } },
              },
              "x-amazon-apigateway-integration": {
                type: "mock",
                timeoutInMillis: set.timeout,
                requestTemplates: { [set.type]: '{"statusCode": 200}' },
                responses: {
                  [set.pattern]: {
                    statusCode: set.status,
                    responseParameters: { [answerHeader]: set.value },
                    responseTemplates: { [set.type]: set.template },
                  },
                },
              },
            },
          },
        },
      };
      const body = Buffer.from(JSON.stringify(definition));
      const restApiId = (await attempt(v1.send(new ImportRestApiCommand({ body }))))?.id;
      if (restApiId === undefined) return;
      const deployed = await attempt(v1.send(new CreateDeploymentCommand({ restApiId, stageName: "prod" })));
      if (deployed === undefined) return;
      await expectAnswers(restApiId, "/prod");
      served++;
    }),
    { numRuns: 60 },
  );
  expect(served).toBeGreaterThan(3);
});

test("Whatever an HTTP API's definition says, it is refused or served", { timeout: 60_000 }, async () => {
  const usual = {
    origin: "https://a.example",
    header: "x-own",
    method: "*",
    maxAge: 5,
    target: "overwrite:header.x",
    value: "$request.header.origin",
    uri: "/x",
  };
  const setting = mostly<typeof usual>(usual, {
    origin: odd,
    header: odd,
    method: odd,
    maxAge: fc.double(),
    target: fc.oneof(
      fc.constantFrom("append:querystring.q", "overwrite:path"),
      odd.map((name) => `append:header.${name}`),
      odd,
    ),
    value: odd,
    uri: odd,
  });
  let served = 0;
  await fc.assert(
    fc.asyncProperty(setting, async (set) => {
      const definition = {
        openapi: "3.0.1",
        info: { title: "hostile", version: "1" },
        "x-amazon-apigateway-cors": {
          allowOrigins: [set.origin],
          allowHeaders: [set.header],
          exposeHeaders: [set.header],
          allowMethods: [set.method],
          maxAge: set.maxAge,
        },
        paths: {
          "/a": {
            "x-amazon-apigateway-any-method": {
              responses: {},
              "x-amazon-apigateway-integration": {
                type: "http_proxy",
                httpMethod: "ANY",
                payloadFormatVersion: "1.0",
                timeoutInMillis: 1_000,
                // Nobody listens there.
                uri: `http://127.0.0.1:9${set.uri}`,
                requestParameters: { [set.target]: set.value },
                responseParameters: { "200": { [set.target]: set.value } },
              },
            },
          },
        },
      };
      const ApiId = (await attempt(v2.send(new ImportApiCommand({ Body: JSON.stringify(definition) }))))?.ApiId;
      if (ApiId === undefined) return;
      await v2.send(new CreateStageCommand({ ApiId, StageName: "$default", AutoDeploy: true }));
      await expectAnswers(ApiId, "");
      served++;
    }),
    { numRuns: 60 },
  );
  expect(served).toBeGreaterThan(3);
});
