import { CloudFormationClient, CreateStackCommand, DescribeStacksCommand } from "@aws-sdk/client-cloudformation";
import { CreateAccessKeyCommand, CreateUserCommand, IAMClient, PutUserPolicyCommand } from "@aws-sdk/client-iam";
import {
  AddPermissionCommand,
  CreateAliasCommand,
  CreateFunctionUrlConfigCommand,
  DeleteAliasCommand,
  DeleteFunctionCommand,
  DeleteFunctionUrlConfigCommand,
  GetFunctionUrlConfigCommand,
  LambdaClient,
  PublishVersionCommand,
  PutFunctionConcurrencyCommand,
  RemovePermissionCommand,
  type CreateFunctionUrlConfigCommandInput,
} from "@aws-sdk/client-lambda";
import { SignatureV4 } from "@smithy/signature-v4";
import { request as httpRequest } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { createFunctionRole, createNodeFunction, type ClientSettings } from "../../../testing/functions.ts";
import { startTestPlatform, type TestPlatform } from "../../../testing/platform.ts";
import { Sha256 } from "../../../testing/sha256.ts";

let platform: TestPlatform;
let lambda: LambdaClient;
let role: string;
let name = "";
let count = 0;
const account = "000000000000";
const echo = "export const handler = async (event) => event";
const forbidden = {
  Message:
    "Forbidden. For troubleshooting Function URL authorization issues, see: https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html",
};

beforeAll(async () => {
  platform = await startTestPlatform({ durable: true, sandbox: "process" });
  lambda = new LambdaClient(platform.settings);
  role = await createFunctionRole(platform.settings, "runs");
});
afterAll(() => platform.stop());
beforeEach(() => {
  name = `f${(count += 1)}`;
});

const create = (source = echo) => createNodeFunction(platform.settings, { FunctionName: name, Role: role, source });

/** A URL that anybody may use, unless `more` says otherwise. */
async function createUrl(more: Partial<CreateFunctionUrlConfigCommandInput> = {}): Promise<string> {
  const FunctionName = more.FunctionName ?? name;
  const { FunctionUrl } = await lambda.send(
    new CreateFunctionUrlConfigCommand({ AuthType: "NONE", ...more, FunctionName }),
  );
  if ((more.AuthType ?? "NONE") === "NONE") await allowAnyone(more.Qualifier);
  return FunctionUrl ?? "";
}

async function allowAnyone(Qualifier?: string): Promise<void> {
  const common = { FunctionName: name, Principal: "*", Qualifier };
  await lambda.send(
    new AddPermissionCommand({
      ...common,
      StatementId: "url",
      Action: "lambda:InvokeFunctionUrl",
      FunctionUrlAuthType: "NONE",
    }),
  );
  await lambda.send(
    new AddPermissionCommand({
      ...common,
      StatementId: "invoke",
      Action: "lambda:InvokeFunction",
      InvokedViaFunctionUrl: true,
    }),
  );
}

interface Answer {
  readonly status: number;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly rawHeaders: string[];
  readonly text: string;
}

/** As a client that resolves no names does: by the Host header of a request to the platform. */
function ask(
  url: string,
  path = "/",
  options: { method?: string; headers?: Record<string, string>; body?: string | Buffer } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = httpRequest(
      {
        host: "127.0.0.1",
        port: platform.port,
        path,
        method: options.method ?? "GET",
        headers: { host: new URL(url).host, ...options.headers },
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("error", reject);
        response.on("end", () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            rawHeaders: response.rawHeaders,
            text: Buffer.concat(chunks).toString(),
          }),
        );
      },
    );
    sent.on("error", reject);
    sent.end(options.body);
  });
}

async function askSigned(url: string, credentials: ClientSettings["credentials"], body = "") {
  const signer = new SignatureV4({ service: "lambda", region: "us-east-1", credentials, sha256: Sha256 });
  const { host, hostname } = new URL(url);
  const signed = await signer.sign({
    method: "POST",
    protocol: "http:",
    hostname,
    path: "/signed",
    headers: { host, "content-type": "text/plain" },
    body,
  });
  return ask(url, "/signed", { method: "POST", headers: signed.headers, body });
}

