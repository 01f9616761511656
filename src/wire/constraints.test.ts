import { describe, expect, test } from "vitest";
import { createConstraintChecker } from "./constraints.ts";
import { createModels } from "./tables/catalog.ts";
import { toValidationError } from "./validation-errors.ts";

const models = createModels();

async function refusal(service: string, operation: string, input: Record<string, unknown>) {
  const { model } = await models.load(service);
  const shape = model.operations.get(operation)?.input;
  if (!shape) throw new Error(`There is no ${service}:${operation}`);
  const violations = createConstraintChecker().check(shape, input);
  if (violations.length === 0) return undefined;
  const { code, status, message } = toValidationError(service, violations);
  return { code, status, message };
}

const role = "arn:aws:iam::123456789012:role/r";

describe("constraints", () => {
  test("an input that keeps them all is taken", async () => {
    expect(await refusal("lambda", "CreateFunction", { FunctionName: "f", Role: role, Code: {} })).toBeUndefined();
  });

  test("a required member that is absent is null to AWS", async () => {
    expect(await refusal("lambda", "CreateFunction", { Role: role, Code: {} })).toEqual({
      code: "ValidationException",
      status: 400,
      message:
        "1 validation error detected: Value null at 'functionName' failed to satisfy constraint: Member must not be null",
    });
  });

  test("items of lists are counted from 1, and called member", async () => {
    const long = "k".repeat(129);
    expect(
      await refusal("iam", "TagRole", {
        RoleName: "r",
        Tags: [
          { Key: "a", Value: "b" },
          { Key: long, Value: "b" },
        ],
      }),
    ).toEqual({
      code: "ValidationError",
      status: 400,
      message: `1 validation error detected: Value '${long}' at 'tags.2.member.key' failed to satisfy constraint: Member must have length less than or equal to 128`,
    });
  });

  test("a value longer than its maximum is not tried against its pattern", async () => {
    const name = "!".repeat(600);
    const message = (await refusal("logs", "CreateLogGroup", { logGroupName: name }))?.message;
    expect(message).toMatch(/^1 validation error detected: .*Member must have length less than or equal to 512$/);
  });

  test("a value out of an enum is told the whole set", async () => {
    expect((await refusal("dynamodb", "PutItem", { TableName: "tab", Item: {}, ReturnValues: "x" }))?.message).toBe(
      "1 validation error detected: Value 'x' at 'returnValues' failed to satisfy constraint: Member must satisfy enum value set: [NONE, ALL_OLD, UPDATED_OLD, ALL_NEW, UPDATED_NEW]",
    );
  });

  test("Lambda tells an unknown runtime apart", async () => {
    const refused = await refusal("lambda", "CreateFunction", {
      FunctionName: "f",
      Role: role,
      Code: {},
      Runtime: "cobol",
    });
    expect(refused?.code).toBe("InvalidParameterValueException");
    expect(refused?.message).toMatch(
      /^Value cobol at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: \[.*\] or be a valid ARN$/,
    );
  });

  test("S3 answers in its own words", async () => {
    expect((await refusal("s3", "DeleteObjects", { Bucket: "b" }))?.code).toBe("MissingRequestBodyError");
    expect((await refusal("s3", "PutObject", { Bucket: "b", Key: "k", StorageClass: "x" }))?.code).toBe(
      "InvalidStorageClass",
    );
  });

  test("a null within a list is refused", async () => {
    expect(
      (await refusal("lambda", "CreateFunction", { FunctionName: "f", Role: role, Code: {}, Layers: [null] }))?.message,
    ).toBe(
      "1 validation error detected: Value null at 'layers.1.member' failed to satisfy constraint: Member must not be null",
    );
  });

  test("what a service of the platform passes with a wrong type is refused as well", async () => {
    expect(
      (await refusal("lambda", "CreateFunction", { FunctionName: "f", Role: role, Code: {}, Timeout: "3" }))?.message,
    ).toMatch(/at 'timeout' failed to satisfy constraint: Member must be a number$/);
  });
});
