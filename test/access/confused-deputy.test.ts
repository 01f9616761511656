import {
  ApiGatewayV2Client,
  CreateApiCommand,
  CreateIntegrationCommand,
  CreateRouteCommand,
  CreateStageCommand,
} from "@aws-sdk/client-apigatewayv2";
import { CloudFormationClient, CreateStackCommand } from "@aws-sdk/client-cloudformation";
import {
  CloudWatchLogsClient,
  CreateLogGroupCommand,
  PutSubscriptionFilterCommand,
} from "@aws-sdk/client-cloudwatch-logs";
import { CreateRoleCommand, PutRolePolicyCommand, UpdateAssumeRolePolicyCommand } from "@aws-sdk/client-iam";
import {
  AddPermissionCommand,
  CreateFunctionCommand,
  LambdaClient,
  RemovePermissionCommand,
} from "@aws-sdk/client-lambda";
import { CreateBucketCommand, PutBucketNotificationConfigurationCommand, S3Client } from "@aws-sdk/client-s3";
import { request } from "node:http";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  account,
  policy,
  roleArn,
  startAccessTest,
  statement,
  trust,
  type AccessTest,
} from "../../src/testing/access.ts";
import { createFunctionRole, createNodeFunction, zipOf } from "../../src/testing/functions.ts";

const functionArn = `arn:aws:lambda:us-east-1:${account}:function:deputy`;
let access: AccessTest;
let lambda: LambdaClient;

/** Each service that acts for a resource says for which: permission for another resource, or another account's, is no permission. */
beforeAll(async () => {
  access = await startAccessTest({ sandbox: "process" });
  lambda = new LambdaClient(access.platform.settings);
  const { settings } = access.platform;
  const Role = await createFunctionRole(settings, "deputy");
  const source = "export const handler = async () => ({ statusCode: 200, body: 'done' });";
  await createNodeFunction(settings, { FunctionName: "deputy", Role, source });
}, 60_000);
afterAll(() => access.stop());

async function permitOnly(service: string, source: { SourceArn?: string; SourceAccount?: string }): Promise<void> {
  await lambda.send(new RemovePermissionCommand({ FunctionName: "deputy", StatementId: "s" })).catch(() => undefined);
  const permission = { FunctionName: "deputy", StatementId: "s", Action: "lambda:InvokeFunction" };
  await lambda.send(new AddPermissionCommand({ ...permission, Principal: service, ...source }));
}

async function roleTrusting(name: string, service: string, source: object): Promise<string> {
  const document = trust({ Service: service }, { Condition: source });
  await access.iam.send(new CreateRoleCommand({ RoleName: name, AssumeRolePolicyDocument: document }));
  return roleArn(name);
}

function s3(): S3Client {
  return new S3Client({ ...access.platform.settings, forcePathStyle: true });
}

function logs(): CloudWatchLogsClient {
  return new CloudWatchLogsClient(access.platform.settings);
}

function notify() {
  const configuration = { LambdaFunctionArn: functionArn, Events: ["s3:ObjectCreated:*" as const] };
  const NotificationConfiguration = { LambdaFunctionConfigurations: [configuration] };
  return s3().send(new PutBucketNotificationConfigurationCommand({ Bucket: "deputized", NotificationConfiguration }));
}

function subscribe() {
  const filter = { logGroupName: "/deputy", filterName: "f", filterPattern: "", destinationArn: functionArn };
  return logs().send(new PutSubscriptionFilterCommand(filter));
}

function createWith(FunctionName: string, Role: string) {
  const code = {
    Runtime: "nodejs22.x" as const,
    Handler: "index.handler",
    Code: { ZipFile: zipOf({ "index.mjs": "" }) },
  };
  return lambda.send(new CreateFunctionCommand({ FunctionName, Role, ...code }));
}

describe("API Gateway", () => {
  let apiId: string;
  let byRole: string;

  beforeAll(async () => {
    const gateway = new ApiGatewayV2Client(access.platform.settings);
    const api = await gateway.send(new CreateApiCommand({ Name: "a", ProtocolType: "HTTP" }));
    apiId = api.ApiId ?? "";
    byRole = await roleTrusting("gateway", "apigateway.amazonaws.com", {
      ArnLike: { "aws:SourceArn": "arn:aws:x:::x" },
    });
    const allow = policy(statement("lambda:InvokeFunction"));
    await access.iam.send(new PutRolePolicyCommand({ RoleName: "gateway", PolicyName: "p", PolicyDocument: allow }));
    const route = async (RouteKey: string, more: object) => {
      const integration = { ApiId: apiId, IntegrationType: "AWS_PROXY" as const, IntegrationUri: functionArn };
      const made = await gateway.send(
        new CreateIntegrationCommand({ ...integration, PayloadFormatVersion: "2.0", ...more }),
      );
      await gateway.send(
        new CreateRouteCommand({ ApiId: apiId, RouteKey, Target: `integrations/${made.IntegrationId}` }),
      );
    };
    await route("GET /permission", {});
    await route("GET /role", { CredentialsArn: byRole });
    await gateway.send(new CreateStageCommand({ ApiId: apiId, StageName: "$default", AutoDeploy: true }));
  });

  const get = async (path: string): Promise<number> => {
    const url = new URL(access.platform.endpoint);
    return await new Promise((resolve, reject) => {
      const host = `${apiId}.execute-api.us-east-1.amazonaws.com`;
      request({ host: url.hostname, port: url.port, path, headers: { host } }, (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      })
        .once("error", reject)
        .end();
    });
  };

  test("may not invoke a function that lets in another API", async () => {
    await permitOnly("apigateway.amazonaws.com", { SourceArn: `arn:aws:execute-api:us-east-1:${account}:another1/*` });
    expect(await get("/permission")).toBe(500);
  });

  test("may not invoke a function that lets in another account's APIs", async () => {
    await permitOnly("apigateway.amazonaws.com", { SourceAccount: "999999999999" });
    expect(await get("/permission")).toBe(500);
  });

  test("may where its API is named, by ARN or account", async () => {
    await permitOnly("apigateway.amazonaws.com", { SourceArn: `arn:aws:execute-api:us-east-1:${account}:${apiId}/*` });
    expect(await get("/permission")).toBe(200);
    await permitOnly("apigateway.amazonaws.com", { SourceAccount: account });
    expect(await get("/permission")).toBe(200);
  });

  test("may not assume a role that trusts it for another source, and may one that trusts it for the API", async () => {
    expect(await get("/role")).toBe(500);
    const SourceArn = `arn:aws:execute-api:us-east-1:${account}:${apiId}/*`;
    const Condition = { ArnLike: { "aws:SourceArn": SourceArn }, StringEquals: { "aws:SourceAccount": account } };
    const document = trust({ Service: "apigateway.amazonaws.com" }, { Condition });
    await access.iam.send(new UpdateAssumeRolePolicyCommand({ RoleName: "gateway", PolicyDocument: document }));
    expect(await get("/role")).toBe(200);
  });
});

