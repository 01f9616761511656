import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startFakePlatform, type FakePlatform } from "./fake-platform.ts";

/** The clients that people have: AWS CLI v2, and boto3 from the project's virtual environment. */
const run = promisify(execFile);
const cli = ["/usr/bin/aws", "/usr/local/bin/aws"].find((path) => existsSync(path));
const python = join(import.meta.dirname, "../../.venv/bin/python");

let platform: FakePlatform;
const received: Record<string, unknown>[] = [];

beforeAll(async () => {
  platform = await startFakePlatform({
    iam: {
      CreateRole: (input) => {
        received.push(input);
        return { Role: { RoleName: "r", Path: "/", RoleId: "AROA", Arn: "arn", CreateDate: new Date(0) } };
      },
    },
    logs: { DescribeLogGroups: () => ({ logGroups: [{ logGroupName: "g", creationTime: 5 }] }) },
    lambda: { Invoke: () => ({ StatusCode: 200, Payload: Buffer.from('{"a":1}') }) },
    s3: {
      ListObjectsV2: () => ({ Name: "b", Contents: [{ Key: "k", Size: 1, LastModified: new Date(0) }], KeyCount: 1 }),
    },
  });
});

afterAll(() => platform.stop());

const environment = () => ({
  PATH: process.env["PATH"] ?? "",
  HOME: "/nonexistent",
  AWS_ENDPOINT_URL: platform.endpoint,
  AWS_REGION: "eu-west-1",
  AWS_DEFAULT_REGION: "eu-west-1",
  AWS_ACCESS_KEY_ID: "AKIA",
  AWS_SECRET_ACCESS_KEY: "s",
  AWS_EC2_METADATA_DISABLED: "true",
});

async function aws(...words: string[]): Promise<unknown> {
  const { stdout } = await run(cli ?? "aws", ["--endpoint-url", platform.endpoint, "--output", "json", ...words], {
    env: environment(),
  });
  return JSON.parse(stdout);
}

describe.skipIf(cli === undefined)("AWS CLI v2 (skipped where it is not installed)", () => {
  test("query, JSON and XML answers are read", { timeout: 90_000 }, async () => {
    expect(
      await aws(
        "iam",
        "create-role",
        "--role-name",
        "r",
        "--assume-role-policy-document",
        "{}",
        "--tags",
        "Key=a,Value=b",
      ),
    ).toMatchObject({ Role: { RoleName: "r" } });
    expect(received.at(-1)).toEqual({
      RoleName: "r",
      AssumeRolePolicyDocument: "{}",
      Tags: [{ Key: "a", Value: "b" }],
    });
    expect(await aws("logs", "describe-log-groups")).toEqual({ logGroups: [{ logGroupName: "g", creationTime: 5 }] });
    expect(await aws("s3api", "list-objects-v2", "--bucket", "b")).toMatchObject({ Contents: [{ Key: "k", Size: 1 }] });
  });
});

describe.skipIf(!existsSync(python))("boto3 (skipped without the project's .venv)", () => {
  test("all protocols are read", { timeout: 90_000 }, async () => {
    const script = [
      "import boto3, json",
      "client = lambda name: boto3.client(name)",
      "print(json.dumps([",
      "  client('iam').create_role(RoleName='r', AssumeRolePolicyDocument='{}')['Role']['RoleId'],",
      "  client('logs').describe_log_groups()['logGroups'][0]['logGroupName'],",
      "  client('lambda').invoke(FunctionName='f', Payload=b'{}')['Payload'].read().decode(),",
      "  client('s3').list_objects_v2(Bucket='b')['Contents'][0]['Key'],",
      "]))",
    ].join("\n");
    const { stdout } = await run(python, ["-c", script], { env: environment() });
    expect(JSON.parse(stdout)).toEqual(["AROA", "g", '{"a":1}', "k"]);
  });
});
