import { CommandError } from "./command.ts";
import type { Connection } from "./connection.ts";

/** Where in a template's `Metadata` it stands what a stack was deployed from. */
const section = "Cumulet";

/** The same for a folder and for the template in it. */
function originOf(folder: string): string {
  return folder.replace(/[\\/]template\.(ya?ml|json)$/, "");
}

/** The template, which says what it was deployed from. */
export function withOrigin(template: string, folder: string): string {
  const parsed = parseObject(template);
  return JSON.stringify({
    ...parsed,
    Metadata: { ...toObject(parsed["Metadata"]), [section]: { DeployedFrom: originOf(folder) } },
  });
}

/**
 * Folders of the same name are different apps: one does not replace the other by mistake.
 *
 * @throws {CommandError} when the stack was deployed from another folder
 */
export async function refuseOtherOrigin(connection: Connection, stackName: string, folder: string): Promise<void> {
  const { CloudFormationClient, GetTemplateSummaryCommand } = await import("@aws-sdk/client-cloudformation");
  const command = new GetTemplateSummaryCommand({ StackName: stackName });
  // There is no such stack, or it may not be looked at: then whoever may not change it hears that in a moment.
  const summary = await new CloudFormationClient(connection).send(command).catch(() => undefined);
  if (summary?.Metadata === undefined) return;
  const from = toObject(parseObject(summary.Metadata)[section])["DeployedFrom"];
  if (typeof from !== "string" || from === originOf(folder)) return;
  throw new CommandError(
    `The stack ${stackName} was deployed from ${from}. Give this one another name with --stack, or replace that one with --stack ${stackName}.`,
  );
}

function parseObject(text: string): Record<string, unknown> {
  return toObject(JSON.parse(text));
}

function toObject(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : {};
}
