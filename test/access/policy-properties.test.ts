import fc from "fast-check";
import { expect, test } from "vitest";
import { compilePolicy } from "../../src/access/policy/compile.ts";
import { parsePolicyDocument } from "../../src/access/policy/document.ts";
import { evaluate, type NamedPolicy } from "../../src/access/policy/evaluate.ts";
import { principals } from "./cases/who.ts";
import { oracle, type OracleStatement, type Situation } from "./oracle.ts";

const account = "111122223333";
const some = <T>(...values: readonly T[]) => fc.uniqueArray(fc.constantFrom(...values), { minLength: 1, maxLength: 3 });
const actions = some(
  "s3:GetObject",
  "s3:PutObject",
  "s3:*",
  "s3:Get*",
  "S3:getobject",
  "lambda:*",
  "*",
  "s3:???Object",
);
const bucket = "arn:aws:s3:::bucket";
const resources = some(
  "*",
  `${bucket}/*`,
  `${bucket}/a`,
  `${bucket}/?`,
  "arn:aws:s3:::other/*",
  "arn:aws:*:::bucket/*",
);
const named = some(
  account,
  "444455556666",
  `arn:aws:iam::${account}:user/ann`,
  `arn:aws:iam::${account}:role/worker`,
  `arn:aws:sts::${account}:assumed-role/worker/job`,
  `arn:aws:iam::${account}:user/bob`,
);
const operator = fc.constantFrom(
  "StringEquals",
  "StringNotEquals",
  "StringLike",
  "StringNotLike",
  "StringEqualsIfExists",
  "StringNotEqualsIfExists",
  "ForAllValues:StringEquals",
  "ForAnyValue:StringEquals",
  "ForAllValues:StringNotLike",
  "ForAnyValue:StringNotEquals",
);
const conditions = fc.oneof(
  fc.constant(undefined),
  fc.constant(undefined),
  fc.tuple(operator, fc.constantFrom("test:a", "test:b"), some("1", "2", "1*", "?")).map(([name, key, values]) => ({
    [name]: { [key]: values },
  })),
  fc
    .tuple(fc.constantFrom("test:a", "test:b"), some("true", "false"))
    .map(([key, values]) => ({ Null: { [key]: values } })),
);

/** One in six names what it does not apply to. */
const nots = fc.integer({ min: 0, max: 5 }).map((drawn) => drawn === 0);
const effects = fc.constantFrom("Allow" as const, "Allow" as const, "Deny" as const);
const body = fc.tuple(effects, actions, nots, resources, nots, conditions).map(toStatement);

function toStatement([Effect, Action, notAction, Resource, notResource, Condition]: readonly [
  OracleStatement["Effect"],
  readonly string[],
  boolean,
  readonly string[],
  boolean,
  OracleStatement["Condition"] | undefined,
]): OracleStatement {
  return {
    Effect,
    ...(notAction ? { NotAction: Action } : { Action }),
    ...(notResource ? { NotResource: Resource } : { Resource }),
    ...(Condition && { Condition }),
  };
}

const toWhom = fc.oneof(
  fc.constant("*" as const),
  named.map((AWS) => ({ AWS })),
  fc.constant({ Service: ["sns.amazonaws.com"] }),
);
const forPrincipal = fc.tuple(body, toWhom).map(([statement, Principal]) => Object.assign({ Principal }, statement));
const statements = fc.array(body, { minLength: 1, maxLength: 4 });
const maybe = <T>(one: fc.Arbitrary<T>) => fc.option(one, { nil: undefined, freq: 1 });
const values = maybe(fc.uniqueArray(fc.constantFrom("1", "2", "11", "x"), { minLength: 1, maxLength: 3 }));

function toGiven({ a, b }: { readonly a: string[] | undefined; readonly b: string[] | undefined }) {
  return { ...(a && { "test:a": a }), ...(b && { "test:b": b }) };
}

const situations: fc.Arbitrary<Situation> = fc.record({
  principal: fc.constantFrom(principals.user, principals.role, principals.root, principals.sns, principals.anonymous),
  action: fc.constantFrom("s3:GetObject", "s3:PutObject"),
  resource: fc.constantFrom(`${bucket}/a`, `${bucket}/a/b`, "arn:aws:s3:::other/a"),
  resourceAccount: fc.constantFrom(account, account, "444455556666"),
  context: fc.record({ a: values, b: values }).map(toGiven),
  identity: fc.array(body, { maxLength: 4 }),
  boundary: maybe(statements),
  session: maybe(statements),
  resourcePolicy: maybe(fc.array(forPrincipal, { minLength: 1, maxLength: 4 })),
  guardRails: fc.option(statements, { nil: undefined, freq: 3 }),
  required: fc.constantFrom(false, false, true),
});

