import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Principal } from "../../aws/principal.ts";
import { compilePolicy } from "./compile.ts";
import { parsePolicyDocument, PolicyGrammarError } from "./document.ts";
import { evaluate, type Decision, type NamedPolicy, type Question } from "./evaluate.ts";
import { operators } from "./operators.ts";
import { compileArnPattern, compilePattern } from "./pattern.ts";

const account = "111111111111";
const other = "222222222222";

const user: Principal = {
  type: "user",
  account,
  arn: `arn:aws:iam::${account}:user/ann`,
  userId: "AIDAEXAMPLEEXAMPLE123",
  userName: "ann",
  accessKeyId: "AKIA",
};
const role: Principal = {
  type: "assumedRole",
  account,
  arn: `arn:aws:sts::${account}:assumed-role/worker/s`,
  roleArn: `arn:aws:iam::${account}:role/worker`,
  roleId: "AROAEXAMPLEEXAMPLE123",
  sessionName: "s",
  accessKeyId: "ASIA",
  sessionPolicies: [],
  sessionTags: {},
};
const root: Principal = { type: "root", account, arn: `arn:aws:iam::${account}:root`, accessKeyId: "AKIA" };
const service: Principal = { type: "service", service: "apigateway.amazonaws.com" };

const userArn = user.arn;
const rootArn = root.arn;
const resource = `arn:aws:lambda:us-east-1:${account}:function:f`;
const action = "lambda:InvokeFunction";

type Raw = Readonly<Record<string, unknown>>;

function named(kind: "identity" | "resource", ...statements: readonly Raw[]): NamedPolicy {
  const text = JSON.stringify({ Version: "2012-10-17", Statement: statements });
  return { name: kind, policy: compilePolicy(parsePolicyDocument(text, kind)) };
}

const allow: Raw = { Effect: "Allow", Action: action, Resource: resource };
const deny: Raw = { ...allow, Effect: "Deny" };

interface Setting {
  readonly principal: Principal;
  readonly identity?: readonly Raw[];
  readonly boundary?: readonly Raw[];
  readonly session?: readonly Raw[];
  readonly resource?: readonly Raw[];
  readonly resourceAccount?: string;
  readonly required?: boolean;
  readonly context?: Readonly<Record<string, readonly string[]>>;
}

function toQuestion(setting: Setting): Question {
  return {
    principal: setting.principal,
    action,
    resource,
    resourceAccount: setting.resourceAccount ?? account,
    context: new Map(Object.entries(setting.context ?? {})),
    identityPolicies: setting.identity ? [named("identity", ...setting.identity)] : [],
    permissionsBoundary: setting.boundary && named("identity", ...setting.boundary),
    sessionPolicies: setting.session ? [named("identity", ...setting.session)] : [],
    resourcePolicy: setting.resource && named("resource", ...setting.resource),
    resourcePolicyRequired: setting.required ?? false,
  };
}

function decide(setting: Setting): string {
  const decision: Decision = evaluate(toQuestion(setting));
  return decision.decision === "allowed" ? "allowed" : `${decision.decision} ${decision.policyType}`;
}

const to = (Principal: unknown, effect = "Allow"): Raw => ({ ...allow, Effect: effect, Principal });
const otherAction: Raw = { ...allow, Action: "lambda:GetFunction" };

