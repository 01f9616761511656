import { expect, test } from "vitest";
import { createPolicyCompiler } from "../../access/policy/compile.ts";
import { awsPolicies, awsPolicyArns, findAwsPolicy, isAttachableAwsPolicy } from "./managed-policies.ts";
import { linkedPolicyArn, linkedRoles } from "./service-linked-roles.ts";

test("every policy of AWS is one that the evaluator can read", async () => {
  const compile = createPolicyCompiler();
  for (const { arn, versions, defaultVersionId } of await awsPolicies()) {
    expect(
      versions.map(({ id }) => id),
      arn,
    ).toEqual([defaultVersionId]);
    expect(compile(versions[0]?.document ?? "", "identity").statements.length, arn).toBeGreaterThan(0);
  }
});

test("a policy is found by its whole ARN, path included", async () => {
  const arn = "arn:aws:iam::aws:policy/service-role/AWSLambdaSQSQueueExecutionRole";
  expect(await findAwsPolicy(arn)).toMatchObject({
    arn,
    name: "AWSLambdaSQSQueueExecutionRole",
    path: "/service-role/",
    id: "ANPAJFWJZI6JNND4TSELK",
    defaultVersionId: "v1",
    createdAt: Date.parse("2018-06-14T21:50:45Z"),
  });
  expect(await findAwsPolicy("arn:aws:iam::aws:policy/AWSLambdaSQSQueueExecutionRole")).toBeUndefined();
  expect(await findAwsPolicy("arn:aws:iam::aws:policy/toString")).toBeUndefined();
});

test("every service-linked role has a policy with its document, which nothing else can be given", async () => {
  for (const { policy } of Object.values(linkedRoles)) {
    const arn = linkedPolicyArn(policy);
    expect(await findAwsPolicy(arn), policy).toMatchObject({ path: "/aws-service-role/", name: policy });
    expect(isAttachableAwsPolicy(arn)).toBe(false);
  }
  expect(Object.values(awsPolicyArns()).filter((arn) => arn.includes("/aws-service-role/"))).toEqual([]);
  expect(awsPolicyArns()["AWSLambdaBasicExecutionRole"]).toBe(
    "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole",
  );
});

test("ids, names and ARNs are each policy's own", async () => {
  const policies = await awsPolicies();
  expect(policies.map(({ arn }) => arn).filter(isAttachableAwsPolicy)).toEqual(Object.values(awsPolicyArns()));
  for (const key of ["id", "name", "arn"] as const) {
    expect(new Set(policies.map((policy) => policy[key])).size).toBe(policies.length);
  }
});
