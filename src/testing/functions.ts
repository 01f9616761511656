import {
  CreateFunctionCommand,
  LambdaClient,
  waitUntilFunctionActiveV2,
  type CreateFunctionCommandInput,
} from "@aws-sdk/client-lambda";
import { CreateRoleCommand, IAMClient, PutRolePolicyCommand } from "@aws-sdk/client-iam";
import { strToU8, zipSync } from "fflate";

/** A function's package: the same bytes whenever it is made. */
export function zipOf(files: Readonly<Record<string, string>>): Uint8Array {
  const entries = Object.entries(files).map(([name, text]) => [name, strToU8(text)]);
  return zipSync(Object.fromEntries(entries), { mtime: new Date(2020, 0, 1) });
}

export interface ClientSettings {
  readonly endpoint: string;
  readonly region: string;
  readonly credentials: {
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
    readonly sessionToken?: string;
  };
  readonly maxAttempts: number;
}

/** What an SDK client needs to know of a server, from the variables that `cumulet env` prints. */
export function clientSettings(environment: Readonly<Record<string, string>>): ClientSettings {
  return {
    endpoint: environment["AWS_ENDPOINT_URL"] ?? "",
    region: environment["AWS_REGION"] ?? "",
    credentials: {
      accessKeyId: environment["AWS_ACCESS_KEY_ID"] ?? "",
      secretAccessKey: environment["AWS_SECRET_ACCESS_KEY"] ?? "",
    },
    maxAttempts: 1,
  };
}

/** A role that Lambda may assume, allowed what the statements say; its ARN. */
export async function createFunctionRole(
  settings: ClientSettings,
  name: string,
  statements: readonly object[] = [],
): Promise<string> {
  const iam = new IAMClient(settings);
  const trust = { Effect: "Allow", Principal: { Service: "lambda.amazonaws.com" }, Action: "sts:AssumeRole" };
  const AssumeRolePolicyDocument = JSON.stringify({ Version: "2012-10-17", Statement: [trust] });
  const { Role } = await iam.send(new CreateRoleCommand({ RoleName: name, AssumeRolePolicyDocument }));
  if (statements.length > 0) {
    const PolicyDocument = JSON.stringify({ Version: "2012-10-17", Statement: statements });
    await iam.send(new PutRolePolicyCommand({ RoleName: name, PolicyName: "inline", PolicyDocument }));
  }
  return Role?.Arn ?? "";
}

/** Creates a Node.js function `index.handler` and waits until it is active. */
export async function createNodeFunction(
  settings: ClientSettings,
  more: Pick<CreateFunctionCommandInput, "FunctionName" | "Role"> &
    Partial<CreateFunctionCommandInput> & { source: string },
): Promise<void> {
  const { source, ...given } = more;
  const lambda = new LambdaClient(settings);
  await lambda.send(
    new CreateFunctionCommand({
      Runtime: "nodejs24.x",
      Handler: "index.handler",
      Code: { ZipFile: zipOf({ "index.mjs": source }) },
      ...given,
    }),
  );
  await waitUntilFunctionActiveV2(
    { client: lambda, maxWaitTime: 20, minDelay: 0.05 },
    { FunctionName: given.FunctionName },
  );
}