describe("policy evaluation logic", () => {
  test.each<[string, Setting, string]>([
    ["nothing allows", { principal: user }, "implicitDeny identity-based policy"],
    ["the user's policy allows", { principal: user, identity: [allow] }, "allowed"],
    ["an explicit deny wins", { principal: user, identity: [allow, deny] }, "explicitDeny identity-based policy"],
    ["the root may do all in its account", { principal: root }, "allowed"],
    [
      "a resource's policy can deny the root",
      { principal: root, resource: [to("*", "Deny")] },
      "explicitDeny resource-based policy",
    ],
    [
      "the root of another account needs the resource's policy",
      { principal: root, resourceAccount: other },
      "implicitDeny resource-based policy",
    ],
    ["a boundary alone allows nothing", { principal: user, boundary: [allow] }, "implicitDeny identity-based policy"],
    [
      "a boundary limits",
      { principal: user, identity: [allow], boundary: [otherAction] },
      "implicitDeny permissions boundary",
    ],
    [
      "a boundary can deny",
      { principal: user, identity: [allow], boundary: [allow, deny] },
      "explicitDeny permissions boundary",
    ],
    [
      "a session policy limits",
      { principal: role, identity: [allow], session: [otherAction] },
      "implicitDeny session policy",
    ],
    [
      "a session policy alone allows nothing",
      { principal: role, session: [allow] },
      "implicitDeny identity-based policy",
    ],
    [
      "a resource's policy that names the user suffices",
      { principal: user, resource: [to({ AWS: user.arn })] },
      "allowed",
    ],
    [
      "… whatever the boundary leaves out",
      { principal: user, boundary: [otherAction], resource: [to({ AWS: user.arn })] },
      "allowed",
    ],
    [
      "… unless an identity's policy denies",
      { principal: user, identity: [deny], resource: [to({ AWS: user.arn })] },
      "explicitDeny identity-based policy",
    ],
    [
      "a resource's policy that names the role suffices",
      { principal: role, resource: [to({ AWS: role.roleArn })] },
      "allowed",
    ],
    [
      "… within the session policy",
      { principal: role, session: [otherAction], resource: [to({ AWS: role.roleArn })] },
      "implicitDeny session policy",
    ],
    [
      "… or names the session itself, outside of it",
      { principal: role, session: [otherAction], resource: [to({ AWS: role.arn })] },
      "allowed",
    ],
    [
      "a resource's policy that names the account leaves it to identities' policies",
      { principal: user, resource: [to({ AWS: account })] },
      "implicitDeny identity-based policy",
    ],
    [
      "another user's permission is none of ours",
      { principal: user, resource: [to({ AWS: `arn:aws:iam::${account}:user/bob` })] },
      "implicitDeny identity-based policy",
    ],
    [
      "across accounts one side does not suffice (identity)",
      { principal: user, identity: [allow], resourceAccount: other },
      "implicitDeny resource-based policy",
    ],
    [
      "across accounts one side does not suffice (resource)",
      { principal: user, resource: [to({ AWS: user.arn })], resourceAccount: other },
      "implicitDeny identity-based policy",
    ],
    [
      "across accounts both do",
      { principal: user, identity: [allow], resource: [to({ AWS: account })], resourceAccount: other },
      "allowed",
    ],
    [
      "across accounts the boundary counts",
      {
        principal: user,
        identity: [allow],
        boundary: [otherAction],
        resource: [to({ AWS: account })],
        resourceAccount: other,
      },
      "implicitDeny permissions boundary",
    ],
    ["a service needs the resource's policy", { principal: service }, "implicitDeny resource-based policy"],
    [
      "a service that it names may",
      { principal: service, resource: [to({ Service: "apigateway.amazonaws.com" })] },
      "allowed",
    ],
    [
      "another service may not",
      { principal: service, resource: [to({ Service: "s3.amazonaws.com" })] },
      "implicitDeny resource-based policy",
    ],
    ["nobody may what everybody may not", { principal: { type: "anonymous" } }, "implicitDeny resource-based policy"],
    ["anybody may what everybody may", { principal: { type: "anonymous" }, resource: [to("*")] }, "allowed"],
    [
      "anybody is not an account",
      { principal: { type: "anonymous" }, resource: [to({ AWS: account })] },
      "implicitDeny resource-based policy",
    ],
    [
      "a trust policy is needed even in the same account",
      { principal: user, identity: [allow], required: true },
      "implicitDeny resource-based policy",
    ],
    ["… that of the root too", { principal: root, required: true }, "implicitDeny resource-based policy"],
    [
      "… and may leave it to identities' policies",
      { principal: user, identity: [allow], resource: [to({ AWS: account })], required: true },
      "allowed",
    ],
  ])("%s", (_name, setting, expected) => {
    expect(decide(setting)).toBe(expected);
  });

  test.each<[string, readonly string[], Setting, boolean]>([
    ["a user with its account", [userArn, rootArn], { principal: user }, true],
    ["a user without its account", [userArn], { principal: user }, false],
    ["an account, for a user of it", [rootArn], { principal: user }, false],
    ["an account, for its root", [rootArn], { principal: root }, true],
    ["a session with its role and account", [role.arn, role.roleArn, rootArn], { principal: role }, true],
    ["a role and its account, for a session of it", [role.roleArn, rootArn], { principal: role }, false],
    ["a user who has a boundary", [userArn, rootArn], { principal: user, boundary: [allow] }, false],
  ])("NotPrincipal with Deny: %s", (_name, AWS, setting, isExempt) => {
    const statement = { ...deny, NotPrincipal: { AWS } };
    expect(decide({ ...setting, identity: [allow], resource: [statement] })).toBe(
      isExempt ? "allowed" : "explicitDeny resource-based policy",
    );
  });

  test("the explanation names the statement that decided", () => {
    const decision = evaluate(toQuestion({ principal: user, identity: [allow, { ...deny, Sid: "NoInvoke" }] }));
    expect(decision).toMatchObject({ by: { policy: "identity", statement: "NoInvoke" } });
  });
});

