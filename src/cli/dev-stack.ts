import type { StackResourceSummary } from "@aws-sdk/client-cloudformation";
import { setTimeout as delay } from "node:timers/promises";
import type { Connection } from "./connection.ts";

/** What a stack's functions and addresses are called in the running platform. */
export interface DevStack {
  /** Function names by logical id. */
  readonly functions: ReadonlyMap<string, string>;
  /** The ids of APIs and function URLs. */
  readonly ids: ReadonlySet<string>;
}

export async function readDevStack(connection: Connection, stackName: string): Promise<DevStack> {
  const { CloudFormationClient, paginateListStackResources } = await import("@aws-sdk/client-cloudformation");
  const client = new CloudFormationClient(connection);
  const functions = new Map<string, string>();
  const ids = new Set<string>();
  const resources: StackResourceSummary[] = [];
  for await (const page of paginateListStackResources({ client }, { StackName: stackName })) {
    resources.push(...(page.StackResourceSummaries ?? []));
  }
  for (const { ResourceType: type = "", LogicalResourceId = "", PhysicalResourceId = "" } of resources) {
    if (PhysicalResourceId === "") continue;
    if (type === "AWS::Lambda::Function") functions.set(LogicalResourceId, PhysicalResourceId);
    else if (/^AWS::ApiGateway(V2::Api|::RestApi)$/.test(type)) ids.add(PhysicalResourceId);
    else if (type === "AWS::Lambda::Url") ids.add(await urlId(connection, PhysicalResourceId));
  }
  return { functions, ids };
}

async function urlId(connection: Connection, functionArn: string): Promise<string> {
  const { LambdaClient, GetFunctionUrlConfigCommand } = await import("@aws-sdk/client-lambda");
  const [, , , , , , name = "", qualifier] = functionArn.split(":");
  const answer = await new LambdaClient(connection).send(
    new GetFunctionUrlConfigCommand({ FunctionName: name, Qualifier: qualifier }),
  );
  return new URL(answer.FunctionUrl ?? "http://none").hostname.split(".")[0] ?? "";
}

/** A stack whose creation failed cannot be updated: it is deleted, to be created again. */
export async function clearFailedStack(connection: Connection, stackName: string): Promise<void> {
  const sdk = await import("@aws-sdk/client-cloudformation");
  const client = new sdk.CloudFormationClient(connection);
  const status = async () => {
    const answer = await client.send(new sdk.DescribeStacksCommand({ StackName: stackName })).catch(() => undefined);
    return answer?.Stacks?.[0]?.StackStatus;
  };
  if (!/^(ROLLBACK_COMPLETE|ROLLBACK_FAILED|CREATE_FAILED)$/.test((await status()) ?? "")) return;
  await client.send(new sdk.DeleteStackCommand({ StackName: stackName }));
  while ((await status()) === "DELETE_IN_PROGRESS") await delay(100);
}
