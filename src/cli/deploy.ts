import { basename, resolve } from "node:path";
import { parseArgs } from "node:util";
import type { CloudFormationClient, DescribeStacksCommandOutput, StackEvent } from "@aws-sdk/client-cloudformation";
import { setTimeout as delay } from "node:timers/promises";
import { printAddresses } from "./addresses.ts";
import { packageTemplate } from "./artifacts.ts";
import { CommandError, type Command } from "./command.ts";
import { connectionOptions, openConnection, type Connection } from "./connection.ts";
import { createProgress, type Progress } from "./progress.ts";
import { refuseOtherOrigin, withOrigin } from "./stack-origin.ts";

const pollMs = 100;

export const deployCommand: Command = {
  name: "deploy",
  usage: "deploy [FOLDER|TEMPLATE] [--stack NAME] [--parameter KEY=VALUE]… [--port PORT] [--data DIR]",
  summary: "deploys an app folder or a template and prints its addresses",
  help: "FOLDER (the current one by default) holds a template.yaml, template.yml or template.json, or what 'sam build' made of it (.aws-sam/build).\nLocal code folders that the template names are packed and uploaded first. The stack is named after the folder unless --stack says otherwise; one that was deployed from another folder is replaced with --stack only.",
  async run(argv, output) {
    const { values, positionals } = parseArgs({
      args: [...argv],
      options: { ...connectionOptions, stack: { type: "string" }, parameter: { type: "string", multiple: true } },
      allowPositionals: true,
    });
    const connection = await openConnection(values);
    const progress = createProgress(output);
    const folder = resolve(positionals[0] ?? ".");
    const stackName = values.stack ?? stackNameOf(folder);
    if (values.stack === undefined) await refuseOtherOrigin(connection, stackName, folder);
    const template = withOrigin(await packageTemplate(folder, connection, progress), folder);
    const parameters = (values.parameter ?? []).map(parseParameter);
    const outcome = await deployStack({ connection, stackName, template, parameters, progress });
    progress.end();
    output.err(outcome.changed ? `Stack ${stackName} is deployed.` : `Stack ${stackName} is up to date.`);
    for (const entry of outcome.stack?.Outputs ?? []) output.out(`${entry.OutputKey}: ${entry.OutputValue}`);
    await printAddresses(connection, stackName, output);
    return 0;
  },
};

/** The stack of an app that is not given a name. */
export function stackNameOf(folder: string): string {
  const name = basename(folder.replace(/[\\/]template\.(ya?ml|json)$/, ""))
    .replaceAll(/[^A-Za-z0-9-]+/g, "-")
    .replace(/^[^A-Za-z]+/, "");
  return name === "" ? "app" : name.slice(0, 128);
}

export function parseParameter(text: string): { ParameterKey: string; ParameterValue: string } {
  const at = text.indexOf("=");
  if (at <= 0) throw new CommandError(`--parameter takes KEY=VALUE, not ${text}`);
  return { ParameterKey: text.slice(0, at), ParameterValue: text.slice(at + 1) };
}

interface Deployment {
  readonly connection: Connection;
  readonly stackName: string;
  readonly template: string;
  readonly parameters: readonly { ParameterKey: string; ParameterValue: string }[];
  readonly progress: Progress;
}

type StackDescription = NonNullable<DescribeStacksCommandOutput["Stacks"]>[number];