const holds = (condition: Raw, context: Readonly<Record<string, readonly string[]>>) =>
  decide({ principal: user, identity: [{ ...allow, Condition: condition }], context }) === "allowed";

const isOne = (operator: string) => ({ [operator]: { "aws:k": "1" } });
const like = (text: string) => ({ StringLike: { "aws:k": text } });

describe("condition operators", () => {
  test.each<[string, string, string, boolean]>([
    ["StringEquals", "a", "a", true],
    ["StringEquals", "a*", "ab", false],
    ["StringEquals", "a", "A", false],
    ["StringNotEquals", "a", "b", true],
    ["StringEqualsIgnoreCase", "Ab", "aB", true],
    ["StringNotEqualsIgnoreCase", "Ab", "aB", false],
    ["StringLike", "a*c?", "abbbcd", true],
    ["StringNotLike", "a*", "ab", false],
    ["NumericEquals", "10", "10.0", true],
    ["NumericNotEquals", "10", "11", true],
    ["NumericLessThan", "10", "9", true],
    ["NumericLessThan", "10", "x", false],
    ["NumericLessThanEquals", "10", "10", true],
    ["NumericGreaterThan", "10", "9", false],
    ["NumericGreaterThanEquals", "10", "10", true],
    ["DateLessThan", "2026-01-02T00:00:00Z", "2026-01-01T23:59:59Z", true],
    ["DateGreaterThan", "2026-01-02", "2026-01-01", false],
    ["DateEquals", "2026-01-02T00:00:00Z", "1767312000", true],
    ["Bool", "true", "True", true],
    ["BinaryEquals", "QUJD", "QUJD", true],
    ["IpAddress", "10.0.0.0/8", "10.1.2.3", true],
    ["IpAddress", "10.0.0.0/8", "::ffff:10.1.2.3", true],
    ["IpAddress", "10.0.0.0/8", "11.1.2.3", false],
    ["IpAddress", "2001:db8::/32", "2001:db8::1", true],
    ["IpAddress", "nonsense", "10.0.0.1", false],
    ["NotIpAddress", "10.0.0.0/8", "11.1.2.3", true],
    ["ArnLike", "arn:aws:s3:::b*", "arn:aws:s3:::bucket/key", true],
    ["ArnEquals", "arn:aws:execute-api:*:*:api/*", "arn:aws:execute-api:us-east-1:1:api/x/GET/y", true],
    ["ArnEquals", "arn:aws:execute-api:*:api", "arn:aws:execute-api:us-east-1:1:api", false],
    ["ArnNotLike", "arn:aws:s3:::b*", "arn:aws:s3:::c", true],
  ])("%s %s holds for %s: %s", (operator, wanted, given, expected) => {
    expect(holds({ [operator]: { "aws:k": wanted } }, { "aws:k": [given] })).toBe(expected);
  });

  test.each(operators.filter((operator) => operator !== "Null"))("%s without the key", (operator) => {
    const negated = operator.includes("Not");
    expect(holds(isOne(operator), {})).toBe(negated);
    expect(holds(isOne(`${operator}IfExists`), {})).toBe(true);
    expect(holds(isOne(`ForAllValues:${operator}`), {})).toBe(true);
    expect(holds(isOne(`ForAnyValue:${operator}`), {})).toBe(false);
  });

  test("Null asks whether the key is there", () => {
    expect(holds({ Null: { "aws:k": "true" } }, {})).toBe(true);
    expect(holds({ Null: { "aws:k": "true" } }, { "aws:k": ["x"] })).toBe(false);
    expect(holds({ Null: { "aws:k": "false" } }, { "aws:k": ["x"] })).toBe(true);
  });

  test.each<[string, readonly string[], readonly string[], boolean]>([
    ["ForAllValues:StringEquals", ["a", "b"], ["a"], true],
    ["ForAllValues:StringEquals", ["a", "b"], ["a", "c"], false],
    ["ForAnyValue:StringEquals", ["a", "b"], ["c", "b"], true],
    ["ForAnyValue:StringEquals", ["a", "b"], ["c"], false],
    ["ForAllValues:StringNotEquals", ["a", "b"], ["c", "d"], true],
    ["ForAllValues:StringNotEquals", ["a", "b"], ["c", "a"], false],
    ["ForAnyValue:StringNotEquals", ["a", "b"], ["a", "c"], true],
    ["StringNotEquals", ["a", "b"], ["b"], false],
  ])("%s %j holds for %j: %s", (operator, wanted, given, expected) => {
    expect(holds({ [operator]: { "aws:k": wanted } }, { "aws:k": given })).toBe(expected);
  });

  test("variables stand for themselves, have defaults, and match nothing without a value", () => {
    expect(holds(like("home/${aws:username}/*"), { "aws:k": ["home/ann/x"], "aws:username": ["ann"] })).toBe(true);
    expect(holds(like("${aws:username}"), { "aws:k": ["anything"], "aws:username": ["*"] })).toBe(false);
    expect(holds(like("${aws:username}"), { "aws:k": ["*"], "aws:username": ["*"] })).toBe(true);
    expect(holds(like("${aws:none}"), { "aws:k": [""] })).toBe(false);
    expect(holds(like("${aws:none, 'all'}"), { "aws:k": ["all"] })).toBe(true);
    expect(holds(like("a${*}b"), { "aws:k": ["a*b"] })).toBe(true);
    expect(holds(like("a${*}b"), { "aws:k": ["axb"] })).toBe(false);
  });
});

