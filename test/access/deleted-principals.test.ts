import { APIGatewayClient, CreateRestApiCommand, GetRestApiCommand } from "@aws-sdk/client-api-gateway";
import {
  CloudWatchLogsClient,
  DescribeResourcePoliciesCommand,
  PutResourcePolicyCommand,
} from "@aws-sdk/client-cloudwatch-logs";
import { CreateTableCommand, DynamoDBClient, GetResourcePolicyCommand } from "@aws-sdk/client-dynamodb";
import {
  CreateRepositoryCommand,
  ECRClient,
  GetRepositoryPolicyCommand,
  SetRepositoryPolicyCommand,
} from "@aws-sdk/client-ecr";
import * as iamSdk from "@aws-sdk/client-iam";
import { AddPermissionCommand, GetPolicyCommand, LambdaClient } from "@aws-sdk/client-lambda";
import {
  CreateBucketCommand,
  GetBucketPolicyCommand,
  GetObjectCommand,
  PutBucketPolicyCommand,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { afterAll, beforeAll, expect, test } from "vitest";
import { account, policy, startAccessTest, trust, type AccessTest, type Keys } from "../../src/testing/access.ts";
import { createFunctionRole, createNodeFunction } from "../../src/testing/functions.ts";

/** AWS: policies know users and roles by their unique ids, which are shown once the user or role is gone. */
let access: AccessTest;
const Bucket = "kept";
const arnOf = (kind: "user" | "role", name: string) => `arn:aws:iam::${account}:${kind}/${name}`;

beforeAll(async () => {
  access = await startAccessTest({ durable: true });
  const s3 = new S3Client({ ...access.platform.settings, forcePathStyle: true });
  await s3.send(new CreateBucketCommand({ Bucket }));
  await s3.send(new PutObjectCommand({ Bucket, Key: "k", Body: "1" }));
}, 60_000);
afterAll(() => access.stop());

const settings = () => ({ ...access.platform.settings, forcePathStyle: true });
const s3As = (credentials: Keys) => new S3Client({ ...settings(), credentials });

function grant(AWS: string | readonly string[], Resource: string, Action: string) {
  // As somebody would write it by hand.
  return `{ "Version": "2012-10-17",\n  "Statement": [ ${JSON.stringify({ Sid: "A", Effect: "Allow", Principal: { AWS }, Action, Resource, Condition: { ArnNotEquals: { "aws:PrincipalArn": arnOf("user", "other") } } })} ] }`;
}

async function remove(UserName: string, { accessKeyId }: Keys): Promise<void> {
  await access.iam.send(new iamSdk.DeleteAccessKeyCommand({ UserName, AccessKeyId: accessKeyId }));
  await access.iam.send(new iamSdk.DeleteUserCommand({ UserName }));
}

const idOf = async (UserName: string) =>
  (await access.iam.send(new iamSdk.GetUserCommand({ UserName }))).User?.UserId ?? "";

test("a user made again under the name of another has nothing of what a bucket's policy gave the other", async () => {
  const s3 = new S3Client(settings());
  const first = await access.createUser("kim");
  const Policy = grant([arnOf("user", "kim"), account], `arn:aws:s3:::${Bucket}/*`, "s3:GetObject");
  await s3.send(new PutBucketPolicyCommand({ Bucket, Policy }));
  const shown = async () => (await s3.send(new GetBucketPolicyCommand({ Bucket }))).Policy;
  expect(await shown()).toBe(Policy);
  const read = (keys: Keys) => s3As(keys).send(new GetObjectCommand({ Bucket, Key: "k" }));
  await read(first);
  const id = await idOf("kim");
  await remove("kim", first);
  expect(await shown()).toBe(Policy.replace(`["${arnOf("user", "kim")}"`, `["${id}"`));
  const second = await access.createUser("kim");
  await expect(read(second)).rejects.toThrow(/not authorized|denied/i);
  expect(await shown()).toContain(id);
  await access.platform.restart();
  await expect(s3As(second).send(new GetObjectCommand({ Bucket, Key: "k" }))).rejects.toThrow(/not authorized|denied/i);
  const again = new S3Client(settings());
  expect((await again.send(new GetBucketPolicyCommand({ Bucket }))).Policy).toContain(id);
  // Written down again, it is about the one that there is now.
  await again.send(new PutBucketPolicyCommand({ Bucket, Policy }));
  await read(second);
});

test("a user who is renamed keeps what policies gave", async () => {
  const s3 = new S3Client(settings());
  const keys = await access.createUser("before");
  const Policy = grant(arnOf("user", "before"), `arn:aws:s3:::${Bucket}/*`, "s3:GetObject");
  await s3.send(new PutBucketPolicyCommand({ Bucket, Policy }));
  await access.iam.send(new iamSdk.UpdateUserCommand({ UserName: "before", NewUserName: "after" }));
  expect((await s3.send(new GetBucketPolicyCommand({ Bucket }))).Policy).toContain(arnOf("user", "after"));
  await s3As(keys).send(new GetObjectCommand({ Bucket, Key: "k" }));
});

test("a role's trust is in the role that there was; the id is told where it is no more", async () => {
  const assumed = async (keys: Keys) => access.assume(keys, arnOf("role", "trusting"));
  const first = await access.createUser("lee", policy({ Effect: "Allow", Action: "sts:AssumeRole", Resource: "*" }));
  const AssumeRolePolicyDocument = trust({ AWS: arnOf("user", "lee") });
  await access.iam.send(new iamSdk.CreateRoleCommand({ RoleName: "trusting", AssumeRolePolicyDocument }));
  const shown = async () => {
    const { Role } = await access.iam.send(new iamSdk.GetRoleCommand({ RoleName: "trusting" }));
    return decodeURIComponent(Role?.AssumeRolePolicyDocument ?? "");
  };
  expect(await shown()).toBe(AssumeRolePolicyDocument);
  await assumed(first);
  const id = await idOf("lee");
  await access.iam.send(new iamSdk.DeleteUserPolicyCommand({ UserName: "lee", PolicyName: "p" }));
  await remove("lee", first);
  expect(await shown()).toBe(trust({ AWS: id }));
  const second = await access.createUser("lee", policy({ Effect: "Allow", Action: "sts:AssumeRole", Resource: "*" }));
  await expect(assumed(second)).rejects.toThrow(/not authorized/);
});

test("the policies of every service keep it so", async () => {
  const RoleName = "named";
  const { Role } = await access.iam.send(
    new iamSdk.CreateRoleCommand({ RoleName, Path: "/deep/", AssumeRolePolicyDocument: trust({ AWS: account }) }),
  );
  const { Arn: arn = "", RoleId: id = "" } = Role ?? {};
  const own = settings();
  const [dynamodb, ecr, logs, lambda, gateway] = [
    new DynamoDBClient(own),
    new ECRClient(own),
    new CloudWatchLogsClient(own),
    new LambdaClient(own),
    new APIGatewayClient(own),
  ];
  const table = `arn:aws:dynamodb:us-east-1:${account}:table/kept`;
  await dynamodb.send(
    new CreateTableCommand({
      TableName: "kept",
      KeySchema: [{ AttributeName: "id", KeyType: "HASH" }],
      AttributeDefinitions: [{ AttributeName: "id", AttributeType: "S" }],
      BillingMode: "PAY_PER_REQUEST",
      ResourcePolicy: grant(arn, table, "dynamodb:GetItem"),
    }),
  );
  await ecr.send(new CreateRepositoryCommand({ repositoryName: "kept" }));
  const ofImages = policy({ Effect: "Allow", Principal: { AWS: arn }, Action: "ecr:BatchGetImage" });
  await ecr.send(new SetRepositoryPolicyCommand({ repositoryName: "kept", policyText: ofImages }));
  const policyDocument = grant(arn, "*", "logs:PutLogEvents");
  await logs.send(new PutResourcePolicyCommand({ policyName: "kept", policyDocument }));
  await createNodeFunction(own, {
    FunctionName: "kept",
    Role: await createFunctionRole(own, "executing"),
    source: "export const handler = () => 1;",
  });
  const permission = { FunctionName: "kept", StatementId: "s", Action: "lambda:InvokeFunction", Principal: arn };
  const { Statement } = await lambda.send(new AddPermissionCommand(permission));
  expect(JSON.parse(Statement ?? "")).toMatchObject({ Principal: { AWS: arn } });
  const { id: restApiId } = await gateway.send(
    new CreateRestApiCommand({ name: "kept", policy: grant(arn, "*", "execute-api:Invoke") }),
  );
  const shown = async () => [
    (await dynamodb.send(new GetResourcePolicyCommand({ ResourceArn: table }))).Policy,
    (await ecr.send(new GetRepositoryPolicyCommand({ repositoryName: "kept" }))).policyText,
    (await logs.send(new DescribeResourcePoliciesCommand({}))).resourcePolicies?.[0]?.policyDocument,
    (await lambda.send(new GetPolicyCommand({ FunctionName: "kept" }))).Policy,
    (await gateway.send(new GetRestApiCommand({ restApiId }))).policy,
  ];
  for (const text of await shown()) expect(text).toContain(arn);
  await access.iam.send(new iamSdk.DeleteRoleCommand({ RoleName }));
  for (const text of await shown()) expect([text?.includes(id), text?.includes(arn)]).toEqual([true, false]);
});

test.each([
  ["no JSON", `{"Statement": :user/ `],
  ["a list that never ends", `${"[".repeat(50_000)}":user/"${"]".repeat(50_000)}`],
  ["other things where strings belong", `{"Statement":[1,null,{"Principal":{"AWS":[5,{"a":":user/"}]}}]}`],
])("what is no policy is refused as it ever was: %s", async (_name, Policy) => {
  const sent = new S3Client(settings()).send(new PutBucketPolicyCommand({ Bucket, Policy }));
  await expect(sent).rejects.toMatchObject({ name: "MalformedPolicy", $metadata: { httpStatusCode: 400 } });
});
