import { CreateAccessKeyCommand, CreateUserCommand, IAMClient, PutUserPolicyCommand } from "@aws-sdk/client-iam";
import { S3, S3ServiceException } from "@aws-sdk/client-s3";
import type { TestPlatform } from "./platform.ts";

/** An S3 client of the platform, as root. */
export function s3Client(platform: TestPlatform, settings: Partial<TestPlatform["settings"]> = {}): S3 {
  return new S3({ ...platform.settings, forcePathStyle: true, ...settings });
}

/** What a call is refused with: `404 NoSuchKey: The specified key does not exist.` */
export async function refusalOf(call: Promise<unknown>): Promise<string> {
  try {
    await call;
  } catch (error) {
    if (!(error instanceof S3ServiceException)) throw error;
    return `${error.$metadata.httpStatusCode} ${error.name}: ${error.message}`;
  }
  throw new Error("The call was not refused");
}

/** An S3 client of a new user who may do what the policy says, and nothing else. */
export async function userClient(platform: TestPlatform, name: string, statements: readonly object[]): Promise<S3> {
  const iam = new IAMClient(platform.settings);
  await iam.send(new CreateUserCommand({ UserName: name }));
  if (statements.length > 0) {
    const PolicyDocument = JSON.stringify({ Version: "2012-10-17", Statement: statements });
    await iam.send(new PutUserPolicyCommand({ UserName: name, PolicyName: "s3", PolicyDocument }));
  }
  const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName: name }));
  return s3Client(platform, {
    credentials: {
      accessKeyId: AccessKey?.AccessKeyId ?? "",
      secretAccessKey: AccessKey?.SecretAccessKey ?? "",
    },
  });
}
