import * as sdk from "@aws-sdk/client-iam";
import { AssumeRoleCommand, STSClient } from "@aws-sdk/client-sts";
import { startTestPlatform, type TestPlatform, type TestPlatformOptions } from "./platform.ts";

/** The account of test platforms. */
export const account = "000000000000";

export interface Keys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/** A platform with what tests of identities need. */
export interface AccessTest {
  readonly platform: TestPlatform;
  /** As the root. */
  readonly iam: sdk.IAMClient;
  iamAs(keys: Keys): sdk.IAMClient;
  stsAs(keys: Keys): STSClient;
  /** A user with an access key and, where given, an inline policy. */
  createUser(name: string, document?: string): Promise<Keys>;
  /** Take on a role. `more` are further members of AssumeRole. */
  assume(as: Keys, roleArn: string, more?: object): Promise<Keys>;
  stop(): Promise<void>;
}

export async function startAccessTest(options: TestPlatformOptions = {}): Promise<AccessTest> {
  const platform = await startTestPlatform(options);
  const iam = new sdk.IAMClient(platform.settings);
  const stsAs = (credentials: Keys) => new STSClient({ ...platform.settings, credentials });
  return {
    platform,
    iam,
    iamAs: (credentials) => new sdk.IAMClient({ ...platform.settings, credentials }),
    stsAs,
    createUser: async (UserName, document) => {
      await iam.send(new sdk.CreateUserCommand({ UserName }));
      if (document !== undefined) {
        await iam.send(new sdk.PutUserPolicyCommand({ UserName, PolicyName: "p", PolicyDocument: document }));
      }
      const { AccessKey } = await iam.send(new sdk.CreateAccessKeyCommand({ UserName }));
      return { accessKeyId: AccessKey?.AccessKeyId ?? "", secretAccessKey: AccessKey?.SecretAccessKey ?? "" };
    },
    assume: async (as, RoleArn, more = {}) => {
      const { Credentials } = await stsAs(as).send(
        new AssumeRoleCommand({ RoleArn, RoleSessionName: "session", ...more }),
      );
      return {
        accessKeyId: Credentials?.AccessKeyId ?? "",
        secretAccessKey: Credentials?.SecretAccessKey ?? "",
        sessionToken: Credentials?.SessionToken ?? "",
      };
    },
    stop: () => platform.stop(),
  };
}

export function roleArn(name: string): string {
  return `arn:aws:iam::${account}:role/${name}`;
}

export function statement(action: string | readonly string[], resource: string | readonly string[] = "*") {
  return { Effect: "Allow", Action: action, Resource: resource };
}

/** A policy document. */
export function policy(...statements: readonly object[]): string {
  return JSON.stringify({ Version: "2012-10-17", Statement: statements });
}

/** A trust policy. */
export function trust(principal: unknown, more: object = {}): string {
  return policy({ Effect: "Allow", Principal: principal, Action: "sts:AssumeRole", ...more });
}

export const lambdaTrust = trust({ Service: "lambda.amazonaws.com" });

/** What a refused call was told; throws when it was not refused. */
export async function refusal(
  sent: Promise<unknown>,
): Promise<{ name: string; message: string; status: number | undefined }> {
  try {
    await sent;
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const { httpStatusCode } = (error as Error & { $metadata?: { httpStatusCode?: number } }).$metadata ?? {};
    return { name: error.name, message: error.message, status: httpStatusCode };
  }
  throw new Error("It was not refused");
}
