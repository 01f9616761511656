import { CreateAccessKeyCommand, CreateUserCommand, IAMClient } from "@aws-sdk/client-iam";
import {
  CloudWatchLogsClient,
  CreateLogGroupCommand,
  CreateLogStreamCommand,
  DeleteResourcePolicyCommand,
  DescribeResourcePoliciesCommand,
  PutLogEventsCommand,
  PutResourcePolicyCommand,
} from "@aws-sdk/client-cloudwatch-logs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestPlatform, type TestPlatform } from "../../testing/platform.ts";

let platform: TestPlatform;
let logs: CloudWatchLogsClient;
const allow = (principal: string, Effect = "Allow") =>
  JSON.stringify({
    Version: "2012-10-17",
    Statement: [
      {
        Sid: "Same",
        Effect,
        Principal: { AWS: `arn:aws:iam::000000000000:user/${principal}` },
        Action: ["logs:CreateLogStream", "logs:PutLogEvents"],
        Resource: "arn:aws:logs:us-east-1:000000000000:log-group:shared:*",
      },
    ],
  });

beforeAll(async () => {
  platform = await startTestPlatform({ sandbox: "process" });
  logs = new CloudWatchLogsClient(platform.settings);
  for (const logGroupName of ["shared", "other"]) await logs.send(new CreateLogGroupCommand({ logGroupName }));
});
afterAll(() => platform.stop());

function put(policyName: string, policyDocument: string) {
  return logs.send(new PutResourcePolicyCommand({ policyName, policyDocument }));
}

test("A resource policy lets those write whom no policy of their own lets, and denies others, until it is deleted", async () => {
  const iam = new IAMClient(platform.settings);
  await iam.send(new CreateUserCommand({ UserName: "writer" }));
  const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName: "writer" }));
  const credentials = { accessKeyId: AccessKey?.AccessKeyId ?? "", secretAccessKey: AccessKey?.SecretAccessKey ?? "" };
  const writer = new CloudWatchLogsClient({ ...platform.settings, credentials });
  const write = async (logGroupName: string, logStreamName: string) => {
    await writer.send(new CreateLogStreamCommand({ logGroupName, logStreamName }));
    const logEvents = [{ timestamp: Date.now(), message: "m" }];
    await writer.send(new PutLogEventsCommand({ logGroupName, logStreamName, logEvents }));
  };
  const denied = { name: "AccessDeniedException" };
  await expect(write("shared", "a")).rejects.toMatchObject(denied);
  await put("one", allow("writer"));
  await put("two", allow("someone"));
  await write("shared", "a");
  await expect(write("other", "a")).rejects.toMatchObject(denied);
  await put("two", allow("writer", "Deny"));
  await expect(write("shared", "b")).rejects.toMatchObject(denied);

  const page = await logs.send(new DescribeResourcePoliciesCommand({ limit: 1 }));
  expect(page.resourcePolicies).toEqual([
    {
      policyName: "one",
      policyDocument: allow("writer"),
      lastUpdatedTime: expect.any(Number),
      policyScope: "ACCOUNT",
    },
  ]);
  const rest = await logs.send(new DescribeResourcePoliciesCommand({ nextToken: page.nextToken }));
  expect(rest.resourcePolicies?.map(({ policyName }) => policyName)).toEqual(["two"]);
  for (const policyName of ["one", "two"]) await logs.send(new DeleteResourcePolicyCommand({ policyName }));
  await expect(write("shared", "b")).rejects.toMatchObject(denied);
  await expect(logs.send(new DeleteResourcePolicyCommand({ policyName: "one" }))).rejects.toMatchObject({
    name: "ResourceNotFoundException",
    message: "Policy with name [one] does not exist",
  });
});

test("PutResourcePolicy refuses what is no policy, an eleventh one, and policies of single groups", async () => {
  for (const document of ["no", "{}", '{"Statement":[]}']) {
    await expect(put("bad", document)).rejects.toMatchObject({ name: "InvalidParameterException" });
  }
  for (let each = 0; each < 10; each += 1) await put(`p${each}`, allow("writer"));
  await expect(put("p10", allow("writer"))).rejects.toMatchObject({ name: "LimitExceededException" });
  await put("p9", allow("writer"));
  const resourceArn = "arn:aws:logs:us-east-1:000000000000:log-group:shared";
  await expect(
    logs.send(new PutResourcePolicyCommand({ resourceArn, policyDocument: allow("writer") })),
  ).rejects.toMatchObject({ name: "NotImplemented", message: expect.stringContaining("resourceArn") });
});