describe("S3", () => {
  beforeAll(() => s3().send(new CreateBucketCommand({ Bucket: "deputized" })));

  test.each([
    ["another bucket", { SourceArn: "arn:aws:s3:::another" }],
    [
      "another account, which might own a bucket of this name tomorrow",
      { SourceArn: "arn:aws:s3:::deputized", SourceAccount: "999999999999" },
    ],
  ])("may not tell a function that lets in %s", async (_name, source) => {
    await permitOnly("s3.amazonaws.com", source);
    await expect(notify()).rejects.toThrow(/destination/);
  });

  test("may where bucket and account are named", async () => {
    await permitOnly("s3.amazonaws.com", { SourceArn: "arn:aws:s3:::deputized", SourceAccount: account });
    await expect(notify()).resolves.toBeDefined();
  });
});

describe("CloudWatch Logs", () => {
  beforeAll(() => logs().send(new CreateLogGroupCommand({ logGroupName: "/deputy" })));

  test.each([
    ["another group", { SourceArn: `arn:aws:logs:us-east-1:${account}:log-group:/another:*` }],
    ["another account", { SourceAccount: "999999999999" }],
  ])("may not invoke a function that lets in %s", async (_name, source) => {
    await permitOnly("logs.amazonaws.com", source);
    await expect(subscribe()).rejects.toThrow(/Could not execute the lambda function/);
  });

  test("may where the group is named", async () => {
    await permitOnly("logs.amazonaws.com", {
      SourceArn: `arn:aws:logs:us-east-1:${account}:log-group:/deputy:*`,
      SourceAccount: account,
    });
    await expect(subscribe()).resolves.toBeDefined();
  });
});

describe("Lambda", () => {
  test("may not assume a role that trusts it for another function or account", async () => {
    const forAnother = { ArnLike: { "aws:SourceArn": `arn:aws:lambda:us-east-1:${account}:function:another` } };
    const another = await roleTrusting("lambda-another", "lambda.amazonaws.com", forAnother);
    await expect(createWith("mine", another)).rejects.toThrow(/cannot be assumed by Lambda/);
    const elsewhere = { StringEquals: { "aws:SourceAccount": "999999999999" } };
    const foreign = await roleTrusting("lambda-foreign", "lambda.amazonaws.com", elsewhere);
    await expect(createWith("mine", foreign)).rejects.toThrow(/cannot be assumed by Lambda/);
  });

  test("may one that trusts it for the function", async () => {
    const forMine = { ArnLike: { "aws:SourceArn": `arn:aws:lambda:us-east-1:${account}:function:mine` } };
    const mine = await roleTrusting("lambda-mine", "lambda.amazonaws.com", forMine);
    await expect(createWith("mine", mine)).resolves.toMatchObject({ FunctionName: "mine" });
  });
});

describe("CloudFormation", () => {
  const body = JSON.stringify({ Resources: { G: { Type: "AWS::Logs::LogGroup" } } });
  const create = (StackName: string, RoleARN: string) =>
    new CloudFormationClient(access.platform.settings).send(
      new CreateStackCommand({ StackName, RoleARN, TemplateBody: body }),
    );

  test("may not assume a role that trusts it for another stack", async () => {
    const forAnother = { ArnLike: { "aws:SourceArn": `arn:aws:cloudformation:us-east-1:${account}:stack/another/*` } };
    const role = await roleTrusting("stack-another", "cloudformation.amazonaws.com", forAnother);
    await expect(create("mine", role)).rejects.toThrow(/cannot be assumed/);
  });

  test("may one that trusts it for the stack", async () => {
    const forMine = { ArnLike: { "aws:SourceArn": `arn:aws:cloudformation:us-east-1:${account}:stack/mine/*` } };
    const role = await roleTrusting("stack-mine", "cloudformation.amazonaws.com", forMine);
    await expect(create("mine", role)).resolves.toMatchObject({
      StackId: expect.stringContaining("stack/mine/") as string,
    });
  });
});