const none = new Map<string, readonly string[]>();

const matches = (pattern: string, arn: string) => compileArnPattern(pattern, { variables: true }).matches(arn, none);

describe("patterns", () => {
  const letters = fc.array(fc.constantFrom("a", "b", "*", "?", "/", "."), { maxLength: 8 }).map((all) => all.join(""));
  const texts = fc.array(fc.constantFrom("a", "b", "/", "."), { maxLength: 10 }).map((all) => all.join(""));

  test("match as a regular expression does", () => {
    fc.assert(
      fc.property(letters, texts, (pattern, text) => {
        const source = pattern.replaceAll(/[.*?/]/g, (special) => ({ "*": ".*", "?": "." })[special] ?? `\\${special}`);
        const matches = compilePattern(pattern, { variables: true }).matches(text, none);
        expect(matches).toBe(new RegExp(`^${source}$`, "s").test(text));
      }),
      { numRuns: 2_000 },
    );
  });

  test("take no time to speak of, whatever the wildcards", () => {
    const pattern = compilePattern("*a".repeat(100), { variables: false });
    const started = performance.now();
    expect(pattern.matches(`${"a".repeat(2_000)}b`, none)).toBe(false);
    expect(performance.now() - started).toBeLessThan(500);
  });

  test("of ARNs match part by part: a wildcard stays within its part", () => {
    expect(matches("arn:aws:s3:::*", "arn:aws:s3:::bucket/a:b")).toBe(true);
    expect(matches("arn:aws:lambda:*:function:f", resource)).toBe(false);
    expect(matches("arn:aws:lambda:*", resource)).toBe(true);
    expect(matches("*", "*")).toBe(true);
    expect(matches("arn:aws:s3:::*", "*")).toBe(false);
  });
});

