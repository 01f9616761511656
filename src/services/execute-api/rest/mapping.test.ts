import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createFakeClock } from "../../../testing/fake-clock.ts";
import { type FakeGateway, startFakeGateway } from "../fake-gateway.ts";
import type { PublishedIntegrationResponse, PublishedMockIntegration, PublishedRestStage } from "../port.ts";

const now = Date.UTC(2026, 2, 12, 19, 3, 58, 390);
let gateway: FakeGateway;
let published = 0;

beforeAll(async () => {
  gateway = await startFakeGateway(createFakeClock(now));
});
afterAll(() => gateway.stop());

function response(more: Partial<PublishedIntegrationResponse> = {}): PublishedIntegrationResponse {
  return { statusCode: "200", responseParameters: {}, responseTemplates: {}, ...more };
}

function mock(more: Partial<PublishedMockIntegration> = {}): PublishedMockIntegration {
  return {
    type: "MOCK",
    requestTemplates: { "application/json": '{"statusCode": 200}' },
    passthroughBehavior: "WHEN_NO_MATCH",
    responses: [response()],
    ...more,
  };
}

async function publish(
  integration: PublishedMockIntegration,
  more: Partial<PublishedRestStage> = {},
): Promise<{ readonly url: string; readonly apiId: string }> {
  const apiId = `m${published++}`;
  await gateway.publish({
    kind: "rest",
    version: 1,
    account: "000000000000",
    region: "us-east-1",
    apiId,
    stageName: "Prod",
    deploymentId: "dep1",
    variables: { color: "blue" },
    disableExecuteApiEndpoint: false,
    binaryMediaTypes: [],
    gatewayResponses: [],
    methods: [{ resourceId: "res1", path: "/pets/{id}", httpMethod: "ANY", authorizationType: "NONE", integration }],
    ...more,
  });
  return { url: `${gateway.url}/${apiId}/Prod`, apiId };
}

/** What a response template makes of a request. */
async function mapped(template: string, path = "/pets/7", init: RequestInit = {}): Promise<Response> {
  const { url } = await publish(
    mock({ responses: [response({ responseTemplates: { "application/json": template } })] }),
  );
  return fetch(`${url}${path}`, init);
}

async function told(template: string, path?: string, init?: RequestInit): Promise<string> {
  const answered = await mapped(template, path, init);
  return answered.text();
}

