import * as sdk from "@aws-sdk/client-cognito-identity-provider";
import { CloudWatchLogsClient, GetLogEventsCommand } from "@aws-sdk/client-cloudwatch-logs";
import { CreateRoleCommand, IAMClient, PutRolePolicyCommand } from "@aws-sdk/client-iam";
import { afterAll, beforeAll, expect, test } from "vitest";
import { policy, roleArn, statement } from "../../../testing/access.ts";
import { createFakeClock, startTestPlatform, type TestPlatform } from "../../../testing/platform.ts";
import { poolsOf } from "../../../testing/user-pools.ts";

let platform: TestPlatform;
let pools: ReturnType<typeof poolsOf>;
let poolId: string;
let columns: readonly string[];

beforeAll(async () => {
  platform = await startTestPlatform();
  pools = poolsOf(platform);
  poolId = await pools.createPool({
    AutoVerifiedAttributes: ["email"],
    Schema: [{ Name: "tenant", AttributeDataType: "String", StringAttributeConstraints: { MaxLength: "5" } }],
  });
  const iam = new IAMClient(platform.settings);
  const trust = { Effect: "Allow", Principal: { Service: "cognito-idp.amazonaws.com" }, Action: "sts:AssumeRole" };
  for (const RoleName of ["logger", "mute"]) {
    await iam.send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: policy(trust) }));
  }
  const logs = statement(["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"], "*");
  await iam.send(new PutRolePolicyCommand({ RoleName: "logger", PolicyName: "logs", PolicyDocument: policy(logs) }));
  const header = await pools.cognito.send(new sdk.GetCSVHeaderCommand({ UserPoolId: poolId }));
  columns = header.CSVHeader ?? [];
});
afterAll(() => platform.stop());

const line = (values: Readonly<Record<string, string>>) => columns.map((name) => values[name] ?? "").join(",");

const userOf = (name: string, more: Readonly<Record<string, string>> = {}) =>
  line({
    "cognito:username": name,
    "cognito:mfa_enabled": "FALSE",
    email: `${name}@example.com`,
    email_verified: "TRUE",
    ...more,
  });

async function createJob(role = "logger"): Promise<{ readonly JobId: string; readonly url: string }> {
  const { UserImportJob: job } = await pools.cognito.send(
    new sdk.CreateUserImportJobCommand({
      UserPoolId: poolId,
      JobName: "people",
      CloudWatchLogsRoleArn: roleArn(role),
    }),
  );
  expect(job).toMatchObject({ Status: "Created", JobName: "people", ImportedUsers: 0 });
  return { JobId: job?.JobId ?? "", url: job?.PreSignedUrl ?? "" };
}

// As the developer guide has curl do it.
const upload = async (url: string, lines: readonly string[]) =>
  (
    await fetch(url, {
      method: "PUT",
      headers: { "x-amz-server-side-encryption": "aws:kms" },
      body: `${lines.join("\n")}\n`,
    })
  ).status;

const start = (JobId: string) => pools.cognito.send(new sdk.StartUserImportJobCommand({ UserPoolId: poolId, JobId }));

async function runToEnd(JobId: string): Promise<sdk.UserImportJobType> {
  expect((await start(JobId)).UserImportJob?.Status).toBe("Pending");
  await platform.platform.jobs.drain();
  const { UserImportJob } = await pools.cognito.send(
    new sdk.DescribeUserImportJobCommand({ UserPoolId: poolId, JobId }),
  );
  return UserImportJob ?? {};
}