function toPolicies(kind: "identity" | "resource", list: readonly OracleStatement[] | undefined): NamedPolicy[] {
  if (list === undefined || list.length === 0) return [];
  const text = JSON.stringify({ Version: "2012-10-17", Statement: list });
  return [{ name: kind, policy: compilePolicy(parsePolicyDocument(text, kind)) }];
}

function decide(situation: Situation): string {
  const { principal, action, resource, resourceAccount, context } = situation;
  return evaluate({
    principal,
    action,
    resource,
    resourceAccount,
    context: new Map(Object.entries(context)),
    identityPolicies: toPolicies("identity", situation.identity),
    permissionsBoundary: toPolicies("identity", situation.boundary)[0],
    sessionPolicies: toPolicies("identity", situation.session),
    resourcePolicy: toPolicies("resource", situation.resourcePolicy)[0],
    resourcePolicyRequired: situation.required,
    guardRails: toPolicies("identity", situation.guardRails)[0],
  }).decision;
}

const places = ["identity", "boundary", "session", "resourcePolicy", "guardRails"] as const;
const anyPlace = fc.constantFrom(...places);

/** A statement more, in a policy that is there already: a boundary where there was none would be another thing. */
function withMore(situation: Situation, place: (typeof places)[number], more: OracleStatement): Situation {
  const there = situation[place];
  if (there === undefined && place !== "resourcePolicy") return situation;
  return { ...situation, [place]: [...(there ?? []), more] };
}

test("the evaluator decides as the flow chart written down plainly does", () => {
  const seen = new Map<string, number>();
  fc.assert(
    fc.property(situations, (situation) => {
      const decision = decide(situation);
      seen.set(decision, (seen.get(decision) ?? 0) + 1);
      expect(decision).toBe(oracle(situation));
    }),
    { numRuns: 4_000 },
  );
  for (const outcome of ["allowed", "explicitDeny", "implicitDeny"]) expect(seen.get(outcome)).toBeGreaterThan(200);
});

test("adding a Deny never allows", () => {
  fc.assert(
    fc.property(situations, anyPlace, forPrincipal, (situation, place, drawn) => {
      const { Principal, ...statement } = { ...drawn, Effect: "Deny" as const };
      const more = place === "resourcePolicy" ? { ...statement, ...(Principal && { Principal }) } : statement;
      if (decide(situation) !== "allowed") expect(decide(withMore(situation, place, more))).not.toBe("allowed");
    }),
    { numRuns: 2_000 },
  );
});

test("adding an Allow never denies", () => {
  fc.assert(
    fc.property(situations, anyPlace, forPrincipal, (situation, place, drawn) => {
      const { Principal, ...statement } = { ...drawn, Effect: "Allow" as const };
      const more = place === "resourcePolicy" ? { ...statement, ...(Principal && { Principal }) } : statement;
      if (decide(situation) === "allowed") expect(decide(withMore(situation, place, more))).toBe("allowed");
    }),
    { numRuns: 2_000 },
  );
});

test("the order of statements never matters", () => {
  fc.assert(
    fc.property(situations, (situation) => {
      const turned = Object.fromEntries(places.map((place) => [place, situation[place]?.toReversed()]));
      expect(decide({ ...situation, ...turned })).toBe(decide(situation));
    }),
    { numRuns: 1_000 },
  );
});

test("a policy that is divided into one for each statement decides the same", () => {
  fc.assert(
    fc.property(situations, (situation) => {
      const { principal, action, resource, resourceAccount } = situation;
      const context = new Map(Object.entries(situation.context));
      const base = {
        principal,
        action,
        resource,
        resourceAccount,
        context,
        permissionsBoundary: undefined,
        sessionPolicies: [],
        resourcePolicy: undefined,
        resourcePolicyRequired: false,
      };
      const together = evaluate({ ...base, identityPolicies: toPolicies("identity", situation.identity) });
      const apart = situation.identity.flatMap((one) => toPolicies("identity", [one]));
      expect(evaluate({ ...base, identityPolicies: apart }).decision).toBe(together.decision);
    }),
    { numRuns: 500 },
  );
});