describe("a mock's request template", () => {
  const responses = [
    response({ statusCode: "500", responseTemplates: { "application/json": "default" } }),
    response({ statusCode: "200", selectionPattern: "2\\d{2}", responseTemplates: { "application/json": "fine" } }),
    response({ statusCode: "400", selectionPattern: "400", responseTemplates: { "application/json": "bad" } }),
  ];
  const template = `{
    #if( $input.params('scope') == "internal" )
      "statusCode": 200
    #elseif( $input.path('$.wrong') )
      "statusCode": 400
    #else
      "statusCode": 503
    #end
  }`;

  test.each([
    ["?scope=internal", undefined, 200, "fine"],
    ["?scope=public", undefined, 500, "default"],
    ["", '{"wrong": true}', 400, "bad"],
  ])("selects the response: %s %s", async (query, body, status, text) => {
    const { url } = await publish(mock({ requestTemplates: { "application/json": template }, responses }));
    const answered = await fetch(`${url}/pets/7${query}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      ...(body === undefined ? {} : { body }),
    });
    expect([answered.status, await answered.text()]).toEqual([status, text]);
  });

  test("a body that is no JSON is the client's error, where the template reads it", async () => {
    const { url } = await publish(mock({ requestTemplates: { "application/json": template }, responses }));
    const answered = await fetch(`${url}/pets/7`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: "<a/>",
    });
    expect(answered.status).toBe(400);
    expect(answered.headers.get("x-amzn-errortype")).toBe("BadRequestException");
    expect(await answered.json()).toEqual({
      message: "Could not parse request body into json: Unexpected character '<' at line: 1, column: 1",
    });
  });

  test.each([
    ["is malformed", "#if($x)", undefined],
    ["makes no status", "{}", undefined],
    ["makes no JSON", "200", undefined],
    ["passes a body through that says no status", '{"statusCode": 200}', "text/plain"],
  ])("one that %s is a configuration error", async (_what, requestTemplate, contentType) => {
    const { url } = await publish(mock({ requestTemplates: { "application/json": requestTemplate } }));
    const answered = await fetch(`${url}/pets/7`, {
      method: "POST",
      headers: { "Content-Type": contentType ?? "application/json" },
      body: "{}",
    });
    expect([answered.status, await answered.json()]).toEqual([500, { message: "Internal server error" }]);
  });

  test("without any the default response is answered; NEVER refuses what has no template", async () => {
    const { url } = await publish(mock({ requestTemplates: {}, responses }));
    expect((await fetch(`${url}/pets/7`)).status).toBe(500);
    for (const requestTemplates of [{}, { "text/xml": "{statusCode: 200}" }]) {
      const never = await publish(mock({ requestTemplates, passthroughBehavior: "NEVER" }));
      const answered = await fetch(`${never.url}/pets/7`);
      expect([answered.status, await answered.json()]).toEqual([415, { message: "Unsupported Media Type" }]);
    }
    const matching = await publish(
      mock({ requestTemplates: { "text/xml": "{statusCode: 200}" }, passthroughBehavior: "WHEN_NO_TEMPLATES" }),
    );
    expect((await fetch(`${matching.url}/pets/7`)).status).toBe(415);
  });
});

describe("a mock's response", () => {
  test("has headers from literals, stage variables, the context and nothing that is not there", async () => {
    const { url } = await publish(
      mock({
        responses: [
          response({
            responseParameters: {
              "method.response.header.X-Literal": "'a, b'",
              "method.response.header.X-Color": "stageVariables.color",
              "method.response.header.X-Method": "context.httpMethod",
              "method.response.header.X-None": "stageVariables.none",
              "method.response.header.X-Header": "integration.response.header.x",
              "method.response.header.Content-Type": "'text/css'",
            },
          }),
        ],
      }),
    );
    const { headers } = await fetch(`${url}/pets/7`);
    expect(
      ["x-literal", "x-color", "x-method", "x-none", "x-header", "content-type"].map((name) => headers.get(name)),
    ).toEqual(["a, b", "blue", "GET", null, null, "text/css"]);
  });

  test("takes the status and headers that the template overrides", async () => {
    const template = `#set($context.responseOverride.status = 418)
#set($context.responseOverride.header.X-New = "n")
#set($context.responseOverride.header.Content-Type = "text/x")
#set($context.responseOverride.header.X-Many = ["a", "b"])tea`;
    const answered = await mapped(template);
    expect([answered.status, await answered.text()]).toEqual([418, "tea"]);
    const { headers } = answered;
    expect([headers.get("x-new"), headers.get("content-type"), headers.get("x-many")]).toEqual(["n", "text/x", "a, b"]);
  });

  test.each([
    "#set($context.responseOverride.status = 99)",
    "#set($context.responseOverride.status = 'ok')",
    "#set($context.responseOverride.status = 400)#set($context.responseOverride.status = 401)",
    "#foreach(",
    "$util.parseJson('{')",
  ])("is a configuration error for %s", async (template) => {
    const answered = await mapped(template);
    expect([answered.status, await answered.json()]).toEqual([500, { message: "Internal server error" }]);
  });

  test("is of the type the client accepts first, else of the first template", async () => {
    const { url } = await publish(
      mock({ responses: [response({ responseTemplates: { "application/json": "j", "application/xml": "x" } })] }),
    );
    for (const [accept, type, body] of [
      ["application/xml;q=1, text/html", "application/xml", "x"],
      ["text/html, application/xml", "application/json", "j"],
    ]) {
      const answered = await fetch(`${url}/pets/7`, { headers: { Accept: accept ?? "" } });
      expect([answered.headers.get("content-type"), await answered.text()]).toEqual([type, body]);
    }
  });
});

/** "Variables for data transformations for API Gateway". */
describe("$context in templates", () => {
  test.each([
    ["accountId", "000000000000"],
    ["apiId", /^m\d+$/],
    ["deploymentId", "dep1"],
    ["domainName", /^m\d+\.execute-api\.us-east-1\.localhost$/],
    ["domainPrefix", /^m\d+$/],
    ["extendedRequestId", /^[\w-]{15}=$/],
    ["httpMethod", "GET"],
    ["identity.sourceIp", "127.0.0.1"],
    ["identity.userAgent", "tester"],
    ["isCanaryRequest", "false"],
    ["path", "/Prod/pets/7"],
    ["protocol", "HTTP/1.1"],
    ["requestId", /^[\da-f-]{36}$/],
    ["requestTime", "12/Mar/2026:19:03:58 +0000"],
    ["requestTimeEpoch", String(now)],
    ["resourceId", "res1"],
    ["resourcePath", "/pets/{id}"],
    ["stage", "Prod"],
    ["xrayTraceId", /^1-[\da-f]{8}-[\da-f]{24}$/],
    // Nobody has signed, no key was shown, nothing has failed, no certificate, no firewall.
    ["authorizer.principalId", ""],
    ["authorizer.claims.sub", ""],
    ["awsEndpointRequestId", ""],
    ["error.message", ""],
    ["error.messageString", ""],
    ["error.responseType", ""],
    ["error.validationErrorString", ""],
    ["identity.accountId", ""],
    ["identity.apiKey", ""],
    ["identity.apiKeyId", ""],
    ["identity.caller", ""],
    ["identity.clientCert.clientCertPem", ""],
    ["identity.clientCert.issuerDN", ""],
    ["identity.clientCert.serialNumber", ""],
    ["identity.clientCert.subjectDN", ""],
    ["identity.clientCert.validity.notAfter", ""],
    ["identity.clientCert.validity.notBefore", ""],
    ["identity.cognitoAuthenticationProvider", ""],
    ["identity.cognitoAuthenticationType", ""],
    ["identity.cognitoIdentityId", ""],
    ["identity.cognitoIdentityPoolId", ""],
    ["identity.principalOrgId", ""],
    ["identity.user", ""],
    ["identity.userArn", ""],
    ["identity.vpcId", ""],
    ["identity.vpceId", ""],
    ["wafResponseCode", ""],
    ["webaclArn", ""],
  ])("$context.%s", async (name, expected) => {
    const text = await told(`[$context.${name}]`, "/pets/7?a=b", { headers: { "User-Agent": "tester" } });
    if (typeof expected === "string") expect(text).toBe(`[${expected}]`);
    else expect(text.slice(1, -1)).toMatch(expected);
  });

  test("parameters are those of the request, forwarded headers among them", async () => {
    const template =
      "$input.params('id') $input.params().querystring.a $input.params('X-Forwarded-For') $input.params('x-test') $stageVariables.color";
    expect(await told(template, "/pets/a%20b?a=1&a=2", { headers: { "X-Test": "t" } })).toBe("a b 2 127.0.0.1 t blue");
  });
});

function custom(responseType: string, more: Partial<PublishedRestStage["gatewayResponses"][number]> = {}) {
  return { responseType, responseParameters: {}, responseTemplates: {}, ...more };
}

/** "Gateway responses for REST APIs" and "Set up gateway response customization". */
describe("gateway responses", () => {
  test("fill templates with the error, the context, stage variables and the request's parameters", async () => {
    const template = `{"message":$context.error.messageString,"type":"$context.error.responseType","stage":"\${context.stage}",
      "path":"$context.path","resource":"$context.resourcePath","color":"$stageVariables.color","q":"$method.request.querystring.q",
      "h":"$method.request.header.x-h","none":"$context.identity.user","plain":"$5 #if \${x} $util.urlEncode('a')"}`;
    const { url } = await publish(mock(), {
      gatewayResponses: [
        custom("MISSING_AUTHENTICATION_TOKEN", {
          statusCode: "404",
          responseTemplates: { "application/json": template },
          responseParameters: {
            "gatewayresponse.header.X-Query": "method.request.querystring.q",
            "gatewayresponse.header.X-Header": "method.request.header.X-H",
            "gatewayresponse.header.X-Path": "context.path",
            "gatewayresponse.header.X-Color": "stageVariables.color",
            "gatewayresponse.header.X-None": "method.request.header.none",
            "gatewayresponse.header.Access-Control-Allow-Origin": "'*'",
          },
        }),
      ],
    });
    const answered = await fetch(`${url}/none?q=1`, { headers: { "X-H": "h" } });
    expect(answered.status).toBe(404);
    expect(answered.headers.get("x-amzn-errortype")).toBe("MissingAuthenticationTokenException");
    expect(await answered.json()).toEqual({
      message: "Missing Authentication Token",
      type: "MISSING_AUTHENTICATION_TOKEN",
      stage: "Prod",
      path: "/Prod/none",
      resource: "",
      color: "blue",
      q: "1",
      h: "h",
      none: "",
      plain: "$5 #if ${x} $util.urlEncode('a')",
    });
    const { headers } = answered;
    expect(
      ["x-query", "x-header", "x-path", "x-color", "x-none", "access-control-allow-origin"].map((name) =>
        headers.get(name),
      ),
    ).toEqual(["1", "h", "/Prod/none", "blue", null, "*"]);
  });

  test("a class's default is for every type that has none of its own, with the type's own status unless it has one", async () => {
    const gatewayResponses = [
      custom("DEFAULT_4XX", { responseTemplates: { "text/plain": "$context.error.responseType" } }),
      custom("UNSUPPORTED_MEDIA_TYPE", { responseTemplates: { "text/plain": "own" } }),
      custom("DEFAULT_5XX", { statusCode: "599" }),
    ];
    const { url } = await publish(mock({ passthroughBehavior: "NEVER" }), { gatewayResponses });
    const missing = await fetch(`${url}/none`);
    expect([missing.status, missing.headers.get("content-type"), await missing.text()]).toEqual([
      403,
      "text/plain",
      "MISSING_AUTHENTICATION_TOKEN",
    ]);
    const unsupported = await fetch(`${url}/pets/7`, { method: "POST", headers: { "Content-Type": "a/b" }, body: "x" });
    expect([unsupported.status, await unsupported.text()]).toEqual([415, "own"]);
    const broken = await publish(mock({ requestTemplates: { "application/json": "{}" } }), { gatewayResponses });
    const failed = await fetch(`${broken.url}/pets/7`);
    expect([failed.status, await failed.json()]).toEqual([599, { message: "Internal server error" }]);
  });

  test("the body is of the type the client accepts, and a header may say another", async () => {
    const { url } = await publish(mock(), {
      gatewayResponses: [
        custom("MISSING_AUTHENTICATION_TOKEN", {
          responseTemplates: { "application/json": "j", "application/xml": "<m>$context.error.message</m>" },
        }),
      ],
    });
    const xml = await fetch(`${url}/none`, { headers: { Accept: "application/xml" } });
    expect([xml.headers.get("content-type"), await xml.text()]).toEqual([
      "application/xml",
      "<m>Missing Authentication Token</m>",
    ]);
    const json = await fetch(`${url}/none`, { headers: { Accept: "text/html" } });
    expect([json.headers.get("content-type"), await json.text()]).toEqual(["application/json", "j"]);
  });
});

describe("whatever templates and bodies are", () => {
  test("a request is answered, with 200, 400 or the configuration's 500", async () => {
    const pieces = fc.constantFrom(
      "$input.path('$.a')",
      "$input.json('$')",
      "#foreach($x in $input.path('$'))",
      "#end",
      "$x.a ",
      "#if($x)",
      "${",
      "é",
      "\\",
      "#set($y = ",
      ")",
      "$util.parseJson($input.body)",
    );
    await fc.assert(
      fc.asyncProperty(fc.array(pieces, { maxLength: 6 }), fc.string(), async (parts, body) => {
        const { url, apiId } = await publish(
          mock({
            requestTemplates: { "application/json": `${parts.join("")}{"statusCode": 200}` },
            responses: [response({ responseTemplates: { "application/json": parts.join("") } })],
          }),
        );
        const answered = await fetch(`${url}/pets/7`, {
          method: "POST",
          headers: { "Content-Type": "application/json" },
          body,
        });
        await answered.arrayBuffer();
        await gateway.withdraw(apiId, "Prod");
        expect([200, 400, 500]).toContain(answered.status);
      }),
      { numRuns: 150 },
    );
  });
});
