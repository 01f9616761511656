import { APIGatewayClient, CreateDeploymentCommand, ImportRestApiCommand } from "@aws-sdk/client-api-gateway";
import { ApiGatewayV2Client, CreateStageCommand, ImportApiCommand } from "@aws-sdk/client-apigatewayv2";
import { CreateRoleCommand, PutRolePolicyCommand } from "@aws-sdk/client-iam";
import { createServer, type Server } from "node:http";
import { connect } from "node:net";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type AccessTest, policy, roleArn, startAccessTest, statement, trust } from "../../src/testing/access.ts";
import { createFunctionRole, createNodeFunction } from "../../src/testing/functions.ts";

const functionArn = (name: string) => `arn:aws:lambda:us-east-1:000000000000:function:${name}`;
const invocation = (name: string) =>
  `arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/${functionArn(name)}/invocations`;
const streamedInvocation = (name: string) =>
  `arn:aws:apigateway:us-east-1:lambda:path/2021-11-15/functions/${functionArn(name)}/response-streaming-invocations`;
const operation = (name: string, more: object) => ({
  get: {
    responses: {},
    "x-amazon-apigateway-integration": {
      type: "aws_proxy",
      httpMethod: "POST",
      uri: invocation("hello"),
      ...(name === "none" ? {} : { credentials: roleArn(name) }),
      ...more,
    },
  },
});
const piece = 64 * 1024;
const pieces = 512;

let access: AccessTest;
/** What the streaming function has been able to write so far. */
let written = 0;
let progress: Server;
let restApiId: string;
let httpApiId: string;

/** Roles by what is wrong with them; nothing is for the function's own policy, which allows nobody. */
const roles = {
  invoker: { service: "apigateway.amazonaws.com", actions: ["lambda:InvokeFunction"] },
  untrusting: { service: "lambda.amazonaws.com", actions: ["lambda:InvokeFunction"] },
  powerless: { service: "apigateway.amazonaws.com", actions: ["lambda:GetFunction"] },
} as const;

beforeAll(async () => {
  progress = createServer((request, response) => {
    written = Number(request.url?.slice(1));
    response.end();
  });
  await new Promise<void>((resolve) => progress.listen(0, "127.0.0.1", resolve));
  access = await startAccessTest({ sandbox: "process" });
  const { settings } = access.platform;
  const { port } = progress.address() as AddressInfo;
  const Role = await createFunctionRole(settings, "functions");
  const hello = "export const handler = async () => ({ statusCode: 200, body: 'hello' });";
  const flood = `export const handler = awslambda.streamifyResponse(async (event, stream) => {
    const out = awslambda.HttpResponseStream.from(stream, { statusCode: 200, headers: { "content-type": "text/plain" } });
    const piece = Buffer.alloc(${piece}, "x");
    for (let count = 1; count <= ${pieces}; count++) {
      if (!out.write(piece)) await new Promise((resolve) => out.once("drain", resolve));
      if (count % 16 === 0) await fetch("http://127.0.0.1:${port}/" + count * piece.length);
    }
    out.end();
  });`;
  await createNodeFunction(settings, { FunctionName: "hello", Role, source: hello });
  await createNodeFunction(settings, { FunctionName: "flood", Role, source: flood, Timeout: 60 });
  for (const [RoleName, { service, actions }] of Object.entries(roles)) {
    const AssumeRolePolicyDocument = trust({ Service: service });
    await access.iam.send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument }));
    const PolicyDocument = policy(statement(actions));
    await access.iam.send(new PutRolePolicyCommand({ RoleName, PolicyName: "p", PolicyDocument }));
  }
  const names = ["none", ...Object.keys(roles)];
  const pathsWith = (more: object) => Object.fromEntries(names.map((name) => [`/${name}`, operation(name, more)]));
  const v1 = new APIGatewayClient(settings);
  const streams = { uri: streamedInvocation("flood"), responseTransferMode: "STREAM" };
  const rest = {
    swagger: "2.0",
    info: { title: "a", version: "1" },
    paths: { ...pathsWith({}), "/flood": operation("invoker", streams) },
  };
  restApiId = (await v1.send(new ImportRestApiCommand({ body: Buffer.from(JSON.stringify(rest)) }))).id ?? "";
  await v1.send(new CreateDeploymentCommand({ restApiId, stageName: "prod" }));
  const v2 = new ApiGatewayV2Client(settings);
  const paths = pathsWith({ payloadFormatVersion: "2.0" });
  const Body = JSON.stringify({ openapi: "3.0.1", info: { title: "a", version: "1" }, paths });
  httpApiId = (await v2.send(new ImportApiCommand({ Body }))).ApiId ?? "";
  await v2.send(new CreateStageCommand({ ApiId: httpApiId, StageName: "prod", AutoDeploy: true }));
}, 30_000);
afterAll(async () => {
  await access.stop();
  progress.close();
});

/** "Set up proxy integrations": with credentials the role is assumed, without them the function's policy must allow the API. */
describe("the credentials of a proxy integration", () => {
  test.each([
    ["none", 500],
    ["invoker", 200],
    ["untrusting", 500],
    ["powerless", 500],
  ])("%s: %i", async (name, status) => {
    for (const [apiId, message] of [
      [restApiId, "Internal server error"],
      [httpApiId, "Internal Server Error"],
    ]) {
      const answer = await fetch(`${access.platform.endpoint}/_cumulet/api/${apiId}/prod/${name}`);
      const body = await answer.text();
      expect([answer.status, body]).toEqual([status, status === 200 ? "hello" : JSON.stringify({ message })]);
    }
  });
});

test("a client that does not read what a function streams through a REST API holds the function back, and gets all of it", async () => {
  const socket = connect(access.platform.port, "127.0.0.1");
  socket.write(`GET /_cumulet/api/${restApiId}/prod/flood HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n`);
  let received = 0;
  const began = new Promise<void>((resolve) => {
    socket.once("data", (chunk) => {
      received += chunk.length;
      socket.pause();
      resolve();
    });
  });
  await began;
  // It has stopped when it has come no further between two looks.
  const looks: number[] = [];
  const hasStopped = () => looks.push(written) > 1 && written > 0 && looks.at(-2) === written;
  await expect.poll(hasStopped, { interval: 300, timeout: 20_000 }).toBe(true);
  expect(written).toBeLessThan((pieces * piece) / 2);
  socket.on("data", (chunk) => (received += chunk.length));
  const ended = new Promise((resolve) => socket.once("close", resolve));
  socket.resume();
  await ended;
  expect(received).toBeGreaterThan(pieces * piece);
});
