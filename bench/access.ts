import { createAuthorizer } from "../src/access/authorize.ts";
import type { IdentitySource } from "../src/access/identity-source.ts";
import { createPolicyCompiler } from "../src/access/policy/compile.ts";
import type { NamedPolicy } from "../src/access/policy/evaluate.ts";
import type { Principal } from "../src/aws/principal.ts";
import { createLog } from "../src/kernel/log.ts";
import { median, ratio } from "./statistics.ts";
import type { Row } from "./table.ts";

/** Decisions per second, by what has a say. */
export type AccessSpeed = Readonly<Record<string, readonly number[]>>;

const account = "111122223333";
const rounds = 5;
const roundMs = 400;
const user: Principal = {
  type: "user",
  account,
  arn: `arn:aws:iam::${account}:user/ann`,
  userId: "AIDAEXAMPLE",
  userName: "ann",
  accessKeyId: "AKIAEXAMPLE",
};
const environment = {
  account,
  region: "us-east-1",
  sourceIp: "203.0.113.5",
  secureTransport: true,
  userAgent: "bench",
  now: Date.parse("2026-01-02T00:00:00Z"),
};
const request = { action: "s3:GetObject", resource: "arn:aws:s3:::bucket-499/home/ann/a.txt" };

/**
 * Whole decisions, as a service asks for them: the identity's policies, the condition keys of the request, the evaluation. The baseline is
 * what no evaluator can do without: looking one key of a map up and comparing two strings for each statement.
 */
export async function measureAccess(): Promise<AccessSpeed> {
  const speed: Record<string, number[]> = {};
  const subjects = [
    { name: "1 statement", decide: decider(1, false) },
    { name: "500 statements", decide: decider(500, false) },
    { name: "500 statements with conditions and variables", decide: decider(500, true) },
  ];
  for (let round = 0; round < rounds; round++) {
    for (const { name, decide } of subjects) (speed[name] ??= []).push(await perSecond(decide));
    (speed["500 comparisons of strings"] ??= []).push(await perSecond(comparisons(500)));
  }
  return speed;
}

export function accessRows(speed: AccessSpeed): Row[] {
  const aims: Readonly<Record<string, string>> = { "1 statement": "> 100,000", "500 statements": "> 5,000" };
  return [
    ...Object.entries(speed).map(([name, perSecond]) => ({
      what: name.startsWith("500 comparisons") ? `${name} (baseline)` : `policy decisions/s, ${name}`,
      value: Math.round(median(perSecond)),
      unit: "1/s",
      aim: aims[name],
    })),
    {
      what: "policy decisions, 500 statements / 500 comparisons of strings",
      value: ratio(speed["500 statements"] ?? [], speed["500 comparisons of strings"] ?? []),
      unit: "×",
    },
  ];
}

function decider(statements: number, conditions: boolean): () => Promise<void> {
  const compile = createPolicyCompiler();
  // As many as AWS lets one identity have: attached policies of some fifty statements each.
  const policies: NamedPolicy[] = [];
  for (let first = 0; first < statements; first += 50) {
    const count = Math.min(50, statements - first);
    const Statement = Array.from({ length: count }, (_, index) => statementOf(first + index, statements, conditions));
    const text = JSON.stringify({ Version: "2012-10-17", Statement });
    policies.push({ name: `policy ${first}`, policy: compile(text, "identity") });
  }
  const identity = { policies, permissionsBoundary: undefined, tags: { team: "a" } };
  const identities: IdentitySource = { findIdentity: () => identity, findManagedPolicy: () => undefined };
  const { authorize } = createAuthorizer({ identities, compile, log: createLog("silent", () => {}, Date.now) });
  return async () => await authorize(user, request, environment);
}

/** The last one allows, so that all are looked at. */
function statementOf(index: number, statements: number, conditions: boolean): object {
  const isLast = index === statements - 1;
  const bucket = isLast ? "bucket-499" : `bucket-${index}`;
  return {
    Effect: "Allow",
    Action: isLast ? ["s3:Get*", "s3:List*"] : ["s3:PutObject", "s3:Get*", "dynamodb:Query"],
    Resource: `arn:aws:s3:::${bucket}/home/\${aws:username}/*`,
    ...(conditions && {
      Condition: {
        StringLike: { "aws:PrincipalTag/team": ["a", "b*"] },
        IpAddress: { "aws:SourceIp": ["203.0.113.0/24"] },
      },
    }),
  };
}

function comparisons(count: number): () => Promise<void> {
  const wanted = Array.from({ length: count }, (_, index) => `arn:aws:s3:::bucket-${index}/home/ann/b.txt`);
  const given = new Map([["resource", request.resource]]);
  return () => {
    if (wanted.some((text) => given.get("resource") === text)) throw new Error("None of them is the same");
    return Promise.resolve();
  };
}

async function perSecond(decide: () => Promise<void>): Promise<number> {
  const from = performance.now();
  let decisions = 0;
  for (;;) {
    for (let at = 0; at < 50; at++) await decide();
    decisions += 50;
    const took = performance.now() - from;
    if (took >= roundMs) return (decisions * 1_000) / took;
  }
}
