import * as rest from "@aws-sdk/client-api-gateway";
import * as http from "@aws-sdk/client-apigatewayv2";
import { CloudWatchLogsClient, CreateLogGroupCommand, FilterLogEventsCommand } from "@aws-sdk/client-cloudwatch-logs";
import { CreateRoleCommand, PutRolePolicyCommand } from "@aws-sdk/client-iam";
import { SignatureV4 } from "@smithy/signature-v4";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connectClient } from "../../src/services/execute-api/websocket/client.ts";
import {
  account,
  type AccessTest,
  type Keys,
  policy,
  roleArn,
  startAccessTest,
  statement,
  trust,
} from "../../src/testing/access.ts";
import { Sha256 } from "../../src/testing/sha256.ts";

/**
 * What `$context.identity`, `authenticate` and `authorize` tell of a caller who signed, by "Variables for access logging for API
 * Gateway" and "Variables for data transformations for API Gateway": in templates, and in lines of access logs.
 */
const region = "us-east-1";
const DestinationArn = `arn:aws:logs:${region}:${account}:log-group:signed`;
const identity = ["accountId", "caller", "user", "userArn", "sourceIp", "userAgent", "apiKey"].map(
  (name) => `identity.${name}`,
);
const phases = ["authenticate", "authorize"].flatMap((phase) =>
  ["status", "latency", "error"].map((member) => `${phase}.${member}`),
);
const names = [...identity, ...phases];
const lineFormat = (kind: string, more: readonly string[] = []) =>
  [kind, "$context.requestId", ...[...names, ...more].map((name) => `$context.${name}`)].join(" | ");

let access: AccessTest;
let logs: CloudWatchLogsClient;
let user: Keys;
let stranger: Keys;
let session: Keys;
const told: Record<string, readonly unknown[]> = {};

const identityOf = (arn: string, caller: RegExp) => {
  const principal = expect.stringMatching(caller);
  return [account, principal, principal, arn, "127.0.0.1", "tester", "-"];
};

beforeAll(async () => {
  access = await startAccessTest({ sandbox: "process" });
  const { settings } = access.platform;
  logs = new CloudWatchLogsClient(settings);
  await logs.send(new CreateLogGroupCommand({ logGroupName: "signed" }));
  const invoke = policy(statement("execute-api:Invoke"));
  user = await access.createUser("ann", policy(statement(["execute-api:Invoke", "sts:AssumeRole"])));
  stranger = await access.createUser("bob", policy(statement("s3:*")));
  const AssumeRolePolicyDocument = trust({ AWS: account });
  await access.iam.send(new CreateRoleCommand({ RoleName: "caller", AssumeRolePolicyDocument }));
  await access.iam.send(new PutRolePolicyCommand({ RoleName: "caller", PolicyName: "invoke", PolicyDocument: invoke }));
  session = await access.assume(user, roleArn("caller"));
  const id = { user: /^AIDA[A-Z\d]+$/, session: /^AROA[A-Z\d]+:session$/ };
  told["user"] = identityOf(`arn:aws:iam::${account}:user/ann`, id.user);
  told["session"] = identityOf(`arn:aws:sts::${account}:assumed-role/caller/session`, id.session);
});
afterAll(() => access.stop());

const number = expect.stringMatching(/^\d+$/);
const letIn = ["200", number, "-", "200", number, "-"];

async function sign(path: string, keys: Keys): Promise<Record<string, string>> {
  const signer = new SignatureV4({ service: "execute-api", region, credentials: keys, sha256: Sha256 });
  const host = `127.0.0.1:${access.platform.port}`;
  const { headers } = await signer.sign({
    method: "GET",
    protocol: "http:",
    hostname: "127.0.0.1",
    port: access.platform.port,
    path,
    query: {},
    headers: { host },
  });
  return { ...headers, "user-agent": "tester" };
}

async function ask(path: string, keys: Keys): Promise<readonly [number, string]> {
  const headers = await sign(path, keys);
  delete headers["host"];
  const answered = await fetch(`${access.platform.endpoint}${path}`, { headers });
  return [answered.status, await answered.text()];
}

/** The lines of a kind of API, once there are so many. */
async function linesOf(kind: string, count: number): Promise<unknown[][]> {
  let lines: unknown[][] = [];
  const read = async () => {
    const { events = [] } = await logs.send(new FilterLogEventsCommand({ logGroupName: "signed" }));
    lines = events
      .map(({ message = "" }) => message.split(" | "))
      .filter(([first]) => first === kind)
      .map(([, _requestId, ...values]) => values);
    return lines.length;
  };
  await expect.poll(read, { timeout: 10_000 }).toBe(count);
  return lines;
}

