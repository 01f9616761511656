import { readFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import type { Denial } from "../access/denials/journal.ts";
import type { Decision } from "../access/policy/evaluate.ts";
import { CommandError, type Command, type Output } from "./command.ts";
import { connectionOptions, openConnection } from "./connection.ts";
import { signedGet } from "./signed-get.ts";

export const explainCommand: Command = {
  name: "explain",
  usage:
    "explain REQUEST-ID | --principal ARN --action ACTION --resource ARN [--context KEY=VALUE]... [--resource-policy @FILE] [--json] [--port PORT] [--data DIR]",
  summary: "says why a request was denied, or what would be decided",
  help: "REQUEST-ID is the one that the denied request was answered with; denials can be looked up for two days. With --principal (a user, role, session, root, or a service as s3.amazonaws.com) it says what the policies would decide now, by which statement, or what is missing. --context gives condition keys, several times for several values; --source-ip the caller's address. The resource's own policy is looked up for functions, buckets, repositories and roles; --resource-policy gives another. --json prints what the server answers.",
  async run(argv, output) {
    const { values, positionals } = parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        ...connectionOptions,
        principal: { type: "string" },
        action: { type: "string" },
        resource: { type: "string" },
        context: { type: "string", multiple: true },
        "source-ip": { type: "string" },
        "resource-policy": { type: "string" },
        json: { type: "boolean" },
      },
    });
    const [requestId] = positionals;
    const connection = await openConnection(values);
    if (requestId !== undefined) {
      const answer = await signedGet(connection, "/_cumulet/explain", [["requestId", requestId]]);
      if (values.json) output.out(JSON.stringify(answer, null, 2));
      // The server's own answer, of the same version as this command.
      else for (const denial of (answer as { denials: readonly Denial[] }).denials) printDenial(output, denial);
      return 0;
    }
    const { principal, action, resource } = values;
    if (principal === undefined || action === undefined || resource === undefined) {
      throw new CommandError("Give a request id, or --principal, --action and --resource.");
    }
    const policy = values["resource-policy"];
    const query: [string, string][] = [
      ["principal", principal],
      ["action", action],
      ["resource", resource],
      ...(values.context ?? []).map((entry): [string, string] => ["context", entry]),
      ...(values["source-ip"] === undefined ? [] : [["sourceIp", values["source-ip"]] satisfies [string, string]]),
      ...(policy === undefined ? [] : [["resourcePolicy", await textOf(policy)] satisfies [string, string]]),
    ];
    const answer = await signedGet(connection, "/_cumulet/explain", query);
    if (values.json) output.out(JSON.stringify(answer, null, 2));
    else printReasons(output, { principal, action, resource, ...(answer as Reasons) });
    return 0;
  },
};

type Reasons = Pick<Denial, "decision" | "because" | "context" | "policies">;

async function textOf(given: string): Promise<string> {
  return given.startsWith("@") ? await readFile(given.slice(1), "utf8") : given;
}

function printDenial(output: Output, denial: Denial): void {
  output.out(`${new Date(denial.at).toISOString()} ${denial.requestId}`);
  printReasons(output, denial);
}

function printReasons(
  output: Output,
  asked: Reasons & { readonly principal: string; readonly action: string; readonly resource: string },
): void {
  const { decision, because, context, policies } = asked;
  output.out(`${asked.principal}\n  ${asked.action} on ${asked.resource}\n  ${toSentence(decision, because)}`);
  for (const [type, names] of Object.entries(policies)) {
    if (names.length > 0) output.out(`  looked at, ${type}: ${names.join(", ")}`);
  }
  const keys = Object.entries(context).toSorted(([a], [b]) => (a < b ? -1 : 1));
  for (const [key, values] of keys) output.out(`  ${key} = ${values.join(", ")}`);
}

const becauses: Readonly<Record<NonNullable<Denial["because"]>, string>> = {
  "unknown action": "denied: AWS documents no such action, so no policy can allow it",
  "no such identity": "denied: the user or role of these credentials is gone",
  "unreadable policy": "denied: a policy that has a say cannot be read",
};

function toSentence(decision: Decision, because: Denial["because"]): string {
  if (because !== undefined) return becauses[because];
  if (decision.decision === "implicitDeny") return `denied: no ${decision.policyType} allows it`;
  if (decision.decision === "explicitDeny") return `denied by the ${toPlace(decision.by)}`;
  return decision.by.length === 0
    ? "allowed: the root may do everything in its account"
    : `allowed by the ${decision.by.map(toPlace).join(", and the ")}`;
}

function toPlace(by: { readonly policyType: string; readonly policy: string; readonly statement: string }): string {
  return `${by.policyType} ${by.policy}, statement ${by.statement}`;
}
