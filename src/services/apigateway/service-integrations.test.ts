import {
  APIGatewayClient,
  CreateDeploymentCommand,
  CreateResourceCommand,
  CreateRestApiCommand,
  GetIntegrationCommand,
  PutIntegrationCommand,
  PutIntegrationResponseCommand,
  PutMethodCommand,
  PutMethodResponseCommand,
  UpdateIntegrationCommand,
  UpdateIntegrationResponseCommand,
} from "@aws-sdk/client-api-gateway";
import { CreateRoleCommand, IAMClient, PutRolePolicyCommand } from "@aws-sdk/client-iam";
import { CreateBucketCommand, GetObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type AccessTest, startAccessTest } from "../../testing/access.ts";

let access: AccessTest;
let gateway: APIGatewayClient;
let s3: S3Client;
let restApiId = "";
let rootId = "";
const role = "arn:aws:iam::000000000000:role/files";

function trust(service: string): string {
  return JSON.stringify({
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Principal: { Service: service }, Action: "sts:AssumeRole" }],
  });
}

beforeAll(async () => {
  access = await startAccessTest();
  const { settings } = access.platform;
  gateway = new APIGatewayClient(settings);
  s3 = new S3Client({ ...settings, forcePathStyle: true });
  await s3.send(new CreateBucketCommand({ Bucket: "files" }));
  const iam = new IAMClient(settings);
  for (const [RoleName, service] of [
    ["files", "apigateway.amazonaws.com"],
    ["untrusting", "lambda.amazonaws.com"],
  ] as const) {
    await iam.send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: trust(service) }));
    await iam.send(
      new PutRolePolicyCommand({
        RoleName,
        PolicyName: "p",
        PolicyDocument: JSON.stringify({
          Version: "2012-10-17",
          Statement: [{ Effect: "Allow", Action: ["s3:GetObject", "s3:PutObject"], Resource: "arn:aws:s3:::files/*" }],
        }),
      }),
    );
  }
  const api = await gateway.send(new CreateRestApiCommand({ name: "files" }));
  restApiId = api.id ?? "";
  rootId = api.rootResourceId ?? "";
});
afterAll(() => access.stop());

/** A method on a resource of its own, deployed; gives its address. */
async function deploy(pathPart: string, credentials: string, uri: string): Promise<string> {
  const { id: parentId } = await gateway.send(new CreateResourceCommand({ restApiId, parentId: rootId, pathPart }));
  const { id: resourceId } = await gateway.send(new CreateResourceCommand({ restApiId, parentId, pathPart: "{key}" }));
  for (const httpMethod of ["GET", "PUT"]) {
    const method = { restApiId, resourceId, httpMethod };
    await gateway.send(
      new PutMethodCommand({
        ...method,
        authorizationType: "NONE",
        requestParameters: { "method.request.path.key": true, "method.request.header.Content-Type": false },
      }),
    );
    await gateway.send(
      new PutIntegrationCommand({
        ...method,
        type: "AWS",
        integrationHttpMethod: httpMethod,
        uri,
        credentials,
        requestParameters: {
          "integration.request.path.key": "method.request.path.key",
          "integration.request.header.Content-Type": "method.request.header.Content-Type",
        },
      }),
    );
    for (const [statusCode, selectionPattern] of [
      ["200", undefined],
      ["404", "40[34]"],
    ] as const) {
      await gateway.send(
        new PutMethodResponseCommand({
          ...method,
          statusCode,
          responseParameters: { "method.response.header.Content-Type": false, "method.response.header.ETag": false },
        }),
      );
      await gateway.send(
        new PutIntegrationResponseCommand({
          ...method,
          statusCode,
          selectionPattern,
          responseParameters: {
            "method.response.header.Content-Type": "integration.response.header.Content-Type",
            "method.response.header.ETag": "integration.response.header.ETag",
          },
        }),
      );
    }
  }
  await gateway.send(new CreateDeploymentCommand({ restApiId, stageName: "s" }));
  return `${access.platform.endpoint}/_cumulet/api/${restApiId}/s/${pathPart}`;
}

const s3Uri = "arn:aws:apigateway:us-east-1:s3:path/files/{key}";

describe("AWS integrations with S3", () => {
  test("put and get objects as the role of their credentials", async () => {
    const url = await deploy("s3", role, s3Uri);
    const put = await fetch(`${url}/a%20b`, {
      method: "PUT",
      body: "content",
      headers: { "content-type": "text/plain" },
    });
    expect([put.status, put.headers.get("etag")]).toEqual([200, expect.stringMatching(/^"[0-9a-f]{32}"$/)]);
    const object = await s3.send(new GetObjectCommand({ Bucket: "files", Key: "a b" }));
    expect(await object.Body?.transformToString()).toBe("content");
    const got = await fetch(`${url}/a%20b`);
    expect([got.status, got.headers.get("content-type"), await got.text()]).toEqual([200, "text/plain", "content"]);
    const missing = await fetch(`${url}/none`);
    expect(missing.status).toBe(404);
    expect(await missing.text()).toContain("<Code>");
  });

  test("reach nothing that the role may not, and nothing outside the configured path", async () => {
    const denied = await deploy("denied", role, "arn:aws:apigateway:us-east-1:s3:path/other/{key}");
    expect((await fetch(`${denied}/x`)).status).toBe(404);
    expect((await fetch(`${denied}/..%2ffiles%2fa`)).status).toBe(400);
  });

  test("answer 500 with a role that does not trust API Gateway, or is not there", async () => {
    const untrusting = await deploy("untrusting", "arn:aws:iam::000000000000:role/untrusting", s3Uri);
    expect((await fetch(`${untrusting}/a`)).status).toBe(500);
    const gone = await deploy("gone", "arn:aws:iam::000000000000:role/gone", s3Uri);
    expect((await fetch(`${gone}/a`)).status).toBe(500);
  });
});

