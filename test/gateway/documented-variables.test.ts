import { copyFile, mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { type IncomingMessage, request as requestPlain } from "node:http";
import { request as requestSecure, type RequestOptions } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import * as rest from "@aws-sdk/client-api-gateway";
import * as http from "@aws-sdk/client-apigatewayv2";
import { CloudWatchLogsClient, CreateLogGroupCommand, FilterLogEventsCommand } from "@aws-sdk/client-cloudwatch-logs";
import { AddPermissionCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { CreateBucketCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestIssuer, type TestIssuer } from "../../src/services/execute-api/authorizers/test-issuer.ts";
import { makeAuthority, makeCertificate } from "../../src/testing/certificates.ts";
import { createFunctionRole, createNodeFunction } from "../../src/testing/functions.ts";
import { startTestPlatform, type TestPlatform } from "../../src/testing/platform.ts";

/**
 * Every `$context` variable that AWS documents for access logs has an expectation here, by the page that documents it; those of
 * templates alone are beside the engine. What is not there has the `-` that AWS prints.
 */
const account = "000000000000";
const region = "us-east-1";
const domainName = "mutual.example.com";
const uriOf = (name: string) =>
  `arn:aws:apigateway:${region}:lambda:path/2015-03-31/functions/arn:aws:lambda:${region}:${account}:function:${name}/invocations`;
const groupArn = `arn:aws:logs:${region}:${account}:log-group:access`;

let folder: string;
let platform: TestPlatform;
let v1: rest.APIGatewayClient;
let v2: http.ApiGatewayV2Client;
let logs: CloudWatchLogsClient;
let issuer: TestIssuer;
let client: RequestOptions;
let clientPem: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cumulet-variables-"));
  const tls = makeCertificate(folder, "listener", "localhost");
  platform = await startTestPlatform({ sandbox: "process", tls });
  issuer = await startTestIssuer(() => Math.floor(Date.now() / 1000));
  const own = makeCertificate(folder, "own", domainName);
  const certificates = join(platform.dataDir, "certificates", account);
  await mkdir(certificates, { recursive: true });
  await copyFile(own.certFile, join(certificates, "own.crt"));
  await copyFile(own.keyFile, join(certificates, "own.key"));
  const authority = makeAuthority(folder, "authority");
  const { certFile, keyFile } = authority.sign("client");
  client = { cert: await readFile(certFile), key: await readFile(keyFile) };
  clientPem = await readFile(certFile, "utf8");
  const { settings } = platform;
  const s3 = new S3Client({ ...settings, forcePathStyle: true });
  await s3.send(new CreateBucketCommand({ Bucket: "trust" }));
  const Body = await readFile(authority.certFile);
  await s3.send(new PutObjectCommand({ Bucket: "trust", Key: "bundle.pem", Body }));
  v1 = new rest.APIGatewayClient(settings);
  v2 = new http.ApiGatewayV2Client(settings);
  logs = new CloudWatchLogsClient(settings);
  await logs.send(new CreateLogGroupCommand({ logGroupName: "access" }));
  const Role = await createFunctionRole(settings, "functions");
  const lambda = new LambdaClient(settings);
  await Promise.all(
    Object.entries({
      hello: "export const handler = async () => ({ statusCode: 201, body: 'hello' });",
      allow: `export const handler = async () => ({
        principalId: "me", context: { key: "value", numKey: 1, boolKey: true },
        policyDocument: { Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: "execute-api:Invoke", Resource: "*" }] },
      });`,
    }).map(async ([FunctionName, source]) => {
      await createNodeFunction(settings, { FunctionName, Role, source });
      const Principal = "apigateway.amazonaws.com";
      await lambda.send(
        new AddPermissionCommand({ FunctionName, StatementId: "g", Action: "lambda:InvokeFunction", Principal }),
      );
    }),
  );
  await v2.send(
    new http.CreateDomainNameCommand({
      DomainName: domainName,
      DomainNameConfigurations: [
        { CertificateArn: `arn:aws:acm:${region}:${account}:certificate/own`, EndpointType: "REGIONAL" },
      ],
      MutualTlsAuthentication: { TruststoreUri: "s3://trust/bundle.pem" },
      RoutingMode: "ROUTING_RULE_THEN_API_MAPPING",
    }),
  );
}, 30_000);
afterAll(async () => {
  await platform.stop();
  await issuer.stop();
  await rm(folder, { recursive: true, force: true });
});

interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
}

/** By the domain name, over TLS, with the client's certificate. */
function ask(path: string, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = { host: domainName, "user-agent": "tester", ...headers };
    const place = { host: "127.0.0.1", port: platform.port, servername: domainName, rejectUnauthorized: false };
    requestSecure({ ...place, agent: false, path, headers: sent, ...client }, (response) => {
      text(response).then(() => resolve({ status: response.statusCode ?? 0, headers: response.headers }), reject);
    })
      .once("error", reject)
      .end();
  });
}

/** By the API's own address, over plain HTTP. */
function askPlainly(apiId: string, path: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const headers = { host: `${apiId}.execute-api.${region}.localhost` };
    requestPlain({ host: "127.0.0.1", port: platform.port, agent: false, path, headers }, (response) => {
      text(response).then(() => resolve({ status: response.statusCode ?? 0, headers: response.headers }), reject);
    })
      .once("error", reject)
      .end();
  });
}

type Line = Readonly<Record<string, string>>;

/** The line of the request with this id, once it is there. */
async function lineOf(requestId: unknown, names: readonly string[]): Promise<Line> {
  let found: Line | undefined;
  const findLine = async () => {
    const { events = [] } = await logs.send(new FilterLogEventsCommand({ logGroupName: "access" }));
    for (const { message = "" } of events) {
      const { values }: { readonly values: readonly string[] } = JSON.parse(message);
      const line = Object.fromEntries(names.map((name, index) => [name, values[index] ?? ""]));
      if (values.length === names.length && line["requestId"] === requestId) found = line;
    }
    return found !== undefined;
  };
  await expect.poll(findLine, { timeout: 10_000 }).toBe(true);
  return found ?? {};
}

/** A format has 3 KB: too little to write each name twice. */
function formatOf(names: readonly string[]): string {
  return JSON.stringify({ values: names.map((name) => `$context.${name}`) });
}

const scheme = (authorizer: object, more: object) => ({ ...more, "x-amazon-apigateway-authorizer": authorizer });
const number = expect.stringMatching(/^\d+$/);
const uuid = expect.stringMatching(/^[\da-f-]{36}$/);
const clfTime = expect.stringMatching(/^\d{2}\/[A-Z][a-z]{2}\/\d{4}(:\d{2}){3} \+0000$/);

/** A line's value for each name: what is not listed apart is absent. */
function expectLine(line: Line, names: readonly string[], expected: Readonly<Record<string, unknown>>): void {
  const absent = Object.fromEntries(names.map((name) => [name, "-"]));
  expect(line).toEqual({ ...absent, ...expected });
}

const certificate = () => ({
  "identity.clientCert.clientCertPem": `${clientPem.trim()}\n`,
  "identity.clientCert.issuerDN": "O=Test,CN=authority",
  "identity.clientCert.serialNumber": "a1:b2:c3",
  "identity.clientCert.subjectDN": "C=DE,O=Test,CN=client",
  "identity.clientCert.validity.notAfter": expect.stringMatching(/ GMT$/),
  "identity.clientCert.validity.notBefore": expect.stringMatching(/ GMT$/),
});
const clientCertificate = [
  "identity.clientCert.clientCertPem",
  "identity.clientCert.issuerDN",
  "identity.clientCert.serialNumber",
  "identity.clientCert.subjectDN",
  "identity.clientCert.validity.notAfter",
  "identity.clientCert.validity.notBefore",
];
const cognito = [
  "identity.cognitoAuthenticationProvider",
  "identity.cognitoAuthenticationType",
  "identity.cognitoIdentityId",
  "identity.cognitoIdentityPoolId",
];

