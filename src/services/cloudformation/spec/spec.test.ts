import { describe, expect, test } from "vitest";
import { admits } from "./check-properties.ts";
import { coerceProperties, PropertyTypeError } from "./coerce.ts";
import { findResourceSpec, isAwsResourceType } from "./resource-spec.ts";

describe("the specification", () => {
  test("knows every type by name, and those of the product in detail", () => {
    expect(isAwsResourceType("AWS::EC2::Instance")).toBe(true);
    expect(isAwsResourceType("AWS::EC2::Instances")).toBe(false);
    expect(isAwsResourceType("AWS::__proto__::x")).toBe(false);
    expect(findResourceSpec("AWS::EC2::Instance")).toBeUndefined();
    const spec = findResourceSpec("AWS::Lambda::Function");
    expect(spec?.replacement("FunctionName")).toBe("always");
    expect(spec?.replacement("MemorySize")).toBe("never");
    expect(spec?.properties.get("Code")?.required).toBe(true);
    expect(spec?.attributes).toContain("Arn");
  });
});

describe("the properties a type admits", () => {
  test.each([
    [["Code.S3Bucket"], "Code", true],
    [["Code.S3Bucket"], "Code.S3Bucket", true],
    [["Code.S3Bucket"], "Code.ZipFile", false],
    [["Code"], "Code.ZipFile", true],
    [["Code.*"], "Code.ZipFile.deep", true],
    [["Tags[].Key"], "Tags", true],
    [["Tags[].Key"], "Tags[].Key", true],
    [["Tags[].Key"], "Tags[].Value", false],
    [["Tags"], "Tags[].Value", true],
    [["Map.*.A"], "Map.*.A", true],
    [["Tag"], "Tags", false],
    [[], "Anything", false],
  ])("%j: %s %s", (admitted, path, expected) => {
    expect(admits(admitted, path)).toBe(expected);
  });
});

const coerce = (properties: object) =>
  coerceProperties("AWS::Lambda::Function", "F", JSON.parse(JSON.stringify(properties)));

describe("values", () => {
  test("become of their property's type", () => {
    expect(coerce({ MemorySize: "256", FunctionName: 12, Environment: { Variables: { A: 1, B: true } } })).toEqual({
      MemorySize: 256,
      FunctionName: "12",
      Environment: { Variables: { A: "1", B: "true" } },
    });
  });

  test.each([
    [{ MemorySize: "many" }, "#/MemorySize: expected type: Integer, found: String"],
    [{ MemorySize: 1.5 }, "#/MemorySize: expected type: Integer, found: Double"],
    [{ Layers: "one" }, "#/Layers: expected type: JSONArray, found: String"],
    [{ Environment: ["a"] }, "#/Environment: expected type: JSONObject, found: JSONArray"],
    [{ FunctionName: { a: 1 } }, "#/FunctionName: expected type: String, found: JSONObject"],
    [{ PublishToLatestPublished: "maybe" }, "#/PublishToLatestPublished: expected type: Boolean, found: String"],
  ])("%j is refused", (properties, message) => {
    expect(() => coerce(properties)).toThrow(PropertyTypeError);
    expect(() => coerce(properties)).toThrow(`Properties validation failed for resource F with message:\n${message}`);
  });
});
