import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestPlatform, type TestPlatform } from "../../src/testing/platform.ts";
import { runTool, tools } from "../../src/testing/tools.ts";

let platform: TestPlatform;
let folder: string;

beforeAll(async () => {
  platform = await startTestPlatform();
  folder = await mkdtemp(join(tmpdir(), "cumulet-presign-"));
});
afterAll(async () => {
  await platform.stop();
  await rm(folder, { recursive: true });
});

async function presign(): Promise<string> {
  const { accessKeyId, secretAccessKey } = platform.settings.credentials;
  const result = await runTool(
    tools.awsV1 ?? "",
    ["s3", "presign", "s3://bucket/key", "--endpoint-url", platform.endpoint],
    {
      cwd: folder,
      env: {
        HOME: folder,
        AWS_DEFAULT_REGION: "us-east-1",
        AWS_ACCESS_KEY_ID: accessKeyId,
        AWS_SECRET_ACCESS_KEY: secretAccessKey,
      },
    },
  );
  expect(`${result.status} ${result.stderr}`).toMatch(/^0 /);
  return result.stdout.trim();
}

test.skipIf(!tools.awsV1)(
  "a URL that version 1 of the AWS CLI presigned with Signature Version 2 is refused",
  async () => {
    const url = await presign();
    expect(url).toContain("AWSAccessKeyId=");
    const answer = await fetch(url);
    const body = await answer.text();
    expect(answer.status).toBe(400);
    expect(body).toContain("<Code>InvalidRequest</Code>");
    expect(body).toContain(
      "<Message>The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.</Message>",
    );
  },
);