/** Creates or updates the stack. Throws `CommandError` when the template is refused, or the stack does not get there. */
export async function deployStack(
  deployment: Deployment,
): Promise<{ changed: boolean; stack: StackDescription | undefined }> {
  const { stackName, progress } = deployment;
  const sdk = await import("@aws-sdk/client-cloudformation");
  const client = new sdk.CloudFormationClient(deployment.connection);
  const describe = async () => {
    const answer = await client.send(new sdk.DescribeStacksCommand({ StackName: stackName })).catch(() => undefined);
    return answer?.Stacks?.[0];
  };
  const before = await describe();
  const isNew = before === undefined || before.StackStatus === "REVIEW_IN_PROGRESS";
  const kept = (before?.Parameters ?? [])
    .filter((parameter) => !deployment.parameters.some((given) => given.ParameterKey === parameter.ParameterKey))
    .map((parameter) => ({ ParameterKey: parameter.ParameterKey, UsePreviousValue: true }));
  const changeSetName = `cumulet-${Date.now()}`;
  progress.step(`Checking the template of ${stackName} …`);
  await client.send(
    new sdk.CreateChangeSetCommand({
      StackName: stackName,
      ChangeSetName: changeSetName,
      ChangeSetType: isNew ? "CREATE" : "UPDATE",
      TemplateBody: deployment.template,
      Parameters: isNew ? [...deployment.parameters] : [...deployment.parameters, ...kept],
      Capabilities: ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"],
    }),
  );
  const named = { StackName: stackName, ChangeSetName: changeSetName };
  for (;;) {
    const changeSet = await client.send(new sdk.DescribeChangeSetCommand(named));
    if (changeSet.Status === "CREATE_COMPLETE") break;
    if (changeSet.Status === "FAILED") {
      await client.send(new sdk.DeleteChangeSetCommand(named)).catch(() => undefined);
      const reason = changeSet.StatusReason ?? "";
      if (/didn't contain changes|No updates are to be performed/.test(reason))
        return { changed: false, stack: before };
      if (isNew) await client.send(new sdk.DeleteStackCommand({ StackName: stackName })).catch(() => undefined);
      throw new CommandError(`The template is refused: ${reason}`);
    }
    await delay(pollMs);
  }
  const startedAt = new Date();
  await client.send(new sdk.ExecuteChangeSetCommand(named));
  await followEvents(client, stackName, startedAt, progress);
  const stack = await describe();
  if (!stack?.StackStatus?.match(/^(CREATE|UPDATE)_COMPLETE$/)) {
    throw new CommandError(
      `The stack ${stackName} ended as ${stack?.StackStatus ?? "deleted"}: ${stack?.StackStatusReason ?? "see the events above"}`,
    );
  }
  return { changed: true, stack };
}

async function followEvents(
  client: CloudFormationClient,
  stackName: string,
  since: Date,
  progress: Progress,
): Promise<void> {
  const { DescribeStackEventsCommand } = await import("@aws-sdk/client-cloudformation");
  const seen = new Set<string>();
  for (;;) {
    const page = await client.send(new DescribeStackEventsCommand({ StackName: stackName }));
    const fresh = (page.StackEvents ?? [])
      .filter((event) => event.EventId !== undefined && !seen.has(event.EventId))
      // The change set's own REVIEW_IN_PROGRESS came before; a second of slack covers the server's rounding.
      .filter((event) => (event.Timestamp?.getTime() ?? 0) >= since.getTime() - 1_000)
      .toReversed();
    for (const event of fresh) {
      seen.add(event.EventId ?? "");
      if (String(event.ResourceStatus) === "REVIEW_IN_PROGRESS") continue;
      report(event, progress);
      if (event.PhysicalResourceId === event.StackId && isEnd(event.ResourceStatus)) return;
    }
    await delay(pollMs);
  }
}

function report(event: StackEvent, progress: Progress): void {
  // A resource tells a second time that it is in progress, once it has a physical id.
  if (event.ResourceStatus?.endsWith("IN_PROGRESS") && event.ResourceStatusReason === "Resource creation Initiated")
    return;
  const text = `${event.ResourceStatus}  ${event.ResourceType}  ${event.LogicalResourceId}`;
  if (event.ResourceStatus?.endsWith("FAILED")) progress.line(`${text}  ${event.ResourceStatusReason ?? ""}`);
  else progress.step(text);
}

function isEnd(status: string | undefined): boolean {
  return status !== undefined && /_(COMPLETE|FAILED)$/.test(status) && !status.includes("CLEANUP");
}