/** "Variables for access logging for API Gateway". */
describe("access logs of a REST API", () => {
  const names = [
    "accountId",
    "apiId",
    "authenticate.error",
    "authenticate.latency",
    "authenticate.status",
    "authorize.error",
    "authorize.latency",
    "authorize.status",
    "authorizer.boolKey",
    "authorizer.claims.sub",
    "authorizer.error",
    "authorizer.integrationLatency",
    "authorizer.integrationStatus",
    "authorizer.key",
    "authorizer.latency",
    "authorizer.numKey",
    "authorizer.principalId",
    "authorizer.requestId",
    "authorizer.status",
    "awsEndpointRequestId",
    "cipherSuite",
    "customDomain.basePathMatched",
    "customDomain.routingRuleIdMatched",
    "deploymentId",
    "domainName",
    "domainPrefix",
    "endpointType",
    "error.message",
    "error.responseType",
    "error.validationErrorString",
    "extendedRequestId",
    "httpMethod",
    "identity.accountId",
    "identity.apiKey",
    "identity.apiKeyId",
    "identity.caller",
    ...clientCertificate,
    ...cognito,
    "identity.principalOrgId",
    "identity.sourceIp",
    "identity.user",
    "identity.userAgent",
    "identity.userArn",
    "identity.vpcId",
    "identity.vpceId",
    "integration.error",
    "integration.integrationStatus",
    "integration.latency",
    "integration.requestId",
    "integration.status",
    "integrationLatency",
    "integrationStatus",
    "isCanaryRequest",
    "path",
    "protocol",
    "requestId",
    "requestTime",
    "requestTimeEpoch",
    "resourceId",
    "resourcePath",
    "responseLatency",
    "responseLength",
    "stage",
    "status",
    "tlsVersion",
    "waf.error",
    "waf.latency",
    "waf.status",
    "wafResponseCode",
    "webaclArn",
    "xrayTraceId",
  ];
  let restApiId: string;
  let keyId: string;
  let resources: Readonly<Record<string, string>>;
  let ruleId: string;
  const keyValue = "a-key-of-more-than-twenty-characters";

  beforeAll(async () => {
    const call = { type: "aws_proxy", httpMethod: "POST", uri: uriOf("hello") };
    const definition = {
      swagger: "2.0",
      info: { title: "documented", version: "1" },
      "x-amazon-apigateway-request-validators": { body: { validateRequestBody: true } },
      securityDefinitions: {
        allow: {
          type: "apiKey",
          name: "Authorization",
          in: "header",
          "x-amazon-apigateway-authorizer": { type: "token", authorizerUri: uriOf("allow") },
        },
        key: { type: "apiKey", name: "x-api-key", in: "header" },
      },
      definitions: { Named: { type: "object", required: ["name"] } },
      paths: {
        "/pets/{id}": {
          get: { "x-amazon-apigateway-integration": call, security: [{ allow: [] }, { key: [] }], responses: {} },
          post: {
            "x-amazon-apigateway-integration": call,
            "x-amazon-apigateway-request-validator": "body",
            parameters: [{ name: "body", in: "body", schema: { $ref: "#/definitions/Named" } }],
            responses: {},
          },
        },
      },
    };
    const body = Buffer.from(JSON.stringify(definition));
    restApiId = (await v1.send(new rest.ImportRestApiCommand({ body }))).id ?? "";
    await v1.send(
      new rest.UpdateAccountCommand({
        patchOperations: [{ op: "replace", path: "/cloudwatchRoleArn", value: `arn:aws:iam::${account}:role/logs` }],
      }),
    );
    await v1.send(new rest.CreateDeploymentCommand({ restApiId, stageName: "prod" }));
    await v1.send(
      new rest.UpdateStageCommand({
        restApiId,
        stageName: "prod",
        patchOperations: [
          { op: "replace", path: "/accessLogSettings/destinationArn", value: groupArn },
          { op: "replace", path: "/accessLogSettings/format", value: formatOf(names) },
        ],
      }),
    );
    const { items = [] } = await v1.send(new rest.GetResourcesCommand({ restApiId }));
    resources = Object.fromEntries(items.map(({ path = "", id = "" }) => [path, id]));
    const key = await v1.send(new rest.CreateApiKeyCommand({ name: "k", enabled: true, value: keyValue }));
    keyId = key.id ?? "";
    const apiStages = [{ apiId: restApiId, stage: "prod" }];
    const plan = await v1.send(new rest.CreateUsagePlanCommand({ name: "p", apiStages }));
    await v1.send(new rest.CreateUsagePlanKeyCommand({ usagePlanId: plan.id, keyId, keyType: "API_KEY" }));
    const mapping = { DomainName: domainName, ApiId: restApiId, Stage: "prod", ApiMappingKey: "v1/shop" };
    await v2.send(new http.CreateApiMappingCommand(mapping));
    const rule = await v2.send(
      new http.CreateRoutingRuleCommand({
        DomainName: domainName,
        Priority: 1,
        Conditions: [{ MatchBasePaths: { AnyOf: ["ruled"] } }],
        Actions: [{ InvokeApi: { ApiId: restApiId, Stage: "prod", StripBasePath: true } }],
      }),
    );
    ruleId = rule.RoutingRuleId ?? "";
  });

  const always = () => ({
    accountId: account,
    apiId: restApiId,
    deploymentId: expect.stringMatching(/^\w+$/),
    endpointType: "EDGE",
    extendedRequestId: expect.stringMatching(/=$/),
    "identity.sourceIp": "127.0.0.1",
    isCanaryRequest: "false",
    protocol: "HTTP/1.1",
    requestId: uuid,
    requestTime: clfTime,
    requestTimeEpoch: number,
    responseLatency: number,
    responseLength: number,
    stage: "prod",
    xrayTraceId: expect.stringMatching(/^1-[\da-f]{8}-[\da-f]{24}$/),
  });

  test("tell of a request that was let through: domain, certificate, authorizer, key and integration", async () => {
    const answer = await ask("/v1/shop/pets/7", { authorization: "token", "x-api-key": keyValue });
    expect(answer.status).toBe(201);
    const line = await lineOf(answer.headers["x-amzn-requestid"], names);
    expectLine(line, names, {
      ...always(),
      ...certificate(),
      "authorizer.boolKey": "true",
      "authorizer.integrationLatency": number,
      "authorizer.integrationStatus": "200",
      "authorizer.key": "value",
      "authorizer.latency": number,
      "authorizer.numKey": "1",
      "authorizer.principalId": "me",
      "authorizer.requestId": uuid,
      "authorizer.status": "200",
      awsEndpointRequestId: uuid,
      cipherSuite: expect.stringMatching(/^TLS_AES_/),
      "customDomain.basePathMatched": "v1/shop",
      domainName,
      domainPrefix: "mutual",
      extendedRequestId: answer.headers["x-amz-apigw-id"],
      httpMethod: "GET",
      "identity.apiKey": keyValue,
      "identity.apiKeyId": keyId,
      "identity.userAgent": "tester",
      "integration.integrationStatus": "200",
      "integration.latency": number,
      "integration.requestId": uuid,
      "integration.status": "201",
      integrationLatency: number,
      integrationStatus: "200",
      path: "/v1/shop/pets/7",
      resourceId: resources["/pets/{id}"],
      resourcePath: "/pets/{id}",
      responseLength: "5",
      status: "201",
      tlsVersion: "TLSv1.3",
    });
  });

  test("tell the routing rule instead of the mapping, and of a refusal its type and message", async () => {
    const answer = await ask("/ruled/pets/7");
    expect(answer.status).toBe(401);
    const line = await lineOf(answer.headers["x-amzn-requestid"], names);
    expect(line).toMatchObject({
      "customDomain.basePathMatched": "-",
      "customDomain.routingRuleIdMatched": ruleId,
      "error.message": "Unauthorized",
      "error.responseType": "UNAUTHORIZED",
      status: "401",
    });
  });
});

