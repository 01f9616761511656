import { request, type IncomingMessage } from "node:http";
import {
  APIGatewayClient,
  CreateDeploymentCommand,
  CreateRestApiCommand,
  GetResourcesCommand,
  PutIntegrationCommand,
  PutMethodCommand,
} from "@aws-sdk/client-api-gateway";
import { DynamoDBClient, GetItemCommand } from "@aws-sdk/client-dynamodb";
import {
  CreateFunctionCommand,
  CreateFunctionUrlConfigCommand,
  InvokeCommand,
  LambdaClient,
} from "@aws-sdk/client-lambda";
import { CreateRoleCommand, PutUserPolicyCommand } from "@aws-sdk/client-iam";
import {
  CreateBucketCommand,
  GetObjectCommand,
  ListBucketsCommand,
  PutBucketPolicyCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { SignatureV4 } from "@smithy/signature-v4";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { explainCommand } from "../../src/cli/explain.ts";
import { signedGet } from "../../src/cli/signed-get.ts";
import {
  account,
  policy,
  startAccessTest,
  statement,
  trust,
  type AccessTest,
  type Keys,
} from "../../src/testing/access.ts";
import { createFunctionRole, createNodeFunction } from "../../src/testing/functions.ts";
import { Sha256 } from "../../src/testing/sha256.ts";

let access: AccessTest;
let ann: Keys;
const bucketArn = "arn:aws:s3:::explained";
const annArn = `arn:aws:iam::${account}:user/ann`;

beforeAll(async () => {
  access = await startAccessTest({ durable: true });
  ann = await access.createUser("ann", policy(statement("s3:GetObject", `${bucketArn}/*`)));
  const s3 = new S3Client({ ...access.platform.settings, forcePathStyle: true });
  await s3.send(new CreateBucketCommand({ Bucket: "explained" }));
  const document = policy({
    Sid: "NoSecrets",
    Effect: "Deny",
    Principal: "*",
    Action: "s3:GetObject",
    Resource: `${bucketArn}/secret/*`,
  });
  await s3.send(new PutBucketPolicyCommand({ Bucket: "explained", Policy: document }));
}, 60_000);
afterAll(() => access.stop());

function connectionAs(credentials: Keys) {
  return { endpoint: access.platform.endpoint, region: "us-east-1", credentials };
}

const ask = (query: Record<string, string>, as: Keys = access.platform.settings.credentials) =>
  signedGet(connectionAs(as), "/_cumulet/explain", query);

function deniedRequest(): Promise<string> {
  const s3 = new S3Client({ ...access.platform.settings, credentials: ann, forcePathStyle: true });
  return requestIdOf(s3.send(new ListBucketsCommand({})));
}

/** The id that the client of a denied request was told. */
async function requestIdOf(sent: Promise<unknown>): Promise<string> {
  const error: unknown = await sent.catch((caught: unknown) => caught);
  if (!(error instanceof Error) || !("$metadata" in error)) throw new Error("It was not denied");
  return String((error.$metadata as { requestId?: string }).requestId);
}

/** GET, signed; names below `localhost` are not looked up. */
async function signedGetOf(url: string, service: string, credentials: Keys): Promise<IncomingMessage> {
  const { hostname, host, port, pathname } = new URL(url);
  const signer = new SignatureV4({ service, region: "us-east-1", credentials, sha256: Sha256 });
  const { headers } = await signer.sign({
    method: "GET",
    protocol: "http:",
    hostname,
    path: pathname,
    query: {},
    headers: { host },
  });
  return new Promise((resolve, reject) => {
    const asked = request({ host: "127.0.0.1", port, path: pathname, headers }, (answer) => {
      answer.resume();
      resolve(answer);
    });
    asked.on("error", reject);
    asked.end();
  });
}

/** What the command prints, run on the data folder of the platform. */
async function explain(...argv: string[]): Promise<string> {
  const lines: string[] = [];
  const output = {
    out: (line: string) => void lines.push(line),
    err: (line: string) => void lines.push(line),
    write: (text: string) => void lines.push(text),
    terminal: false,
  };
  const { dataDir, port } = access.platform;
  await explainCommand.run([...argv, "--data", dataDir, "--port", String(port)], output);
  return lines.join("\n");
}

describe("a denied request", () => {
  test("is explained by its id: what was asked, what was looked at, what was missing", async () => {
    const requestId = await deniedRequest();
    expect(await ask({ requestId })).toMatchObject({
      denials: [
        {
          requestId,
          principal: annArn,
          action: "s3:ListAllMyBuckets",
          resource: "*",
          decision: { decision: "implicitDeny", policyType: "identity-based policy" },
          policies: { "identity-based policy": [`${annArn}/p`] },
          context: { "aws:username": ["ann"], "aws:principalaccount": [account] },
        },
      ],
    });
    const printed = await explain(requestId);
    expect(printed).toContain("denied: no identity-based policy allows it");
    expect(printed).toContain(`looked at, identity-based policy: ${annArn}/p`);
    expect(printed).not.toContain(ann.secretAccessKey);
  });

  test("is still explained after a restart", async () => {
    const requestId = await deniedRequest();
    await access.platform.restart();
    expect(await ask({ requestId })).toMatchObject({ denials: [{ requestId }] });
  });

  test("is not explained to who may not cumulet:Explain", async () => {
    const requestId = await deniedRequest();
    await expect(ask({ requestId }, ann)).rejects.toThrow(/403.*not authorized to perform: cumulet:Explain/);
  });

  test("that nobody has heard of is not found", async () => {
    await expect(ask({ requestId: "00000000-0000-4000-8000-000000000000" })).rejects.toThrow(/404/);
  });
});

describe("a question", () => {
  const question = { principal: annArn, action: "s3:GetObject", resource: `${bucketArn}/a` };

  test("is answered with the statement that allows", async () => {
    expect(await ask(question)).toMatchObject({
      decision: { decision: "allowed", by: [{ policy: `${annArn}/p`, statement: "1" }] },
    });
    const argv = ["--principal", annArn, "--action", "s3:GetObject", "--resource", `${bucketArn}/a`];
    expect(await explain(...argv)).toContain(`allowed by the identity-based policy ${annArn}/p, statement 1`);
  });

  test("is answered with the statement of the bucket's policy that denies", async () => {
    expect(await ask({ ...question, resource: `${bucketArn}/secret/a` })).toMatchObject({
      decision: { decision: "explicitDeny", policyType: "resource-based policy", by: { statement: "NoSecrets" } },
    });
  });

  test("takes the condition keys that are given", async () => {
    const user = "conditional";
    await access.createUser(user);
    const Condition = {
      IpAddress: { "aws:SourceIp": "10.0.0.0/8" },
      StringEquals: { "lambda:FunctionArn": "x" },
    };
    const PolicyDocument = policy({ ...statement("lambda:InvokeFunction"), Condition });
    await access.iam.send(new PutUserPolicyCommand({ UserName: user, PolicyName: "p", PolicyDocument }));
    const argv = [
      "--principal",
      `arn:aws:iam::${account}:user/${user}`,
      "--action",
      "lambda:InvokeFunction",
      "--resource",
      "*",
    ];
    expect(await explain(...argv)).toContain("denied: no identity-based policy allows it");
    expect(await explain(...argv, "--source-ip", "10.1.1.1", "--context", "lambda:FunctionArn=x")).toContain(
      "allowed by",
    );
  });

  test("about a role asks its trust policy", async () => {
    await access.iam.send(
      new CreateRoleCommand({ RoleName: "trusting", AssumeRolePolicyDocument: trust({ AWS: annArn }) }),
    );
    const target = { action: "sts:AssumeRole", resource: `arn:aws:iam::${account}:role/trusting` };
    expect(await ask({ ...target, principal: annArn })).toMatchObject({ decision: { decision: "allowed" } });
    expect(await ask({ ...target, principal: "lambda.amazonaws.com" })).toMatchObject({
      decision: { decision: "implicitDeny", policyType: "resource-based policy" },
    });
  });

  test("about an action that AWS does not have is answered so, for the root too", async () => {
    const nonsense = { principal: `arn:aws:iam::${account}:root`, action: "s3:ReadMinds", resource: "*" };
    expect(await ask(nonsense)).toMatchObject({ because: "unknown action", decision: { decision: "implicitDeny" } });
  });

  test.each([
    [{ ...question, principal: `arn:aws:iam::${account}:user/nobody` }, /nobody/],
    [{ ...question, principal: "arn:aws:iam::999999999999:user/ann" }, /own account/],
    [{ ...question, principal: "ann" }, /not the ARN/],
    [{ ...question, action: "" }, /Say which action/],
    [{ ...question, context: "novalue" }, /key=value/],
    [{ ...question, resourcePolicy: "{" }, /policy/],
  ])("%j is refused", async (query, message) => {
    await expect(ask(query)).rejects.toThrow(message);
  });
});

test("a function's denial is in the words of AWS and names no statement", async () => {
  const lambda = new LambdaClient({ ...access.platform.settings, credentials: ann });
  const create = new CreateFunctionCommand({
    FunctionName: "f",
    Role: `arn:aws:iam::${account}:role/r`,
    Code: { ZipFile: Buffer.from("") },
  });
  await expect(lambda.send(create)).rejects.toThrow(
    `User: ${annArn} is not authorized to perform: lambda:CreateFunction on resource: arn:aws:lambda:us-east-1:${account}:function:f because no identity-based policy allows the lambda:CreateFunction action`,
  );
});

describe("a denial of the data plane is explained by the id that its client was told:", () => {
  test("an object that a bucket's policy keeps", async () => {
    const s3 = new S3Client({ ...access.platform.settings, credentials: ann, forcePathStyle: true });
    const sent = s3.send(new GetObjectCommand({ Bucket: "explained", Key: "secret/a" }));
    const requestId = await requestIdOf(sent);
    expect(await ask({ requestId })).toMatchObject({
      denials: [{ action: "s3:GetObject", decision: { decision: "explicitDeny", by: { statement: "NoSecrets" } } }],
    });
  });

  test("an item of a table", async () => {
    const dynamodb = new DynamoDBClient({ ...access.platform.settings, credentials: ann });
    const requestId = await requestIdOf(
      dynamodb.send(new GetItemCommand({ TableName: "explained", Key: { id: { S: "1" } } })),
    );
    expect(await ask({ requestId })).toMatchObject({ denials: [{ action: "dynamodb:GetItem", principal: annArn }] });
  });

  test("a function that is invoked, and its URL", async () => {
    const own = access.platform.settings;
    const Role = await createFunctionRole(own, "explained");
    await createNodeFunction(own, { FunctionName: "f", Role, source: "export const handler = () => 1;" });
    const sent = new LambdaClient({ ...own, credentials: ann }).send(new InvokeCommand({ FunctionName: "f" }));
    const requestId = await requestIdOf(sent);
    expect(await ask({ requestId })).toMatchObject({ denials: [{ action: "lambda:InvokeFunction" }] });
    const lambda = new LambdaClient(own);
    const { FunctionUrl } = await lambda.send(
      new CreateFunctionUrlConfigCommand({ FunctionName: "f", AuthType: "AWS_IAM" }),
    );
    const answer = await signedGetOf(FunctionUrl ?? "", "lambda", ann);
    expect(answer.statusCode).toBe(403);
    expect(await ask({ requestId: String(answer.headers["x-amzn-requestid"]) })).toMatchObject({
      denials: [{ action: "lambda:InvokeFunctionUrl", principal: annArn }],
    });
  });

  test("a method of an API, by either of its ids", async () => {
    const gateway = new APIGatewayClient(access.platform.settings);
    const { id: restApiId = "" } = await gateway.send(new CreateRestApiCommand({ name: "explained" }));
    const { items } = await gateway.send(new GetResourcesCommand({ restApiId }));
    const at = { restApiId, resourceId: items?.[0]?.id ?? "", httpMethod: "GET" };
    await gateway.send(new PutMethodCommand({ ...at, authorizationType: "AWS_IAM" }));
    await gateway.send(new PutIntegrationCommand({ ...at, type: "MOCK" }));
    await gateway.send(new CreateDeploymentCommand({ restApiId, stageName: "prod" }));
    const { port } = access.platform;
    const answer = await signedGetOf(`http://${restApiId}.execute-api.localhost:${port}/prod/`, "execute-api", ann);
    expect(answer.statusCode).toBe(403);
    for (const name of ["x-amzn-requestid", "x-amz-apigw-id"]) {
      expect(await ask({ requestId: String(answer.headers[name]) })).toMatchObject({
        denials: [{ action: "execute-api:Invoke", principal: annArn }],
      });
    }
  });
});
