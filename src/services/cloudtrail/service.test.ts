import { CloudTrailClient, LookupEventsCommand, type LookupEventsCommandInput } from "@aws-sdk/client-cloudtrail";
import * as iamSdk from "@aws-sdk/client-iam";
import { DescribeTrailsCommand } from "@aws-sdk/client-cloudtrail";
import { GetObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type AccessTest,
  account,
  lambdaTrust,
  policy,
  refusal,
  roleArn,
  startAccessTest,
  statement,
  trust,
} from "../../testing/access.ts";

let access: AccessTest;
let trail: CloudTrailClient;

beforeAll(async () => {
  access = await startAccessTest({ durable: true });
  trail = new CloudTrailClient(access.platform.settings);
});
afterAll(() => access.stop());

async function lookUp(key?: string, value = "", more: LookupEventsCommandInput = {}) {
  const LookupAttributes =
    key === undefined ? undefined : [{ AttributeKey: key as "EventName", AttributeValue: value }];
  const { Events = [], NextToken } = await trail.send(new LookupEventsCommand({ LookupAttributes, ...more }));
  const events = Events.map((event) =>
    Object.assign(event, { record: JSON.parse(event.CloudTrailEvent ?? "{}") as object }),
  );
  return { events, NextToken };
}

describe("LookupEvents", () => {
  test("tells a call that changed something: who, what, from where, and what came of it", async () => {
    await access.iam.send(
      new iamSdk.CreateRoleCommand({ RoleName: "audited", AssumeRolePolicyDocument: lambdaTrust, Description: "x" }),
    );
    const { events } = await lookUp("ResourceName", "audited");
    expect(events).toHaveLength(1);
    expect(events[0]).toMatchObject({
      EventName: "CreateRole",
      ReadOnly: "false",
      EventSource: "iam.amazonaws.com",
      Username: "root",
      AccessKeyId: access.platform.settings.credentials.accessKeyId,
      Resources: [{ ResourceType: "AWS::IAM::Role", ResourceName: "audited" }],
      record: {
        eventVersion: "1.11",
        userIdentity: { type: "Root", principalId: account, arn: `arn:aws:iam::${account}:root`, accountId: account },
        eventSource: "iam.amazonaws.com",
        eventName: "CreateRole",
        awsRegion: "us-east-1",
        sourceIPAddress: "127.0.0.1",
        requestParameters: { roleName: "audited", description: "x" },
        responseElements: { role: { arn: roleArn("audited") } },
        readOnly: false,
        eventType: "AwsApiCall",
        managementEvent: true,
        recipientAccountId: account,
        eventCategory: "Management",
      },
    });
  });

  test("tells a refused call with its error, and a role's session with its role", async () => {
    const keys = await access.createUser("watched", policy(statement("sts:AssumeRole")));
    await access.iam.send(
      new iamSdk.CreateRoleCommand({
        RoleName: "session",
        AssumeRolePolicyDocument: trust({ AWS: `arn:aws:iam::${account}:user/watched` }),
      }),
    );
    const session = await access.assume(keys, roleArn("session"));
    expect(await refusal(access.iamAs(session).send(new iamSdk.ListUsersCommand({})))).toMatchObject({ status: 403 });
    const { events } = await lookUp("AccessKeyId", session.accessKeyId);
    expect(events).toMatchObject([
      {
        EventName: "ListUsers",
        ReadOnly: "true",
        Username: "session",
        record: {
          errorCode: "AccessDenied",
          responseElements: null,
          userIdentity: {
            type: "AssumedRole",
            sessionContext: {
              sessionIssuer: { arn: roleArn("session"), userName: "session" },
              attributes: { mfaAuthenticated: "false" },
            },
          },
        },
      },
    ]);
  });

  test("tells no secrets", async () => {
    const password = "Secret-Password-123";
    await access.iam.send(new iamSdk.CreateLoginProfileCommand({ UserName: "watched", Password: password }));
    const { AccessKey } = await access.iam.send(new iamSdk.CreateAccessKeyCommand({ UserName: "watched" }));
    const session = await access.assume(
      { accessKeyId: AccessKey?.AccessKeyId ?? "", secretAccessKey: AccessKey?.SecretAccessKey ?? "" },
      roleArn("session"),
    );
    const all = JSON.stringify((await lookUp()).events);
    expect(all).toContain("HIDDEN_DUE_TO_SECURITY_REASONS");
    expect(all).toContain(AccessKey?.AccessKeyId);
    for (const secret of [password, AccessKey?.SecretAccessKey, session.secretAccessKey, session.sessionToken]) {
      expect(secret).toBeTruthy();
      expect(all).not.toContain(secret);
    }
  });

  test("has no calls about what resources hold", async () => {
    const s3 = new S3Client({ ...access.platform.settings, forcePathStyle: true });
    await refusal(s3.send(new GetObjectCommand({ Bucket: "none", Key: "k" })));
    expect((await lookUp("EventName", "GetObject")).events).toEqual([]);
  });

  test("pages to the end, newest first, and a token is for the same question only", async () => {
    const times: number[] = [];
    let NextToken: string | undefined;
    do {
      const page = await lookUp("EventSource", "iam.amazonaws.com", { MaxResults: 3, ...(NextToken && { NextToken }) });
      times.push(...page.events.map(({ EventTime }) => EventTime?.getTime() ?? 0));
      ({ NextToken } = page);
    } while (NextToken !== undefined);
    expect(times.length).toBeGreaterThan(5);
    expect(times).toEqual(times.toSorted((a, b) => b - a));
    const first = await lookUp(undefined, "", { MaxResults: 1 });
    expect(await refusal(lookUp("EventName", "CreateRole", { NextToken: first.NextToken ?? "" }))).toMatchObject({
      name: "InvalidNextTokenException",
    });
  });

  test("looks within a time", async () => {
    const past = new Date(Date.now() - 3_600_000);
    expect((await lookUp("EventName", "CreateRole", { EndTime: past })).events).toEqual([]);
    expect((await lookUp("EventName", "CreateRole", { StartTime: past })).events.length).toBeGreaterThan(0);
  });

  test.each<[LookupEventsCommandInput, string]>([
    [{ StartTime: new Date(2e12), EndTime: new Date(1e12) }, "InvalidTimeRangeException"],
    [{ NextToken: "abc" }, "InvalidNextTokenException"],
    [{ EventCategory: "insight" }, "NotImplemented"],
    [{ LookupAttributes: [{ AttributeKey: "ReadOnly", AttributeValue: "maybe" }] }, "InvalidLookupAttributesException"],
    [
      {
        LookupAttributes: [
          { AttributeKey: "EventName", AttributeValue: "a" },
          { AttributeKey: "EventId", AttributeValue: "b" },
        ],
      },
      "InvalidLookupAttributesException",
    ],
  ])("refuses %j", async (input, code) => {
    expect(await refusal(trail.send(new LookupEventsCommand(input)))).toMatchObject({ name: code });
  });

  test("needs permission, and other operations of the service are not built", async () => {
    const keys = await access.createUser("unaudited");
    const other = new CloudTrailClient({ ...access.platform.settings, credentials: keys });
    expect(await refusal(other.send(new LookupEventsCommand({})))).toMatchObject({ name: "AccessDeniedException" });
    expect(await refusal(trail.send(new DescribeTrailsCommand({})))).toMatchObject({ name: "NotImplemented" });
  });

  test("knows what was called before a restart", async () => {
    const before = await lookUp("EventName", "CreateRole");
    await access.platform.restart();
    expect((await lookUp("EventName", "CreateRole")).events).toEqual(before.events);
  });
});