async function createUser(UserName: string, ...Statement: object[]) {
  const iam = new IAMClient(platform.settings);
  await iam.send(new CreateUserCommand({ UserName }));
  const PolicyDocument = JSON.stringify({ Version: "2012-10-17", Statement });
  if (Statement.length > 0) await iam.send(new PutUserPolicyCommand({ UserName, PolicyName: "p", PolicyDocument }));
  const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName }));
  return { accessKeyId: AccessKey?.AccessKeyId ?? "", secretAccessKey: AccessKey?.SecretAccessKey ?? "" };
}

test("A URL hands over an event of payload format 2.0", async () => {
  await create("export const handler = async (event, context) => ({ event, id: context.awsRequestId })");
  const url = await createUrl();
  const answer = await ask(url, "/a%20b/c?x=1&x=2&y=%C3%BC&z", {
    method: "POST",
    headers: { cookie: "k=v; l=w", "content-type": "application/json", "X-Many": "one", "user-agent": "test" },
    body: '{"a":1}',
  });
  expect(answer.status).toBe(200);
  expect(answer.headers["content-type"]).toBe("application/json");
  const { event, id } = JSON.parse(answer.text);
  const urlId = new URL(url).hostname.split(".")[0];
  expect(event).toEqual({
    version: "2.0",
    routeKey: "$default",
    rawPath: "/a b/c",
    rawQueryString: "x=1&x=2&y=%C3%BC&z",
    cookies: ["k=v", "l=w"],
    headers: expect.objectContaining({ "x-many": "one", "content-length": "7", "x-forwarded-proto": "http" }),
    queryStringParameters: { x: "1,2", y: "ü", z: "" },
    requestContext: {
      accountId: "anonymous",
      apiId: urlId,
      domainName: `${urlId}.lambda-url.us-east-1.localhost`,
      domainPrefix: urlId,
      http: { method: "POST", path: "/a b/c", protocol: "HTTP/1.1", sourceIp: "127.0.0.1", userAgent: "test" },
      requestId: id,
      routeKey: "$default",
      stage: "$default",
      time: expect.stringMatching(/^\d\d\/\w{3}\/\d{4}:/),
      timeEpoch: expect.any(Number),
    },
    body: '{"a":1}',
    isBase64Encoded: false,
  });
  expect(answer.headers["x-amzn-requestid"]).toBe(id);
  expect(answer.headers["x-amzn-trace-id"]).toMatch(/^Root=1-[0-9a-f]{8}-[0-9a-f]{24};Sampled=0$/);
});

test("The path form and a binary body reach the function too", async () => {
  await create();
  const url = await createUrl();
  const urlId = new URL(url).hostname.split(".")[0];
  const answer = await ask(`http://127.0.0.1:${platform.port}/`, `/_cumulet/url/${urlId}/x?y=1`, {
    method: "PUT",
    headers: { "content-type": "image/png" },
    body: Buffer.from([0, 255, 1]),
  });
  expect(JSON.parse(answer.text)).toMatchObject({
    rawPath: "/x",
    rawQueryString: "y=1",
    body: Buffer.from([0, 255, 1]).toString("base64"),
    isBase64Encoded: true,
    requestContext: { domainName: `${urlId}.lambda-url.us-east-1.localhost` },
  });
});

test("A response's status, headers, cookies and base 64 body are the client's", async () => {
  await create(`export const handler = async () => ({ statusCode: 201, headers: { "X-A": "b", "Content-Type": "text/x" },
    cookies: ["a=1", "b=2"], body: Buffer.from("ünd").toString("base64"), isBase64Encoded: true })`);
  const answer = await ask(await createUrl());
  expect(answer).toMatchObject({ status: 201, text: "ünd" });
  expect(answer.headers).toMatchObject({ "x-a": "b", "content-type": "text/x", "set-cookie": ["a=1", "b=2"] });
});

