import { awsPolicyLines } from "./managed-policies.generated.ts";
import type { ManagedPolicy } from "./model.ts";

/**
 * AWS's managed policies that serverless templates name. Each is read from its line when it is first asked for: the
 * documents are long and few are used.
 */
const linesByArn: ReadonlyMap<string, string> = new Map(
  awsPolicyLines.split("\n").map((line) => [`arn:aws:iam::aws:policy${line.slice(0, line.indexOf(" "))}`, line]),
);

export function findAwsPolicy(arn: string): ManagedPolicy | undefined {
  const line = linesByArn.get(arn);
  return line === undefined ? undefined : parseLine(arn, line);
}

export function awsPolicies(): readonly ManagedPolicy[] {
  return [...linesByArn].map(([arn, line]) => parseLine(arn, line));
}

/** ARNs by name. */
export function awsPolicyArns(): Readonly<Record<string, string>> {
  return Object.fromEntries([...linesByArn.keys()].map((arn) => [arn.slice(arn.lastIndexOf("/") + 1), arn]));
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
