import { CreateFunctionCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { CreateRoleCommand, PutUserPolicyCommand } from "@aws-sdk/client-iam";
import { CreateBucketCommand, ListBucketsCommand, PutBucketPolicyCommand, S3Client } from "@aws-sdk/client-s3";
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

async function deniedRequest(): Promise<string> {
  const s3 = new S3Client({ ...access.platform.settings, credentials: ann, forcePathStyle: true });
  const error: unknown = await s3.send(new ListBucketsCommand({})).catch((caught: unknown) => caught);
  if (!(error instanceof Error) || !("$metadata" in error)) throw new Error("It was not denied");
  return String((error.$metadata as { requestId?: string }).requestId);
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
