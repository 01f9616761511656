import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import {
  APIGatewayClient,
  CreateDeploymentCommand,
  GetResourcesCommand,
  ImportRestApiCommand,
  TestInvokeMethodCommand,
  type TestInvokeMethodCommandInput,
} from "@aws-sdk/client-api-gateway";
import { AddPermissionCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { refusal } from "../../testing/access.ts";
import { createFunctionRole, createNodeFunction } from "../../testing/functions.ts";
import { startTestPlatform, type TestPlatform } from "../../testing/platform.ts";

const account = "000000000000";
let platform: TestPlatform;
let gateway: APIGatewayClient;
let backend: Server;
let received: IncomingMessage | undefined;
let restApiId = "";
const resourceIds = new Map<string, string>();

const code = `export const handler = async (event) => {
  if (event.path === "/echo/fail") throw new Error("on purpose");
  if (event.path === "/echo/odd") return { "not": "a response" };
  return { statusCode: 201, headers: { "X-Own": "1" }, multiValueHeaders: { Twice: ["a", "b"] }, body: JSON.stringify(event) };
};`;

beforeAll(async () => {
  platform = await startTestPlatform({ sandbox: "process" });
  gateway = new APIGatewayClient(platform.settings);
  const lambda = new LambdaClient(platform.settings);
  const Role = await createFunctionRole(platform.settings, "echo");
  await createNodeFunction(platform.settings, { FunctionName: "echo", Role, source: code });
  await lambda.send(
    new AddPermissionCommand({
      FunctionName: "echo",
      StatementId: "s",
      Action: "lambda:InvokeFunction",
      Principal: "apigateway.amazonaws.com",
    }),
  );
  backend = createServer((request, response) => {
    received = request;
    response.setHeader("X-Backend", "b");
    response.end("from the backend");
  });
  await new Promise<void>((resolve) => backend.listen(0, "127.0.0.1", resolve));
  const address: AddressInfo | string | null = backend.address();
  const port = typeof address === "object" ? address?.port : undefined;
  const uri = `arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:${account}:function:echo/invocations`;
  const responses = { "200": { description: "" } };
  const mock = {
    type: "mock",
    requestTemplates: { "application/json": '{"statusCode": 200}' },
    responses: {
      default: {
        statusCode: "200",
        responseTemplates: {
          "application/json":
            '{"stage":"$context.stage","ip":"$context.identity.sourceIp","v":"$stageVariables.v","user":"$context.identity.userArn"}',
        },
      },
    },
  };
  const definition = {
    swagger: "2.0",
    info: { title: "tested", version: "1" },
    definitions: { Pet: { type: "object", required: ["name"] } },
    "x-amazon-apigateway-request-validators": { all: { validateRequestBody: true, validateRequestParameters: true } },
    paths: {
      "/echo/{id}": {
        "x-amazon-apigateway-any-method": {
          parameters: [{ name: "id", in: "path", required: true, type: "string" }],
          responses,
          "x-amazon-apigateway-integration": { type: "aws_proxy", httpMethod: "POST", uri },
        },
      },
      "/mock": {
        get: { responses, "x-amazon-apigateway-integration": mock, security: [{ sigv4: [] }] },
        post: {
          parameters: [{ name: "body", in: "body", schema: { $ref: "#/definitions/Pet" } }],
          responses,
          "x-amazon-apigateway-request-validator": "all",
          "x-amazon-apigateway-integration": mock,
        },
      },
      "/http": {
        get: {
          responses,
          "x-amazon-apigateway-integration": {
            type: "http_proxy",
            httpMethod: "GET",
            uri: `http://127.0.0.1:${port}/there`,
          },
        },
      },
    },
    securityDefinitions: {
      sigv4: { type: "apiKey", name: "Authorization", in: "header", "x-amazon-apigateway-authtype": "awsSigv4" },
    },
  };
  restApiId =
    (await gateway.send(new ImportRestApiCommand({ body: Buffer.from(JSON.stringify(definition)) }))).id ?? "";
  const { items = [] } = await gateway.send(new GetResourcesCommand({ restApiId }));
  for (const { path = "", id = "" } of items) resourceIds.set(path, id);
});
afterAll(async () => {
  backend.closeAllConnections();
  backend.close();
  await platform.stop();
});

async function invoke(path: string, httpMethod: string, more: Partial<TestInvokeMethodCommandInput> = {}) {
  const input = { restApiId, resourceId: resourceIds.get(path), httpMethod, ...more };
  const { $metadata: _metadata, ...result } = await gateway.send(new TestInvokeMethodCommand(input));
  return { ...result, lines: (result.log ?? "").split("\n") };
}

describe("TestInvokeMethod", () => {
  test("runs a method that was never deployed, without its authorization, as whoever tests", async () => {
    const { lines, latency, log: _log, ...result } = await invoke("/mock", "GET", { stageVariables: { v: "tested" } });
    expect(result).toEqual({
      status: 200,
      body: `{"stage":"test-invoke-stage","ip":"test-invoke-source-ip","v":"tested","user":"arn:aws:iam::${account}:root"}`,
      headers: expect.objectContaining({ "Content-Type": "application/json" }),
      multiValueHeaders: expect.objectContaining({ "Content-Type": ["application/json"] }),
    });
    expect(latency).toBeTypeOf("number");
    const told = lines.slice(1, -1).map((line) => line.replace(/^\w{3} \w{3} \d\d \d\d:\d\d:\d\d UTC \d{4} : /, ""));
    const id = /^Execution log for request ([0-9a-f-]{36})$/.exec(lines[0] ?? "")?.[1];
    expect(told).toEqual([
      `Starting execution for request: ${id}`,
      "HTTP Method: GET, Resource Path: /mock",
      "Method request path: {}",
      "Method request query string: {}",
      "Method request headers: {}",
      "Method request body before transformations: ",
      `Method response body after transformations: ${result.body}`,
      expect.stringMatching(/^Method response headers: \{Content-Type=application\/json/),
      "Successfully completed execution",
      "Method completed with status: 200",
    ]);
  });

  test("gives a function the event of a client, from a test's address, domain and stage", async () => {
    const {
      status,
      headers,
      multiValueHeaders,
      body = "",
      lines,
    } = await invoke("/echo/{id}", "PUT", {
      pathWithQueryString: "/echo/7?a=1&a=2",
      headers: { "Content-Type": "text/plain", Once: "no" },
      multiValueHeaders: { once: ["x", "y"] },
      body: "héllo",
    });
    expect(status).toBe(201);
    expect(headers).toMatchObject({ "X-Own": "1", Twice: "b" });
    expect(multiValueHeaders).toMatchObject({ Twice: ["a", "b"] });
    const event = JSON.parse(body);
    expect(event).toMatchObject({
      resource: "/echo/{id}",
      path: "/echo/7",
      httpMethod: "PUT",
      pathParameters: { id: "7" },
      multiValueQueryStringParameters: { a: ["1", "2"] },
      body: "héllo",
      requestContext: {
        path: "/echo/7",
        stage: "test-invoke-stage",
        domainName: "testPrefix.testDomainName",
        domainPrefix: "testPrefix",
        identity: {
          sourceIp: "test-invoke-source-ip",
          apiKey: "test-invoke-api-key",
          apiKeyId: "test-invoke-api-key-id",
          accountId: account,
          userArn: `arn:aws:iam::${account}:root`,
        },
      },
    });
    expect(event.multiValueHeaders).toMatchObject({ once: ["x", "y"] });
    const uri = `https://lambda.us-east-1.amazonaws.com/2015-03-31/functions/arn:aws:lambda:us-east-1:${account}:function:echo/invocations`;
    const told = lines.join("\n");
    expect(told).toContain("Method request path: {id=7}");
    expect(told).toContain(`Endpoint request URI: ${uri}`);
    expect(told).toContain(
      `X-Amz-Source-Arn=arn:aws:execute-api:us-east-1:${account}:${restApiId}/test-invoke-stage/PUT/echo/{id}`,
    );
    expect(told).toContain('Endpoint request body after transformations: {"resource":"/echo/{id}"');
    expect(told).toContain(`Sending request to ${uri}`);
    expect(told).toMatch(/Received response\. Status: 200, Integration latency: \d+ ms/);
    expect(told).toContain('Endpoint response body before transformations: {"statusCode":201');
  });

  test("tells why a function's answer does not do", async () => {
    const odd = await invoke("/echo/{id}", "GET", { pathWithQueryString: "/echo/odd" });
    expect([odd.status, odd.body, odd.headers?.["x-amzn-ErrorType"]]).toEqual([
      502,
      '{"message":"Internal server error"}',
      "InternalServerErrorException",
    ]);
    expect(odd.log).toContain("Execution failed due to configuration error: Malformed Lambda proxy response");
    expect(odd.log).toContain("Method completed with status: 502");
    const failed = await invoke("/echo/{id}", "GET", { pathWithQueryString: "/echo/fail" });
    expect(failed.status).toBe(502);
    expect(failed.log).toMatch(
      /Lambda execution failed with status 200 due to customer function error: on purpose\. Lambda request id: [0-9a-f-]{36}/,
    );
  });

  test("validates requests as a deployed method does", async () => {
    const refused = await invoke("/mock", "POST", { body: "{}" });
    expect([refused.status, refused.body]).toEqual([400, '{"message":"Invalid request body"}']);
    expect(refused.log).toContain(
      'Request body does not match model schema for content type application/json: [object has missing required properties (["name"])]',
    );
    expect((await invoke("/mock", "POST", { body: '{"name":"x"}' })).status).toBe(200);
  });

  test("calls endpoints with the client's headers, and tells no secret", async () => {
    const answer = await invoke("/http", "GET", {
      pathWithQueryString: "/http?q=1",
      headers: { Authorization: "Bearer very-secret-token", Other: "o" },
    });
    expect([answer.status, answer.body, answer.headers?.["X-Backend"]]).toEqual([200, "from the backend", "b"]);
    expect(received?.url).toBe("/there?q=1");
    expect(received?.headers).toMatchObject({ authorization: "Bearer very-secret-token", other: "o" });
    expect(answer.log).toContain("/there?q=1");
    expect(answer.log).toContain("Endpoint response body before transformations: from the backend");
    expect(answer.log).not.toContain("very-secret");
  });

  test("is refused for what no method is, and for what no client could send", async () => {
    for (const [path, httpMethod, more, name] of [
      ["/mock", "PUT", {}, "NotFoundException"],
      ["/mock", "ANY", {}, "BadRequestException"],
      ["/echo/{id}", "GET", { pathWithQueryString: "/elsewhere/7" }, "BadRequestException"],
      ["/echo/{id}", "GET", { pathWithQueryString: "/echo/a b" }, "BadRequestException"],
      ["/mock", "GET", { headers: { "a b": "1" } }, "BadRequestException"],
      ["/mock", "GET", { headers: { a: "1\n2" } }, "BadRequestException"],
      ["/mock", "GET", { clientCertificateId: "none" }, "NotFoundException"],
    ] as const) {
      expect((await refusal(invoke(path, httpMethod, more))).name, `${path} ${JSON.stringify(more)}`).toBe(name);
    }
  });

  test("sees the API as it is now, not as it was deployed, and leaves what is deployed alone", async () => {
    await gateway.send(new CreateDeploymentCommand({ restApiId, stageName: "prod" }));
    const deployed = await fetch(`${platform.endpoint}/_cumulet/api/${restApiId}/prod/mock`);
    expect(deployed.status).toBe(403);
    expect((await invoke("/mock", "GET", { headers: { "Content-Length": "5", Connection: "close" } })).status).toBe(
      200,
    );
  });
});