test.for([
  ["throws", "export const handler = async () => { throw new Error('secret') }"],
  ["answers a status that is none", "export const handler = async () => ({ statusCode: 'ok' })"],
  ["cannot be loaded", "import 'nowhere'"],
])("A function that %s is a 502 without a word of why", async ([, source]) => {
  await create(source);
  const answer = await ask(await createUrl());
  expect(answer).toMatchObject({ status: 502, text: "Internal Server Error" });
});

test("An AuthType of NONE needs both of the permissions that AWS asks for", async () => {
  await create();
  const { FunctionUrl = "" } = await lambda.send(
    new CreateFunctionUrlConfigCommand({ FunctionName: name, AuthType: "NONE" }),
  );
  const refused = async () => {
    const answer = await ask(FunctionUrl);
    expect(answer.status).toBe(403);
    expect(answer.headers["x-amzn-errortype"]).toBe("AccessDeniedException");
    expect(JSON.parse(answer.text)).toEqual(forbidden);
  };
  await refused();
  await allowAnyone();
  expect((await ask(FunctionUrl)).status).toBe(200);
  expect((await ask(FunctionUrl)).status).toBe(200);
  const remove = (StatementId: string) => lambda.send(new RemovePermissionCommand({ FunctionName: name, StatementId }));
  const allow = (FunctionUrlAuthType: "NONE" | "AWS_IAM") =>
    lambda.send(
      new AddPermissionCommand({
        FunctionName: name,
        StatementId: "url",
        Action: "lambda:InvokeFunctionUrl",
        Principal: "*",
        FunctionUrlAuthType,
      }),
    );
  await remove("url");
  await refused();
  await allow("AWS_IAM");
  await refused();
  await remove("url");
  await allow("NONE");
  expect((await ask(FunctionUrl)).status).toBe(200);
  await remove("invoke");
  await refused();
});

test("An AuthType of AWS_IAM evaluates lambda:InvokeFunctionUrl and lambda:InvokeFunction for who signed", async () => {
  await create();
  const url = await createUrl({ AuthType: "AWS_IAM" });
  const Resource = `arn:aws:lambda:us-east-1:${account}:function:${name}`;
  const both = { Effect: "Allow", Action: ["lambda:InvokeFunctionUrl", "lambda:InvokeFunction"], Resource };
  const viaUrl = { ...both, Condition: { Bool: { "lambda:InvokedViaFunctionUrl": "true" } } };
  const allowed = await askSigned(url, await createUser(`${name}-a`, viaUrl), "body");
  expect(allowed.status).toBe(200);
  expect(JSON.parse(allowed.text)).toMatchObject({
    body: "body",
    requestContext: {
      accountId: account,
      authorizer: { iam: { accountId: account, userArn: `arn:aws:iam::${account}:user/${name}-a` } },
    },
  });

  expect((await ask(url)).status).toBe(403);
  expect(JSON.parse((await ask(url)).text)).toEqual(forbidden);
  const nobody = await askSigned(url, await createUser(`${name}-b`));
  expect(nobody).toMatchObject({ status: 403 });
  expect(JSON.parse(nobody.text)).toEqual(forbidden);
  const half = await createUser(`${name}-c`, { ...both, Action: "lambda:InvokeFunctionUrl" });
  expect((await askSigned(url, half)).status).toBe(403);
  const wrongType = { StringEquals: { "lambda:FunctionUrlAuthType": "NONE" } };
  expect((await askSigned(url, await createUser(`${name}-d`, { ...both, Condition: wrongType }))).status).toBe(403);
});