async function put(more: object, client = gateway) {
  const { id: resourceId } = await gateway.send(
    new CreateResourceCommand({ restApiId, parentId: rootId, pathPart: `p${Math.random()}`.replace(".", "") }),
  );
  const method = { restApiId, resourceId, httpMethod: "GET" };
  await gateway.send(new PutMethodCommand({ ...method, authorizationType: "NONE" }));
  await client.send(new PutIntegrationCommand({ ...method, type: "HTTP", integrationHttpMethod: "GET", ...more }));
  return method;
}

describe("PutIntegration", () => {
  test.each([
    ["no endpoint", { uri: "ftp://x" }, "Invalid HTTP endpoint specified for URI"],
    ["no method", { uri: "http://x", integrationHttpMethod: undefined }, /HttpMethod must be non-empty/],
    [
      "too long a timeout",
      { uri: "http://x", timeoutInMillis: 29_001 },
      /Timeout should be between 50 ms and 29000 ms/,
    ],
    ["no credentials", { type: "AWS", uri: s3Uri }, "Role ARN must be specified for AWS integrations"],
    [
      "neither path nor action",
      { type: "AWS", uri: "arn:aws:apigateway:us-east-1:s3:x" },
      /must contain path or action/,
    ],
    [
      "a parameter that the method has not declared",
      { uri: "http://x", requestParameters: { "integration.request.header.a": "method.request.header.b" } },
      /Invalid mapping expression parameter specified: method.request.header.b/,
    ],
    [
      "a source that is none",
      { uri: "http://x", requestParameters: { "integration.request.header.a": "unquoted" } },
      /Invalid mapping expression specified: unquoted/,
    ],
    ["streaming by HTTP", { uri: "http://x", responseTransferMode: "STREAM" }, /STREAM is only supported/],
    [
      "another account's role",
      { type: "AWS", uri: s3Uri, credentials: "arn:aws:iam::111111111111:role/r" },
      /Cross-account/,
    ],
  ])("refuses %s", async (_what, more, message) => {
    await expect(put(more)).rejects.toMatchObject({ message: expect.stringMatching(message) });
  });

  test("refuses a VPC link by name", async () => {
    const refused = put({ uri: "http://x", connectionType: "VPC_LINK", connectionId: "v" });
    await expect(refused).rejects.toMatchObject({ name: "NotImplemented" });
  });

  test("asks for iam:PassRole on the role of its credentials", async () => {
    const keys = await access.createUser(
      "apis",
      JSON.stringify({
        Version: "2012-10-17",
        Statement: [{ Effect: "Allow", Action: "apigateway:*", Resource: "*" }],
      }),
    );
    const client = new APIGatewayClient({ ...access.platform.settings, credentials: keys });
    await expect(put({ type: "AWS", uri: s3Uri, credentials: role }, client)).rejects.toMatchObject({
      message: expect.stringContaining("iam:PassRole"),
    });
  });

  test("is changed by patches as AWS does", async () => {
    const method = await put({ uri: "http://x/{a}", cacheKeyParameters: ["method.request.path.a"] });
    await gateway.send(
      new UpdateIntegrationCommand({
        ...method,
        patchOperations: [
          { op: "replace", path: "/uri", value: "https://y/" },
          { op: "add", path: "/requestTemplates/application~1json", value: "{}" },
          { op: "add", path: "/requestParameters/integration.request.header.X", value: "'x'" },
          { op: "replace", path: "/timeoutInMillis", value: "50" },
          { op: "replace", path: "/tlsConfig/insecureSkipVerification", value: "true" },
          { op: "remove", path: "/cacheKeyParameters/method.request.path.a" },
        ],
      }),
    );
    const { $metadata: _metadata, ...integration } = await gateway.send(new GetIntegrationCommand(method));
    expect(integration).toEqual({
      type: "HTTP",
      httpMethod: "GET",
      uri: "https://y/",
      requestParameters: { "integration.request.header.X": "'x'" },
      requestTemplates: { "application/json": "{}" },
      passthroughBehavior: "WHEN_NO_MATCH",
      timeoutInMillis: 50,
      tlsConfig: { insecureSkipVerification: true },
      cacheNamespace: method.resourceId,
      cacheKeyParameters: [],
    });
    const bad = { op: "replace" as const, path: "/timeoutInMillis", value: "1" };
    await expect(
      gateway.send(new UpdateIntegrationCommand({ ...method, patchOperations: [bad] })),
    ).rejects.toMatchObject({ name: "BadRequestException" });
    await expect(
      gateway.send(new UpdateIntegrationResponseCommand({ ...method, statusCode: "200", patchOperations: [] })),
    ).rejects.toMatchObject({ name: "NotFoundException" });
  });
});
