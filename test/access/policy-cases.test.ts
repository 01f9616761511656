import { describe, expect, test } from "vitest";
import type { RequestEnvironment } from "../../src/access/authorization.ts";
import { toContext } from "../../src/access/context.ts";
import { compilePolicy } from "../../src/access/policy/compile.ts";
import { parsePolicyDocument } from "../../src/access/policy/document.ts";
import { evaluate, type NamedPolicy, type Question } from "../../src/access/policy/evaluate.ts";
import { toCanonicalUserId } from "../../src/aws/canonical-user.ts";
import { caseGroups as groups } from "./cases/all.ts";
import type { Outcome, Setting, Statements } from "./cases/case.ts";
import { principals } from "./cases/who.ts";

const account = "111122223333";
const types = {
  "identity-based policy": "identity",
  "resource-based policy": "resource",
  "permissions boundary": "boundary",
  "session policy": "session",
  "service control policy": "guard rails",
} as const;

/** What the evaluator is asked in a situation. */
function toQuestion(setting: Setting): Question {
  const principal = principals[setting.principal ?? "user"];
  const { action = "s3:GetObject", resource = "*", owner = account } = setting;
  const environment: RequestEnvironment = {
    account,
    region: setting.region ?? "us-east-1",
    sourceIp: setting.sourceIp ?? "203.0.113.5",
    secureTransport: setting.secure ?? true,
    userAgent: setting.userAgent ?? "test/1",
    now: Date.parse(setting.now ?? "2026-01-02T12:00:00Z"),
    ...(setting.referer !== undefined && { referer: setting.referer }),
    ...(setting.calledVia && { calledVia: setting.calledVia }),
  };
  const given = Object.entries(setting.context ?? {}).map(([key, value]) => [key, [value].flat()] as const);
  const request = { action, resource, resourceAccount: owner, context: Object.fromEntries(given) };
  const policy = (kind: "identity" | "resource", statements: Statements | undefined): NamedPolicy | undefined => {
    if (statements === undefined || statements.length === 0) return undefined;
    const text = JSON.stringify({ Version: setting.version ?? "2012-10-17", Statement: statements });
    const document = text.replaceAll(`THE CANONICAL ID OF ${account}`, toCanonicalUserId(account));
    return { name: kind, policy: compilePolicy(parsePolicyDocument(document, kind)) };
  };
  return {
    principal,
    action,
    resource,
    resourceAccount: owner,
    context: toContext(principal, request, environment, setting.tags ?? {}),
    identityPolicies: toList(policy("identity", setting.identity)),
    permissionsBoundary: policy("identity", setting.boundary),
    sessionPolicies: toList(policy("identity", setting.session)),
    resourcePolicy: policy("resource", setting.resourcePolicy),
    resourcePolicyRequired: setting.required ?? false,
    guardRails: policy("identity", setting.guardRails),
  };
}

function toList<T>(one: T | undefined): readonly T[] {
  return one === undefined ? [] : [one];
}

function outcomeOf(setting: Setting): Outcome {
  const decision = evaluate(toQuestion(setting));
  if (decision.decision === "allowed") return "allowed";
  return `${decision.decision === "explicitDeny" ? "denied" : "nothing allows"}: ${types[decision.policyType]}`;
}

describe.each(groups.map((group) => [group.about, group] as const))("%s", (_about, group) => {
  test.each(group.cases.map(([name, differs, outcome]) => [name, outcome, differs] as const))(
    `%s → %s (${group.source.replaceAll("%", "%%")})`,
    (_name, outcome, differs) => {
      expect(outcomeOf({ ...group.given, ...differs })).toBe(outcome);
    },
  );
});

test("there are at least 400, each with its source", () => {
  expect(groups.reduce((count, { cases }) => count + cases.length, 0)).toBeGreaterThanOrEqual(400);
  expect(groups.filter(({ source }) => source === "")).toEqual([]);
  for (const { about, cases } of groups) {
    const names = cases.map(([name]) => name);
    expect(new Set(names).size, about).toBe(names.length);
  }
});