test("a file is put at the address and makes users, who set a password first; the log tells of each line", async () => {
  expect(columns.slice(-3)).toEqual(["custom:tenant", "cognito:mfa_enabled", "cognito:username"]);
  const { JobId, url } = await createJob();
  await expect(start(JobId)).rejects.toMatchObject({ name: "PreconditionNotMetException" });
  const people = Array.from({ length: 60 }, (_, at) => userOf(`person${at}`));
  const lines = [
    columns.join(","),
    userOf("ann", { address: "1 Street\\, Town" }),
    userOf("ann"),
    userOf("bob", { email_verified: "FALSE" }),
    userOf("eve", { "custom:tenant": "much too long" }),
    "one,two",
    ...people,
  ];
  expect(await upload(url, lines)).toBe(200);
  expect(await runToEnd(JobId)).toMatchObject({
    Status: "Succeeded",
    ImportedUsers: 61,
    SkippedUsers: 1,
    FailedUsers: 3,
    CompletionDate: expect.any(Date),
  });
  const ann = await pools.cognito.send(new sdk.AdminGetUserCommand({ UserPoolId: poolId, Username: "ann" }));
  expect(ann.UserStatus).toBe("RESET_REQUIRED");
  expect(ann.UserAttributes).toContainEqual({ Name: "address", Value: "1 Street, Town" });

  const { events } = await new CloudWatchLogsClient(platform.settings).send(
    new GetLogEventsCommand({
      logGroupName: `/aws/cognito/userpools/${poolId}/pool`,
      logStreamName: `${JobId}/people`,
      startFromHead: true,
    }),
  );
  expect(events?.map(({ message }) => message).slice(0, 5)).toEqual([
    "[SUCCEEDED] Line Number 2 - The import succeeded.",
    "[SKIPPED] Line Number 3 - The user already exists.",
    expect.stringContaining(
      "[FAILED] Line Number 4 - The User Record does not set any of the auto verified attributes",
    ),
    expect.stringContaining("[FAILED] Line Number 5"),
    expect.stringContaining("[FAILED] Line Number 6"),
  ]);
  expect(JSON.stringify(events)).not.toContain("example.com");

  // Whoever was imported gets a code and sets a password.
  const { id: ClientId } = await pools.createClient(poolId, { ExplicitAuthFlows: ["ALLOW_USER_PASSWORD_AUTH"] });
  const signIn = (PASSWORD: string) =>
    pools.cognito.send(
      new sdk.InitiateAuthCommand({
        ClientId,
        AuthFlow: "USER_PASSWORD_AUTH",
        AuthParameters: { USERNAME: "ann", PASSWORD },
      }),
    );
  await expect(signIn("Correct-Horse-1")).rejects.toMatchObject({ name: "PasswordResetRequiredException" });
  await pools.cognito.send(new sdk.ForgotPasswordCommand({ ClientId, Username: "ann" }));
  const ConfirmationCode = await pools.lastCode("ann@example.com");
  await pools.cognito.send(
    new sdk.ConfirmForgotPasswordCommand({ ClientId, Username: "ann", ConfirmationCode, Password: "Correct-Horse-1" }),
  );
  expect((await signIn("Correct-Horse-1")).AuthenticationResult).toBeDefined();

  await expect(start(JobId)).rejects.toMatchObject({ name: "PreconditionNotMetException" });
  expect(await upload(url, lines)).toBe(409);
  const listed = await pools.cognito.send(new sdk.ListUserImportJobsCommand({ UserPoolId: poolId, MaxResults: 10 }));
  expect(listed.UserImportJobs).toMatchObject([{ JobId }]);
}, 30_000);

test("a header that is not the pool's, and a role that may not log, fail the job", async () => {
  const wrong = await createJob();
  expect(await upload(wrong.url, ["a,b", "1,2"])).toBe(200);
  expect(await runToEnd(wrong.JobId)).toMatchObject({ Status: "Failed", ImportedUsers: 0 });
  const mute = await createJob("mute");
  expect(await upload(mute.url, [columns.join(","), userOf("never")])).toBe(200);
  expect(await runToEnd(mute.JobId)).toMatchObject({ Status: "Failed", ImportedUsers: 0 });
  const never = pools.cognito.send(new sdk.AdminGetUserCommand({ UserPoolId: poolId, Username: "never" }));
  await expect(never).rejects.toMatchObject({ name: "UserNotFoundException" });
});