const has = (policy: readonly Raw[], effect: string) => policy.some((raw) => raw["Effect"] === effect);
const relevant = (raws: readonly Raw[]) => raws.filter((raw) => raw !== otherAction);

/** The rules once more, told as AWS's flow chart and without any cleverness. */
function referenceDecision(
  setting: Required<Pick<Setting, "identity" | "boundary" | "session" | "resource">> & { readonly grantee: string },
): boolean {
  const { identity, boundary, session, resource: ofResource, grantee } = setting;
  if ([identity, boundary, session, ofResource].some((policy) => has(policy, "Deny"))) return false;
  const resourceAllows = has(ofResource, "Allow");
  if (resourceAllows && grantee === "session") return true;
  if (!has(identity, "Allow") && !(resourceAllows && grantee === "role")) return false;
  return has(boundary, "Allow") && has(session, "Allow");
}

test("every mix of policies decides as the flow chart says", () => {
  const policy = fc.array(fc.constantFrom(allow, deny, otherAction), { minLength: 1, maxLength: 3 });
  fc.assert(
    fc.property(
      policy,
      policy,
      policy,
      policy,
      fc.constantFrom("session", "role", "account"),
      (identity, boundary, session, ofResource, grantee) => {
        const AWS = { session: role.arn, role: role.roleArn, account }[grantee];
        const decision = decide({
          principal: role,
          identity,
          boundary,
          session,
          resource: ofResource.map((raw) => ({ ...raw, Principal: { AWS } })),
        });
        const expected = referenceDecision({
          identity: relevant(identity),
          boundary: relevant(boundary),
          session: relevant(session),
          resource: relevant(ofResource),
          grantee: grantee ?? "",
        });
        expect(decision === "allowed").toBe(expected);
      },
    ),
    { numRuns: 2_000 },
  );
});

test("any JSON is a policy or breaks its grammar, and nothing else", () => {
  const values = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      fc.string(),
      fc.integer(),
      fc.boolean(),
      fc.constant(null),
      fc.array(tie("value"), { maxLength: 3 }),
      tie("object"),
    ),
    object: fc.dictionary(
      fc.constantFrom(
        "Version",
        "Statement",
        "Effect",
        "Action",
        "Resource",
        "Principal",
        "Condition",
        "Sid",
        "AWS",
        "StringLike",
        "__proto__",
        "constructor",
      ),
      fc.oneof(tie("value"), fc.constantFrom("Allow", "2012-10-17", "*", "s3:*")),
      { maxKeys: 5 },
    ),
  })).object;
  fc.assert(
    fc.property(values, fc.constantFrom("identity", "trust", "resource"), (value, kind) => {
      try {
        compilePolicy(parsePolicyDocument(JSON.stringify(value), kind));
      } catch (error) {
        expect(error).toBeInstanceOf(PolicyGrammarError);
      }
    }),
    { numRuns: 2_000 },
  );
});
