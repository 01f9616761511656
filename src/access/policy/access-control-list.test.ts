import { expect, test } from "vitest";
import type { Principal } from "../../aws/principal.ts";
import { compilePolicy } from "./compile.ts";
import { parsePolicyDocument } from "./document.ts";
import { evaluate, type Question } from "./evaluate.ts";

const account = "111111111111";
const resource = "arn:aws:s3:::b/k";
const stranger: Principal = { type: "anonymous" };
const user: Principal = {
  type: "user",
  account,
  arn: `arn:aws:iam::${account}:user/ann`,
  userId: "AIDAEXAMPLEEXAMPLE123",
  userName: "ann",
  accessKeyId: "AKIA",
};

function named(name: string, Effect: "Allow" | "Deny", Principal: unknown) {
  const text = JSON.stringify({ Statement: [{ Effect, Principal, Action: "s3:GetObject", Resource: "*" }] });
  return { name, policy: compilePolicy(parsePolicyDocument(text, "resource")) };
}

function ask(more: Partial<Question>) {
  return evaluate({
    principal: stranger,
    action: "s3:GetObject",
    resource,
    resourceAccount: account,
    context: new Map(),
    identityPolicies: [],
    permissionsBoundary: undefined,
    sessionPolicies: [],
    resourcePolicy: undefined,
    resourcePolicyRequired: false,
    ...more,
  });
}

const list = named("list", "Allow", "*");

test("An access control list lets in whom it names, and is named as what decided", () => {
  const by = [{ policyType: "resource-based policy", policy: "list", statement: "1" }];
  expect(ask({ accessControlList: list })).toEqual({ decision: "allowed", by });
  expect(ask({ accessControlList: list, principal: user })).toEqual({ decision: "allowed", by });
  expect(ask({})).toEqual({ decision: "implicitDeny", policyType: "resource-based policy" });
});

test("A policy's denial counts for more than an access control list", () => {
  const resourcePolicy = named("policy", "Deny", "*");
  expect(ask({ accessControlList: list, resourcePolicy })).toMatchObject({
    decision: "explicitDeny",
    by: { policy: "policy" },
  });
});

test("An account that a list names still needs its users' own policies", () => {
  const ofAccount = named("list", "Allow", { AWS: account });
  expect(ask({ accessControlList: ofAccount, principal: user })).toEqual({
    decision: "implicitDeny",
    policyType: "identity-based policy",
  });
});