test("a job that was stopped ends so, and one that does not run is not stopped", async () => {
  const { JobId, url } = await createJob();
  const stop = () => pools.cognito.send(new sdk.StopUserImportJobCommand({ UserPoolId: poolId, JobId }));
  await expect(stop()).rejects.toMatchObject({ name: "PreconditionNotMetException" });
  expect(await upload(url, [columns.join(","), userOf("late")])).toBe(200);
  await start(JobId);
  const stopped = await stop().catch((error: Error) => error.name);
  // It may have ended before it was stopped.
  if (stopped !== "PreconditionNotMetException") {
    await platform.platform.jobs.drain();
    const { UserImportJob: job } = await pools.cognito.send(
      new sdk.DescribeUserImportJobCommand({ UserPoolId: poolId, JobId }),
    );
    expect(job).toMatchObject({ Status: "Stopped", CompletionMessage: "The Import Job was stopped by the developer." });
  }
});

test.each([
  ["an address that was made up", (url: string) => `${url.slice(0, -4)}AAAA`],
  ["an address without its secret", (url: string) => url.replace(/\/[^/]*$/, "/")],
])("%s takes no file", async (_what, change) => {
  const { url } = await createJob();
  expect(await upload(change(url), ["a"])).toBe(403);
  expect((await fetch(url)).status).toBe(405);
  expect(await upload(url, [])).toBe(200);
});

test("hashes of passwords are refused by name", async () => {
  const job = { UserPoolId: poolId, JobName: "p", CloudWatchLogsRoleArn: roleArn("logger") };
  await expect(
    pools.cognito.send(new sdk.CreateUserImportJobCommand({ ...job, PasswordHashingAlgorithm: "BCRYPT" })),
  ).rejects.toThrow("PasswordHashingAlgorithm");
});

const personOf = (name: string): Readonly<Record<string, string>> => ({
  "cognito:username": name,
  email: `${name}@example.com`,
  email_verified: "true",
});

test("an import goes on after a restart, and makes each user once", async () => {
  const clock = createFakeClock(Date.now());
  const durable = await startTestPlatform({ durable: true, clock });
  try {
    const own = poolsOf(durable);
    const UserPoolId = await own.createPool({ AutoVerifiedAttributes: ["email"] });
    const iam = new IAMClient(durable.settings);
    const trust = { Effect: "Allow", Principal: { Service: "cognito-idp.amazonaws.com" }, Action: "sts:AssumeRole" };
    await iam.send(new CreateRoleCommand({ RoleName: "logger", AssumeRolePolicyDocument: policy(trust) }));
    const PolicyDocument = policy(statement(["logs:*"], "*"));
    await iam.send(new PutRolePolicyCommand({ RoleName: "logger", PolicyName: "logs", PolicyDocument }));
    const { CSVHeader: header = [] } = await own.cognito.send(new sdk.GetCSVHeaderCommand({ UserPoolId }));
    const people = Array.from({ length: 170 }, (_, at) =>
      header.map((each) => personOf(`p${at}`)[each] ?? "").join(","),
    );
    const { UserImportJob: job } = await own.cognito.send(
      new sdk.CreateUserImportJobCommand({ UserPoolId, JobName: "p", CloudWatchLogsRoleArn: roleArn("logger") }),
    );
    const JobId = job?.JobId;
    expect(await upload(job?.PreSignedUrl ?? "", [header.join(","), ...people])).toBe(200);
    await own.cognito.send(new sdk.StartUserImportJobCommand({ UserPoolId, JobId }));
    await durable.restart();
    // Whoever ran it before is gone: its lease ends.
    clock.advance(60_000);
    await durable.platform.jobs.drain();
    const { UserImportJob: ended } = await own.cognito.send(
      new sdk.DescribeUserImportJobCommand({ UserPoolId, JobId }),
    );
    expect(ended).toMatchObject({ Status: "Succeeded", ImportedUsers: 170, SkippedUsers: 0, FailedUsers: 0 });
    const { UserPool } = await own.cognito.send(new sdk.DescribeUserPoolCommand({ UserPoolId }));
    expect(UserPool?.EstimatedNumberOfUsers).toBe(170);
  } finally {
    await durable.stop();
  }
}, 60_000);