/** "Customize HTTP API access logs". */
describe("access logs of an HTTP API", () => {
  const names = [
    "accountId",
    "apiId",
    "authorizer.claims.groups",
    "authorizer.claims.sub",
    "authorizer.error",
    "authorizer.key",
    "authorizer.numKey",
    "authorizer.principalId",
    "awsEndpointRequestId",
    "awsEndpointRequestId2",
    "customDomain.basePathMatched",
    "dataProcessed",
    "domainName",
    "domainPrefix",
    "error.message",
    "error.responseType",
    "extendedRequestId",
    "httpMethod",
    "identity.accountId",
    "identity.caller",
    ...clientCertificate,
    ...cognito,
    "identity.principalOrgId",
    "identity.sourceIp",
    "identity.user",
    "identity.userAgent",
    "identity.userArn",
    "integration.error",
    "integration.integrationStatus",
    "integration.latency",
    "integration.requestId",
    "integration.status",
    "integrationErrorMessage",
    "integrationLatency",
    "integrationStatus",
    "path",
    "protocol",
    "requestId",
    "requestTime",
    "requestTimeEpoch",
    "responseLatency",
    "responseLength",
    "routeKey",
    "stage",
    "status",
  ];
  let apiId: string;

  beforeAll(async () => {
    const call = { type: "aws_proxy", httpMethod: "POST", uri: uriOf("hello"), payloadFormatVersion: "2.0" };
    const identitySource = "$request.header.Authorization";
    const operation = (name: string) => ({
      get: { "x-amazon-apigateway-integration": call, security: [{ [name]: [] }], responses: {} },
    });
    const definition = {
      openapi: "3.0.1",
      info: { title: "documented", version: "1" },
      components: {
        securitySchemes: {
          jwt: scheme(
            { type: "jwt", identitySource, jwtConfiguration: { issuer: issuer.url, audience: ["app"] } },
            { type: "oauth2", flows: {} },
          ),
          allow: scheme(
            { type: "request", identitySource, authorizerUri: uriOf("allow"), authorizerPayloadFormatVersion: "2.0" },
            { type: "apiKey", name: "Authorization", in: "header" },
          ),
        },
      },
      paths: { "/jwt/{id}": operation("jwt"), "/lambda": operation("allow") },
    };
    apiId = (await v2.send(new http.ImportApiCommand({ Body: JSON.stringify(definition) }))).ApiId ?? "";
    await v2.send(
      new http.CreateStageCommand({
        ApiId: apiId,
        StageName: "$default",
        AutoDeploy: true,
        AccessLogSettings: { DestinationArn: groupArn, Format: formatOf(names) },
      }),
    );
    const mapping = { DomainName: domainName, ApiId: apiId, Stage: "$default", ApiMappingKey: "v2" };
    await v2.send(new http.CreateApiMappingCommand(mapping));
  });

  const always = () => ({
    accountId: account,
    apiId,
    dataProcessed: number,
    httpMethod: "GET",
    "identity.sourceIp": "127.0.0.1",
    protocol: "HTTP/1.1",
    requestTime: clfTime,
    requestTimeEpoch: number,
    responseLatency: number,
    stage: "$default",
  });
  const integrated = {
    awsEndpointRequestId: uuid,
    "integration.integrationStatus": "200",
    "integration.latency": number,
    "integration.requestId": uuid,
    "integration.status": "201",
    integrationLatency: number,
    integrationStatus: "200",
    responseLength: "5",
    status: "201",
  };

  test("tell of a request that was let through: domain, certificate, claims and integration", async () => {
    const authorization = `Bearer ${issuer.sign({ groups: ["a", "b"] })}`;
    const answer = await ask("/v2/jwt/7?a=b", { authorization });
    expect(answer.status).toBe(201);
    const requestId = answer.headers["apigw-requestid"];
    expectLine(await lineOf(requestId, names), names, {
      ...always(),
      ...certificate(),
      ...integrated,
      "authorizer.claims.groups": "[a b]",
      "authorizer.claims.sub": "me",
      "customDomain.basePathMatched": "v2",
      domainName,
      domainPrefix: "mutual",
      // AWS: equivalent to requestId.
      extendedRequestId: requestId,
      "identity.userAgent": "tester",
      path: "/v2/jwt/7",
      requestId,
      routeKey: "GET /jwt/{id}",
    });
  });

  test("tell what a Lambda authorizer said, and by which address the API was called", async () => {
    const answer = await ask("/v2/lambda", { authorization: "x" });
    const line = await lineOf(answer.headers["apigw-requestid"], names);
    expect(line).toMatchObject({ "authorizer.key": "value", "authorizer.numKey": "1", "authorizer.principalId": "me" });
    const plain = await askPlainly(apiId, "/lambda");
    const told = await lineOf(plain.headers["apigw-requestid"], names);
    expect(told).toMatchObject({
      "customDomain.basePathMatched": "-",
      domainName: `${apiId}.execute-api.${region}.localhost`,
      domainPrefix: apiId,
      "error.message": "Unauthorized",
      "identity.clientCert.subjectDN": "-",
      "integration.status": "-",
      path: "/lambda",
      routeKey: "GET /lambda",
      status: "401",
    });
  });
});
