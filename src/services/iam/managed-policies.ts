import { awsPolicyPaths } from "./managed-policy-arns.generated.ts";
import type { ManagedPolicy } from "./model.ts";

/*
 * AWS's managed policies that serverless templates name. Which there are is known from the start; their documents are
 * long and few are used, so they are loaded when the first is asked for.
 */

const arns: ReadonlySet<string> = new Set(awsPolicyPaths.split("\n").map(toArn));

export function isAwsPolicy(arn: string): boolean {
  return arns.has(arn);
}

/** AWS: what a service-linked role has can be attached to nothing else. */
export function isAttachableAwsPolicy(arn: string): boolean {
  return isAwsPolicy(arn) && !arn.startsWith(toArn("/aws-service-role/"));
}

/** ARNs of those that can be attached, by name. */
export function awsPolicyArns(): Readonly<Record<string, string>> {
  const attachable = [...arns].filter(isAttachableAwsPolicy);
  return Object.fromEntries(attachable.map((arn) => [arn.slice(arn.lastIndexOf("/") + 1), arn]));
}

export async function findAwsPolicy(arn: string): Promise<ManagedPolicy | undefined> {
  if (!isAwsPolicy(arn)) return undefined;
  const start = `${arn.slice(toArn("").length)} `;
  const text = `\n${await loadText()}\n`;
  const at = text.indexOf(`\n${start}`) + 1;
  return parseLine(arn, text.slice(at, text.indexOf("\n", at)));
}

export async function awsPolicies(): Promise<readonly ManagedPolicy[]> {
  const text = await loadText();
  return text.split("\n").map((line) => parseLine(toArn(line.slice(0, line.indexOf(" "))), line));
}

function toArn(path: string): string {
  return `arn:aws:iam::aws:policy${path}`;
}

async function loadText(): Promise<string> {
  const { awsPolicyLines } = await import("./managed-policies.generated.ts");
  return awsPolicyLines;
}

function parseLine(arn: string, line: string): ManagedPolicy {
  const [, at, id, version, created, updated, document] = /^(\S+) (\S+) v(\d+) (\d+) (\d+) (.+)$/s.exec(line) ?? [];
  if (!at || !id || !document) throw new Error(`The line of ${arn} is not as it should be`);
  const slash = at.lastIndexOf("/");
  const updatedAt = Number(updated) * 1000;
  const versionId = `v${version}`;
  return {
    v: 1,
    name: at.slice(slash + 1),
    id,
    path: at.slice(0, slash + 1),
    arn,
    description: undefined,
    createdAt: Number(created) * 1000,
    updatedAt,
    defaultVersionId: versionId,
    nextVersion: Number(version) + 1,
    versions: [{ id: versionId, document, createdAt: updatedAt }],
    tags: {},
  };
}
