import {
  APIGatewayClient,
  CreateDeploymentCommand,
  GetExportCommand,
  ImportRestApiCommand,
} from "@aws-sdk/client-api-gateway";
import { CreateRoleCommand, IAMClient, PutRolePolicyCommand } from "@aws-sdk/client-iam";
import { afterAll, beforeAll, expect, test } from "vitest";
import { account, policy, roleArn, statement, trust } from "../../testing/access.ts";
import { createFunctionRole, createNodeFunction } from "../../testing/functions.ts";
import { startTestPlatform, type TestPlatform } from "../../testing/platform.ts";
import { calculator } from "./calculator.fixture.ts";

let platform: TestPlatform;
let client: APIGatewayClient;
const lambda = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions";
const uri = `${lambda}/arn:aws:lambda:us-east-1:${account}:function:Calc/invocations`;

beforeAll(async () => {
  platform = await startTestPlatform({ sandbox: "process" });
  const { settings } = platform;
  client = new APIGatewayClient(settings);
  await createNodeFunction(settings, {
    FunctionName: "Calc",
    Role: await createFunctionRole(settings, "calc"),
    source: `export const handler = async ({ a, b, op }) => {
      const [x, y] = [Number(a), Number(b)];
      const c = { "+": x + y, add: x + y, "/": x / y }[op];
      if (c === undefined) throw new Error("400 Invalid Operator");
      return { a: x, b: y, op, c };
    };`,
  });
  const iam = new IAMClient(settings);
  const RoleName = "apigAwsProxyRole";
  const AssumeRolePolicyDocument = trust({ Service: "apigateway.amazonaws.com" });
  await iam.send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument }));
  const PolicyDocument = policy(statement("lambda:InvokeFunction"));
  await iam.send(new PutRolePolicyCommand({ RoleName, PolicyName: "invoke", PolicyDocument }));
});
afterAll(() => platform.stop());

async function deployed(definition: object): Promise<string> {
  const body = Buffer.from(JSON.stringify(definition));
  const { id = "", warnings } = await client.send(new ImportRestApiCommand({ body, failOnWarnings: true }));
  expect(warnings).toBeUndefined();
  await client.send(new CreateDeploymentCommand({ restApiId: id, stageName: "test" }));
  return id;
}

async function exported(restApiId: string, exportType: string): Promise<Record<string, unknown>> {
  const parameters = { extensions: "integrations,authorizers,apigateway" };
  const { body = new Uint8Array() } = await client.send(
    new GetExportCommand({ restApiId, stageName: "test", exportType, parameters }),
  );
  return JSON.parse(Buffer.from(body).toString("utf8"));
}

const ask = async (id: string, path: string, init: RequestInit = {}) => {
  const answered = await fetch(`${platform.endpoint}/_cumulet/api/${id}/test${path}`, init);
  return { answered, told: await answered.json() };
};

test("The guide's calculator is imported, calculates, validates, and is the same by its exports", async () => {
  const id = await deployed(calculator(uri, roleArn("apigAwsProxyRole")));
  const { answered, told } = await ask(id, "/calc?operand1=2&operand2=3&operator=%2B");
  expect(told).toEqual({ result: "2, 3, + => 5", a: "2", b: "3", op: "+", c: "5" });
  expect(["operand_1", "operand_2", "operator"].map((name) => answered.headers.get(name))).toEqual(["2", "3", "+"]);
  expect((await ask(id, "/calc?operand1=2")).told).toEqual({
    message: "Missing required request parameters: [operand2, operator]",
  });
  const post = (body: object) =>
    fetch(`${platform.endpoint}/_cumulet/api/${id}/test/calc`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
  // As the guide prints the template, the operator stands without quotation marks.
  expect((await (await post({ a: 1, b: 2, op: "add" })).text()).replaceAll(/\s+/g, " ").trim()).toBe(
    '{ "a" : 1, "b" : 2, "op" : add, "c" : 3 }',
  );
  expect((await post({ a: "1", b: 2, op: "add" })).status).toBe(400);
  expect((await ask(id, "/calc/1/2/%2F")).told).toEqual({ input: { a: 1, b: 2, op: "/" }, output: { c: 0.5 } });
  expect((await ask(id, "/calc/1/1/+")).told).toEqual({ input: { a: 1, b: 1, op: "+" }, output: { c: 2 } });

  for (const exportType of ["swagger", "oas30"]) {
    const { host: _host, servers: _servers, info: _info, ...first } = await exported(id, exportType);
    const again = await deployed(await exported(id, exportType));
    const { host: _other, servers: _there, info: _now, ...second } = await exported(again, exportType);
    expect(second).toEqual(first);
    expect((await ask(again, "/calc/4/2/%2F")).told).toMatchObject({ output: { c: 2 } });
  }
});