test("A REST API's templates and access log tell a user, an assumed role, and why somebody was not let in", async () => {
  const v1 = new rest.APIGatewayClient(access.platform.settings);
  const cloudwatchRoleArn = { op: "replace", path: "/cloudwatchRoleArn", value: roleArn("logs") } as const;
  await v1.send(new rest.UpdateAccountCommand({ patchOperations: [cloudwatchRoleArn] }));
  const { id: restApiId, rootResourceId: resourceId } = await v1.send(
    new rest.CreateRestApiCommand({ name: "signed" }),
  );
  const method = { restApiId, resourceId, httpMethod: "GET" };
  await v1.send(new rest.PutMethodCommand({ ...method, authorizationType: "AWS_IAM" }));
  await v1.send(new rest.PutMethodResponseCommand({ ...method, statusCode: "200" }));
  const requestTemplates = { "application/json": '{"statusCode":200}' };
  await v1.send(new rest.PutIntegrationCommand({ ...method, type: "MOCK", requestTemplates }));
  const template = JSON.stringify(identity.map((name) => `$context.${name}`));
  const responseTemplates = { "application/json": template };
  await v1.send(new rest.PutIntegrationResponseCommand({ ...method, statusCode: "200", responseTemplates }));
  await v1.send(new rest.CreateDeploymentCommand({ restApiId, stageName: "prod" }));
  const patchOperations = [
    { op: "replace" as const, path: "/accessLogSettings/destinationArn", value: DestinationArn },
    { op: "replace" as const, path: "/accessLogSettings/format", value: lineFormat("rest") },
  ];
  await v1.send(new rest.UpdateStageCommand({ restApiId, stageName: "prod", patchOperations }));
  const path = `/_cumulet/api/${restApiId}/prod`;
  for (const [name, keys] of Object.entries({ user, session })) {
    const [status, text] = await ask(path, keys);
    // What does not exist is empty in templates, and a hyphen in logs.
    const expected = (told[name] ?? []).map((value) => (value === "-" ? "" : value));
    expect([status, JSON.parse(text)]).toEqual([200, expected]);
  }
  expect((await ask(path, stranger))[0]).toBe(403);
  expect((await ask(path, { ...user, secretAccessKey: "wrong" }))[0]).toBe(403);
  const lines = await linesOf("rest", 4);
  const nobody = identity.map((name) =>
    name.endsWith("sourceIp") ? "127.0.0.1" : name.endsWith("Agent") ? "tester" : "-",
  );
  const denied = expect.stringContaining("is not authorized to perform: execute-api:Invoke");
  expect(lines).toEqual([
    [...(told["user"] ?? []), ...letIn],
    [...(told["session"] ?? []), ...letIn],
    [...nobody, "200", number, "-", "403", number, denied],
    [...nobody, "403", number, expect.stringContaining("signature"), "-", "-", "-"],
  ]);
});

test("An HTTP API's access log tells who signed, and nothing of phases that it does not have", async () => {
  const v2 = new http.ApiGatewayV2Client(access.platform.settings);
  const { ApiId } = await v2.send(new http.CreateApiCommand({ Name: "signed", ProtocolType: "HTTP" }));
  const { IntegrationId } = await v2.send(
    new http.CreateIntegrationCommand({
      ApiId,
      IntegrationType: "HTTP_PROXY",
      IntegrationMethod: "GET",
      IntegrationUri: `${access.platform.endpoint}/nowhere`,
      PayloadFormatVersion: "1.0",
    }),
  );
  const Target = `integrations/${IntegrationId}`;
  await v2.send(new http.CreateRouteCommand({ ApiId, RouteKey: "$default", AuthorizationType: "AWS_IAM", Target }));
  const AccessLogSettings = { DestinationArn, Format: lineFormat("http") };
  await v2.send(new http.CreateStageCommand({ ApiId, StageName: "$default", AutoDeploy: true, AccessLogSettings }));
  const path = `/_cumulet/api/${ApiId}/x`;
  await ask(path, session);
  expect((await ask(path, stranger))[0]).toBe(403);
  const [first] = await linesOf("http", 2);
  expect(first).toEqual([...(told["session"] ?? []), ...phases.map(() => "-")]);
});