test("A wrong signature is refused, saying so, and so is a body that was not signed", async () => {
  await create();
  const url = await createUrl({ AuthType: "AWS_IAM" });
  const { accessKeyId } = platform.settings.credentials;
  const answer = await askSigned(url, { accessKeyId, secretAccessKey: "wrong" });
  expect(answer.status).toBe(403);
  expect(answer.headers["x-amzn-errortype"]).toBe("InvalidSignatureException");
  expect(JSON.parse(answer.text).message).toMatch(/^The request signature we calculated does not match/);

  const signer = new SignatureV4({
    service: "lambda",
    region: "us-east-1",
    credentials: platform.settings.credentials,
    sha256: Sha256,
  });
  const { host, hostname } = new URL(url);
  const signed = await signer.sign({
    method: "POST",
    protocol: "http:",
    hostname,
    path: "/",
    headers: { host },
    body: "signed",
  });
  expect((await ask(url, "/", { method: "POST", headers: signed.headers, body: "signed" })).status).toBe(200);
  expect((await ask(url, "/", { method: "POST", headers: signed.headers, body: "forged" })).status).toBe(403);
});

test("A preflight is answered by the URL; other answers get its headers beside the function's own", async () => {
  await create(`let calls = 0;
    export const handler = async () => ({ statusCode: 200, headers: { "access-control-allow-origin": "*" }, body: String(++calls) })`);
  const url = await createUrl({
    Cors: {
      AllowOrigins: ["https://a.example"],
      AllowMethods: ["GET", "POST"],
      AllowHeaders: ["x-one", "x-two"],
      ExposeHeaders: ["x-three"],
      MaxAge: 60,
      AllowCredentials: true,
    },
  });
  const preflight = { "access-control-request-method": "GET" };
  const answer = await ask(url, "/", { method: "OPTIONS", headers: { origin: "https://a.example", ...preflight } });
  expect(answer).toMatchObject({ status: 200, text: "" });
  expect(answer.headers).toMatchObject({
    "access-control-allow-origin": "https://a.example",
    "access-control-allow-methods": "GET,POST",
    "access-control-allow-headers": "x-one,x-two",
    "access-control-expose-headers": "x-three",
    "access-control-max-age": "60",
    "access-control-allow-credentials": "true",
    vary: "Origin",
  });
  const stranger = await ask(url, "/", { method: "OPTIONS", headers: { origin: "https://b.example", ...preflight } });
  expect(Object.keys(stranger.headers).filter((header) => header.startsWith("access-control"))).toEqual([]);

  const called = await ask(url, "/", { headers: { origin: "https://a.example" } });
  expect(called.text).toBe("1");
  const origins = called.rawHeaders.filter(
    (_, at) => called.rawHeaders[at - 1]?.toLowerCase() === "access-control-allow-origin",
  );
  expect(origins).toEqual(["https://a.example", "*"]);
});

test("Without CORS an OPTIONS request is the function's", async () => {
  await create();
  const headers = { origin: "https://a.example", "access-control-request-method": "GET" };
  const answer = await ask(await createUrl(), "/", { method: "OPTIONS", headers });
  expect(JSON.parse(answer.text)).toMatchObject({ requestContext: { http: { method: "OPTIONS" } } });
});

test("A throttled URL answers 429 with the reason", async () => {
  await create();
  const url = await createUrl();
  await lambda.send(new PutFunctionConcurrencyCommand({ FunctionName: name, ReservedConcurrentExecutions: 0 }));
  const answer = await ask(url);
  expect(answer.status).toBe(429);
  expect(answer.headers["x-amzn-errortype"]).toBe("TooManyRequestsException");
  expect(JSON.parse(answer.text)).toMatchObject({
    Reason: "ReservedFunctionConcurrentInvocationLimitExceeded",
    message: "Rate Exceeded.",
  });
});

test("A body of more than 6 MB is refused with 413, and so is one that grows beyond it as an event", async () => {
  await create();
  const url = await createUrl();
  const post = (body: Buffer) => ask(url, "/", { method: "POST", headers: { "content-type": "image/png" }, body });
  const asEvent = await post(Buffer.alloc(5_000_000));
  expect(asEvent.status).toBe(413);
  expect(JSON.parse(asEvent.text).Message).toMatch(/^Request must be smaller than 6291456 bytes/);
  const over = await post(Buffer.alloc(6_291_457)).catch((error: Error & { code?: string }) => error.code);
  expect([413, "ECONNRESET", "EPIPE"]).toContain(typeof over === "object" ? over.status : over);
});

