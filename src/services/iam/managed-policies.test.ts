import { expect, test } from "vitest";
import { createPolicyCompiler } from "../../access/policy/compile.ts";
import { awsPolicies, awsPolicyArns, findAwsPolicy } from "./managed-policies.ts";

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

test("what belongs to service-linked roles cannot be attached, so it is not there", () => {
  expect(Object.values(awsPolicyArns()).filter((arn) => arn.includes("/aws-service-role/"))).toEqual([]);
  expect(awsPolicyArns()["AWSLambdaBasicExecutionRole"]).toBe(
    "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole",
  );
});

test("ids, names and ARNs are each policy's own", async () => {
  const policies = await awsPolicies();
  expect(policies.map(({ arn }) => arn)).toEqual(Object.values(awsPolicyArns()));
  for (const key of ["id", "name", "arn"] as const) {
    expect(new Set(policies.map((policy) => policy[key])).size).toBe(policies.length);
  }
});