/** "Set up logging for a WebSocket API", and "WebSocket API mapping template reference": each variable, and its value. */
describe("A WebSocket API", () => {
  const more = [
    "apiId", "authorizer.principalId", "connectedAt", "connectionId", "domainName", "domainPrefix", "error.message", "error.messageString", "error.responseType",
    "error.validationErrorString", "eventType", "extendedRequestId", "identity.apiKeyId", "identity.cognitoIdentityId", "identity.principalOrgId", "integration.error",
    "integration.integrationStatus", "integration.latency", "integration.requestId", "integration.status", "integrationLatency", "messageId", "requestId", "requestTime",
    "requestTimeEpoch", "routeKey", "stage", "status", "waf.status", "xrayTraceId",
  ]; // prettier-ignore

  test("tells each documented variable of a handshake, a message and the end, in its log and its templates", async () => {
    const v2 = new http.ApiGatewayV2Client(access.platform.settings);
    const { ApiId = "" } = await v2.send(
      new http.CreateApiCommand({
        Name: "signed",
        ProtocolType: "WEBSOCKET",
        RouteSelectionExpression: "$request.body.action",
      }),
    );
    const { IntegrationId = "" } = await v2.send(
      new http.CreateIntegrationCommand({
        ApiId,
        IntegrationType: "MOCK",
        TemplateSelectionExpression: "t",
        RequestTemplates: { t: '{"statusCode":200}' },
      }),
    );
    const ResponseTemplates = { t: JSON.stringify([...identity, ...more].map((name) => `$context.${name}`)) };
    await v2.send(
      new http.CreateIntegrationResponseCommand({
        ApiId,
        IntegrationId,
        IntegrationResponseKey: "$default",
        TemplateSelectionExpression: "t",
        ResponseTemplates,
      }),
    );
    const Target = `integrations/${IntegrationId}`;
    const AuthorizationType = "AWS_IAM";
    await v2.send(new http.CreateRouteCommand({ ApiId, RouteKey: "$connect", Target, AuthorizationType }));
    await v2.send(new http.CreateRouteCommand({ ApiId, RouteKey: "$disconnect", Target }));
    const RouteResponseSelectionExpression = "$default";
    const route = new http.CreateRouteCommand({ ApiId, RouteKey: "say", Target, RouteResponseSelectionExpression });
    const { RouteId } = await v2.send(route);
    await v2.send(new http.CreateRouteResponseCommand({ ApiId, RouteId, RouteResponseKey: "$default" }));
    const Format = lineFormat("websocket", more);
    const AccessLogSettings = { DestinationArn, Format };
    await v2.send(new http.CreateStageCommand({ ApiId, StageName: "prod", AutoDeploy: true, AccessLogSettings }));

    const path = `/_cumulet/api/${ApiId}/prod`;
    const client = await connectClient(`ws://127.0.0.1:${access.platform.port}${path}`, {
      headers: await sign(path, session),
    });
    client.send({ action: "say" });
    const rendered: string[] = JSON.parse(await client.next());
    client.send({ action: "none" });
    await client.next();
    client.socket.close(1000);
    const [connect = [], message = [], lost = [], end = []] = await linesOf("websocket", 4);

    const host = `${ApiId}.execute-api.${region}.localhost`;
    const frameId = expect.stringMatching(/^[\w-]{15}=$/);
    const common: Record<string, unknown> = {
      ...Object.fromEntries([...names, ...more].map((name) => [name, "-"])),
      ...Object.fromEntries(identity.map((name, index) => [name, told["session"]?.[index]])),
      apiId: ApiId,
      connectedAt: number,
      connectionId: frameId,
      domainName: host,
      domainPrefix: ApiId,
      extendedRequestId: frameId,
      requestId: frameId,
      requestTime: expect.stringMatching(/^\d{2}\/[A-Z][a-z]{2}\/\d{4}(:\d{2}){3} \+0000$/),
      requestTimeEpoch: number,
      stage: "prod",
      status: "200",
      xrayTraceId: expect.stringMatching(/^1-[\da-f]{8}-[\da-f]{24}$/),
    };
    const mocked = { "integration.integrationStatus": "200", "integration.status": "200" };
    const lineOf = (values: readonly unknown[]) =>
      Object.fromEntries([...names, ...more].map((name, index) => [name, values[index]]));
    expect(lineOf(connect)).toEqual({
      ...common,
      ...mocked,
      ...Object.fromEntries(phases.map((name, index) => [name, letIn[index]])),
      eventType: "CONNECT",
      routeKey: "$connect",
    });
    const said = { ...common, ...mocked, eventType: "MESSAGE", messageId: frameId, routeKey: "say" };
    expect(lineOf(message)).toEqual(said);
    expect(lineOf(lost)).toEqual({
      ...common,
      eventType: "MESSAGE",
      messageId: frameId,
      "error.message": "Forbidden",
      "error.messageString": '"Forbidden"',
      "error.responseType": "RESOURCE_NOT_FOUND",
      status: "403",
    });
    expect(lineOf(end)).toEqual({ ...common, ...mocked, eventType: "DISCONNECT", routeKey: "$disconnect" });
    // A template is rendered before the event has its status; what does not exist is empty there.
    const inTemplate = Object.fromEntries([...identity, ...more].map((name, index) => [name, rendered[index]]));
    const { status: _later, ...early } = Object.fromEntries(
      [...identity, ...more].map((name) => [name, Reflect.get(said, name) === "-" ? "" : Reflect.get(said, name)]),
    );
    expect(inTemplate).toMatchObject(early);
  });
});