test("An alias has a URL of its own, with permissions of its own, which goes with the alias", async () => {
  await create("export const handler = async (event, context) => context.invokedFunctionArn");
  const { Version } = await lambda.send(new PublishVersionCommand({ FunctionName: name }));
  await lambda.send(new CreateAliasCommand({ FunctionName: name, Name: "live", FunctionVersion: Version }));
  await createUrl();
  const { FunctionUrl = "" } = await lambda.send(
    new CreateFunctionUrlConfigCommand({ FunctionName: name, Qualifier: "live", AuthType: "NONE" }),
  );
  expect((await ask(FunctionUrl)).status).toBe(403);
  await allowAnyone("live");
  expect((await ask(FunctionUrl)).text).toBe(`arn:aws:lambda:us-east-1:${account}:function:${name}:live`);
  await lambda.send(new DeleteAliasCommand({ FunctionName: name, Name: "live" }));
  expect((await ask(FunctionUrl)).status).toBe(403);
});

test("A URL that is no more, of a function that is no more, or that never was, is forbidden", async () => {
  await create();
  const url = await createUrl();
  expect((await ask(url)).status).toBe(200);
  await lambda.send(new DeleteFunctionUrlConfigCommand({ FunctionName: name }));
  expect((await ask(url)).status).toBe(403);
  const again = (await lambda.send(new CreateFunctionUrlConfigCommand({ FunctionName: name, AuthType: "NONE" })))
    .FunctionUrl;
  expect(again).not.toBe(url);
  expect((await ask(again ?? "")).status).toBe(200);
  await lambda.send(new DeleteFunctionCommand({ FunctionName: name }));
  await create();
  await expect(lambda.send(new GetFunctionUrlConfigCommand({ FunctionName: name }))).rejects.toMatchObject({
    name: "ResourceNotFoundException",
  });
  expect((await ask(again ?? "")).status).toBe(403);
  expect((await ask("http://abc.lambda-url.us-east-1.localhost/")).status).toBe(403);
});

test("A URL answers after a restart", async () => {
  await create();
  const url = await createUrl();
  await platform.restart();
  expect((await ask(url)).status).toBe(200);
});

/** Waits until the stack rests; its status and outputs. */
async function settle(cloudformation: CloudFormationClient, StackName: string) {
  for (;;) {
    const { Stacks } = await cloudformation.send(new DescribeStacksCommand({ StackName }));
    const stack = Stacks?.[0];
    const outputs = Object.fromEntries((stack?.Outputs ?? []).map((each) => [each.OutputKey, each.OutputValue]));
    if (!stack?.StackStatus?.endsWith("_IN_PROGRESS")) return { status: stack?.StackStatus, outputs };
    await delay(20);
  }
}

test("A template's AWS::Serverless::Function with a FunctionUrlConfig answers at its URL", async () => {
  const cloudformation = new CloudFormationClient(platform.settings);
  const template = {
    Transform: "AWS::Serverless-2016-10-31",
    Resources: {
      Fn: {
        Type: "AWS::Serverless::Function",
        Properties: {
          Runtime: "nodejs24.x",
          Handler: "index.handler",
          InlineCode: "exports.handler = async () => 'from a template'",
          FunctionUrlConfig: { AuthType: "NONE", Cors: { AllowOrigins: ["*"], MaxAge: 3 } },
        },
      },
    },
    Outputs: { Url: { Value: { "Fn::GetAtt": ["FnUrl", "FunctionUrl"] } } },
  };
  await cloudformation.send(
    new CreateStackCommand({
      StackName: name,
      TemplateBody: JSON.stringify(template),
      Capabilities: ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
    }),
  );
  const { status, outputs } = await settle(cloudformation, name);
  expect(status).toBe("CREATE_COMPLETE");
  const answer = await ask(outputs["Url"] ?? "", "/", { headers: { origin: "https://x.example" } });
  expect(answer.text).toBe("from a template");
  expect(answer.headers["access-control-allow-origin"]).toBe("*");
});
