import type { SimulateCustomPolicyRequest, SimulatePolicyResponse } from "@aws-sdk/client-iam";
import { expect, test } from "vitest";
import { toContext } from "../../src/access/context.ts";
import { createPolicyCompiler } from "../../src/access/policy/compile.ts";
import { createServerKeys } from "../../src/access/server-keys.ts";
import { toCanonicalUserId } from "../../src/aws/canonical-user.ts";
import { randomIds } from "../../src/kernel/ids.ts";
import { createMemoryStore } from "../../src/kernel/store/memory-store.ts";
import { simulationOperations } from "../../src/services/iam/operations/simulation.ts";
import type { Call } from "../../src/wire/service.ts";
import { caseGroups } from "./cases/all.ts";
import type { Outcome, Setting, Statements } from "./cases/case.ts";
import { principals } from "./cases/who.ts";

/** A simulation says what a call would be told: in all the documented situations that a simulation can be of. */
const account = "111122223333";
const keys = createServerKeys(new Uint8Array(32));
const { SimulateCustomPolicy } = simulationOperations({
  store: createMemoryStore(),
  ids: randomIds,
  seal: keys.records,
  compile: createPolicyCompiler(),
});

/** It is of a user, without sessions, and knows no guard rails. */
function canBeSimulated(setting: Setting): boolean {
  const { principal = "user", session, guardRails, required } = setting;
  // `CallerArn` does not tell the unique id.
  const byId = JSON.stringify(setting.resourcePolicy ?? []).includes("AIDAEXAMPLEEXAMPLE001");
  return principal === "user" && session === undefined && guardRails === undefined && !required && !byId;
}

function toRequest(setting: Setting): SimulateCustomPolicyRequest {
  const { action = "s3:GetObject", resource = "*", owner = account } = setting;
  const principal = principals.user;
  const environment = {
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
  const context = toContext(principal, request, environment, setting.tags ?? {});
  const document = (statements: Statements | undefined) =>
    statements === undefined || statements.length === 0
      ? []
      : [
          JSON.stringify({ Version: setting.version ?? "2012-10-17", Statement: statements }, undefined, 2).replaceAll(
            `THE CANONICAL ID OF ${account}`,
            toCanonicalUserId(account),
          ),
        ];
  const [ResourcePolicy] = document(setting.resourcePolicy);
  return {
    PolicyInputList: document(setting.identity),
    PermissionsBoundaryPolicyInputList: document(setting.boundary),
    ...(ResourcePolicy !== undefined && { ResourcePolicy }),
    ActionNames: [action],
    ResourceArns: [resource],
    ResourceOwner: `arn:aws:iam::${owner}:root`,
    CallerArn: "arn" in principal ? principal.arn : "",
    ContextEntries: [...context].map(([ContextKeyName, values]) => ({
      ContextKeyName,
      ContextKeyValues: [...values],
      ContextKeyType: "stringList",
    })),
  };
}

async function simulated(setting: Setting): Promise<string> {
  const call = { account, operation: "SimulateCustomPolicy" } satisfies Partial<Call>;
  // What a simulation looks at of its call.
  const answer: SimulatePolicyResponse = await SimulateCustomPolicy.run(toRequest(setting), call as Call);
  return String(answer.EvaluationResults?.[0]?.EvalDecision);
}

const decisions = { allowed: "allowed", denied: "explicitDeny", "nothing allows": "implicitDeny" } as const;

test("agrees with what the call would be told, in every documented situation of a user", async () => {
  const wrong: string[] = [];
  let count = 0;
  for (const { about, given, cases } of caseGroups) {
    for (const [name, differs, outcome] of cases) {
      const setting = { ...given, ...differs };
      if (!canBeSimulated(setting)) continue;
      count += 1;
      const [kind] = outcome.split(": ") as [keyof typeof decisions];
      const answer = await simulated(setting).catch((error: unknown) => String(error));
      if (answer !== decisions[kind]) wrong.push(`${about}, ${name}: ${answer}, not ${outcome satisfies Outcome}`);
    }
  }
  expect(wrong).toEqual([]);
  expect(count).toBeGreaterThan(400);
});
