import {
  APIGatewayClient,
  CreateDeploymentCommand,
  CreateRestApiCommand,
  DeleteStageCommand,
  PutIntegrationCommand,
  PutIntegrationResponseCommand,
  PutMethodCommand,
  PutMethodResponseCommand,
  UpdateIntegrationCommand,
} from "@aws-sdk/client-api-gateway";
import {
  CreateAccessKeyCommand,
  CreateUserCommand,
  DeleteAccessKeyCommand,
  DeleteUserPolicyCommand,
  IAMClient,
  PutUserPolicyCommand,
} from "@aws-sdk/client-iam";
import {
  AddPermissionCommand,
  CreateFunctionUrlConfigCommand,
  DeleteFunctionUrlConfigCommand,
  LambdaClient,
  UpdateFunctionUrlConfigCommand,
} from "@aws-sdk/client-lambda";
import { ListBucketsCommand, S3Client } from "@aws-sdk/client-s3";
import { request } from "node:http";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createFunctionRole, createNodeFunction } from "../../src/testing/functions.ts";
import { startTestNodes, type TestNode, type TestNodes } from "../../src/testing/nodes.ts";

let all: TestNodes;
let here: TestNode;
let there: TestNode;

beforeAll(async () => {
  all = await startTestNodes(2, { sandbox: "process" });
  const [first, second] = all.nodes;
  if (!first || !second) throw new Error("There are two nodes");
  here = first;
  there = second;
}, 30_000);
afterAll(() => all.stop());

const template = (status: number) => `{"statusCode": ${status}}`;

/** The status of an answer of that node. */
const statusOf = async (node: TestNode, path: string) => (await fetch(`${node.endpoint}${path}`)).status;

test("a deployment of a REST API answers on every node when the call returns, and a stage that was deleted does not", async () => {
  const api = new APIGatewayClient(here.settings);
  const { id: restApiId, rootResourceId: resourceId } = await api.send(
    new CreateRestApiCommand({ name: "everywhere" }),
  );
  const method = { restApiId, resourceId, httpMethod: "GET" };
  await api.send(new PutMethodCommand({ ...method, authorizationType: "NONE" }));
  const requestTemplates = { "application/json": template(200) };
  await api.send(new PutIntegrationCommand({ ...method, type: "MOCK", requestTemplates }));
  for (const statusCode of ["200", "201", "202", "203"]) {
    await api.send(new PutMethodResponseCommand({ ...method, statusCode }));
    const selectionPattern = statusCode === "200" ? {} : { selectionPattern: statusCode };
    await api.send(new PutIntegrationResponseCommand({ ...method, statusCode, ...selectionPattern }));
  }
  const path = `/_cumulet/api/${restApiId}/live/`;
  for (let status = 200; status <= 203; status += 1) {
    const value = template(status);
    const patch = { op: "replace", path: "/requestTemplates/application~1json", value } as const;
    await api.send(new UpdateIntegrationCommand({ ...method, patchOperations: [patch] }));
    await api.send(new CreateDeploymentCommand({ restApiId, stageName: "live" }));
    expect(await statusOf(there, path)).toBe(status);
    expect(await statusOf(here, path)).toBe(status);
  }
  await api.send(new DeleteStageCommand({ restApiId, stageName: "live" }));
  expect(await statusOf(there, path)).toBe(403);
});

/** Through that node, whatever the port in the address is. */
function askUrl(node: TestNode, url: string): Promise<number> {
  const { host } = new URL(url);
  return new Promise((resolve, reject) => {
    const asked = request({ host: "127.0.0.1", port: node.port, headers: { host } }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    asked.on("error", reject);
    asked.end();
  });
}

test("a function URL answers on every node when it is made, asks for a signature when it is told to, and is gone when deleted", async () => {
  const lambda = new LambdaClient(here.settings);
  const Role = await createFunctionRole(here.settings, "urls");
  await createNodeFunction(here.settings, { FunctionName: "f", Role, source: "export const handler = async () => 1;" });
  await lambda.send(
    new AddPermissionCommand({
      FunctionName: "f",
      StatementId: "public",
      Action: "lambda:InvokeFunctionUrl",
      Principal: "*",
      FunctionUrlAuthType: "NONE",
    }),
  );
  await lambda.send(
    new AddPermissionCommand({
      FunctionName: "f",
      StatementId: "invoke",
      Action: "lambda:InvokeFunction",
      Principal: "*",
      InvokedViaFunctionUrl: true,
    }),
  );
  for (let round = 0; round < 3; round += 1) {
    const made = await lambda.send(new CreateFunctionUrlConfigCommand({ FunctionName: "f", AuthType: "NONE" }));
    const url = made.FunctionUrl ?? "";
    expect(await askUrl(there, url)).toBe(200);
    await lambda.send(new UpdateFunctionUrlConfigCommand({ FunctionName: "f", AuthType: "AWS_IAM" }));
    expect(await askUrl(there, url)).toBe(403);
    await lambda.send(new UpdateFunctionUrlConfigCommand({ FunctionName: "f", AuthType: "NONE" }));
    expect(await askUrl(there, url)).toBe(200);
    await lambda.send(new DeleteFunctionUrlConfigCommand({ FunctionName: "f" }));
    expect(await askUrl(there, url)).toBe(403);
  }
});

test("an access key and a policy count on every node when the call returns, and no longer when they are taken away", async () => {
  const iam = new IAMClient(here.settings);
  const UserName = "ada";
  await iam.send(new CreateUserCommand({ UserName }));
  const PolicyDocument = JSON.stringify({
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Action: "s3:ListAllMyBuckets", Resource: "*" }],
  });
  for (let round = 0; round < 3; round += 1) {
    const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName }));
    const accessKeyId = AccessKey?.AccessKeyId ?? "";
    const credentials = { accessKeyId, secretAccessKey: AccessKey?.SecretAccessKey ?? "" };
    const s3 = new S3Client({ ...there.settings, credentials, forcePathStyle: true });
    const list = () =>
      s3.send(new ListBucketsCommand({})).then(
        () => "allowed",
        (error: Error) => error.name,
      );
    expect(await list()).toBe("AccessDenied");
    await iam.send(new PutUserPolicyCommand({ UserName, PolicyName: "lists", PolicyDocument }));
    expect(await list()).toBe("allowed");
    await iam.send(new DeleteUserPolicyCommand({ UserName, PolicyName: "lists" }));
    expect(await list()).toBe("AccessDenied");
    await iam.send(new DeleteAccessKeyCommand({ UserName, AccessKeyId: accessKeyId }));
    expect(await list()).toBe("InvalidAccessKeyId");
  }
});
