import type { Principal } from "../../src/aws/principal.ts";

/**
 * A second evaluator, for tests: AWS's flow chart written down as plainly as can be, from documents as they stand in JSON. It shares
 * nothing with the real one, is slow, and knows only the part of the language that the random policies use.
 */
export interface Situation {
  readonly principal: Principal;
  readonly action: string;
  readonly resource: string;
  readonly resourceAccount: string;
  readonly context: Readonly<Record<string, readonly string[]>>;
  readonly identity: readonly OracleStatement[];
  readonly boundary: readonly OracleStatement[] | undefined;
  readonly session: readonly OracleStatement[] | undefined;
  readonly resourcePolicy: readonly OracleStatement[] | undefined;
  readonly guardRails: readonly OracleStatement[] | undefined;
  readonly required: boolean;
}

export interface OracleStatement {
  readonly Effect: "Allow" | "Deny";
  readonly Action?: readonly string[];
  readonly NotAction?: readonly string[];
  readonly Resource?: readonly string[];
  readonly NotResource?: readonly string[];
  readonly Principal?: "*" | { readonly AWS?: readonly string[]; readonly Service?: readonly string[] };
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;
}

export function oracle(situation: Situation): "allowed" | "explicitDeny" | "implicitDeny" {
  const { principal, identity, boundary, session, resourcePolicy, guardRails } = situation;
  const hits = (statements: readonly OracleStatement[] | undefined) =>
    (statements ?? []).filter((statement) => applies(statement, situation));
  const mine = (resourcePolicy ?? []).filter((one) => nearness(one, principal) !== "" && applies(one, situation));
  const limited = "account" in principal ? hits(guardRails) : [];
  const everything = [...hits(identity), ...hits(boundary), ...hits(session), ...mine, ...limited];
  if (everything.some(({ Effect }) => Effect === "Deny")) return "explicitDeny";
  if ("account" in principal && guardRails && !allows(limited)) return "implicitDeny";
  const byResource = mine.filter(({ Effect }) => Effect === "Allow").map((one) => nearness(one, principal));
  if (!("account" in principal)) return yes(byResource.length > 0);
  const own = principal.account === situation.resourceAccount;
  if (principal.type === "root") return yes((own && !situation.required) || byResource.length > 0);
  if (own && byResource.includes("itself")) return "allowed";
  const limits = [boundary, session].every((statements) => statements === undefined || allows(hits(statements)));
  const granted = allows(hits(identity)) || (own && byResource.includes("its role"));
  const agreed = (own && !situation.required) || byResource.length > 0;
  return yes(granted && limits && agreed);
}

function allows(statements: readonly OracleStatement[]): boolean {
  return statements.some(({ Effect }) => Effect === "Allow");
}

function yes(condition: boolean): "allowed" | "implicitDeny" {
  return condition ? "allowed" : "implicitDeny";
}

function applies(statement: OracleStatement, { action, resource, context }: Situation): boolean {
  const { Action, NotAction, Resource, NotResource, Condition = {} } = statement;
  const named = (patterns: readonly string[]) => patterns.some((one) => like(one.toLowerCase(), action.toLowerCase()));
  const on = (patterns: readonly string[]) => patterns.some((one) => one === "*" || likeArn(one, resource));
  if (Action ? !named(Action) : named(NotAction ?? [])) return false;
  if (Resource ? !on(Resource) : on(NotResource ?? [])) return false;
  return Object.entries(Condition).every(([operator, keys]) =>
    Object.entries(keys).every(([key, values]) => holds(operator, values, context[key])),
  );
}

function holds(name: string, values: readonly string[], given: readonly string[] | undefined): boolean {
  const [, set, operator = "", ifExists] = /^(?:(ForAllValues|ForAnyValue):)?(\w+?)(IfExists)?$/.exec(name) ?? [];
  if (operator === "Null") return values.some((value) => (value === "true") === (given === undefined));
  const negated = operator.includes("Not");
  if (given === undefined) {
    if (ifExists !== undefined || set === "ForAllValues") return true;
    return negated && set === undefined;
  }
  const test = (one: string) => {
    const any = values.some((value) => (operator.endsWith("Like") ? like(value, one) : value === one));
    return negated ? !any : any;
  };
  if (set === "ForAllValues" || (set === undefined && negated)) return given.every(test);
  return given.some(test);
}

function nearness({ Principal }: OracleStatement, principal: Principal): "" | "itself" | "its role" | "its account" {
  if (Principal === undefined) return "";
  if (Principal === "*") return "itself";
  if (principal.type === "service") return Principal.Service?.includes(principal.service) ? "itself" : "";
  if (!("account" in principal)) return "";
  const listed = Principal.AWS ?? [];
  if (principal.type !== "root" && listed.includes(principal.arn)) return "itself";
  if (principal.type === "assumedRole" && listed.includes(principal.roleArn)) return "its role";
  return listed.includes(principal.account) ? "its account" : "";
}

function like(pattern: string, text: string): boolean {
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, "\\$&")
    .replaceAll("*", "[^]*")
    .replaceAll("?", "[^]");
  return new RegExp(`^${source}$`).test(text);
}

function likeArn(pattern: string, arn: string): boolean {
  const parts = toParts(arn);
  return toParts(pattern).every((part, index) => like(part, parts[index] ?? ""));
}

function toParts(text: string): readonly string[] {
  return [...text.split(":").slice(0, 5), text.split(":").slice(5).join(":")];
}
