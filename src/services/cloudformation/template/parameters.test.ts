import { describe, expect, test } from "vitest";
import { readParameters } from "./document.ts";
import { resolveParameters } from "./parameters.ts";
import type { JsonObject } from "./parse.ts";
import { TemplateError } from "./template-error.ts";

function resolve(declaration: JsonObject, value?: string, previous?: string): string | undefined {
  const declarations = readParameters({ Parameters: { P: declaration } });
  const given = new Map(value === undefined && previous === undefined ? [] : [["P", value]]);
  const before = new Map(previous === undefined ? [] : [["P", previous]]);
  return resolveParameters(declarations, given, before).get("P");
}

describe("parameters", () => {
  test("take what is given, else what was, else the default", () => {
    expect(resolve({ Type: "String", Default: "d" }, "g")).toBe("g");
    expect(resolve({ Type: "String", Default: "d" }, undefined, "p")).toBe("p");
    expect(resolve({ Type: "String", Default: "d" })).toBe("d");
    expect(resolve({ Type: "Number", Default: 5 })).toBe("5");
  });

  test.each<[JsonObject, string | undefined, string]>([
    [{ Type: "String" }, undefined, "Parameters: [P] must have values"],
    [{ Type: "String", AllowedValues: ["a"] }, "b", "Parameter 'P' must be one of AllowedValues"],
    [{ Type: "String", AllowedPattern: "[a-z]+" }, "A", "Parameter 'P' must match pattern [a-z]+"],
    [{ Type: "String", AllowedPattern: "[a-z]+" }, "a1", "Parameter 'P' must match pattern [a-z]+"],
    [
      { Type: "String", AllowedPattern: "[a-z]+", ConstraintDescription: "letters" },
      "1",
      "Parameter 'P' failed to satisfy constraint: letters",
    ],
    [{ Type: "String", MinLength: 2 }, "a", "Parameter 'P' must contain at least 2 characters"],
    [{ Type: "String", MaxLength: 2 }, "abc", "Parameter 'P' must contain at most 2 characters"],
    [{ Type: "Number" }, "x", "Parameter 'P' must be a number."],
    [{ Type: "Number", MinValue: 3 }, "2", "Parameter 'P' must be a number not less than 3"],
    [{ Type: "Number", MaxValue: 3 }, "4", "Parameter 'P' must be a number not greater than 3"],
    [{ Type: "List<Number>", MaxValue: 3 }, "1,4", "Parameter 'P' must be a number not greater than 3"],
    [{ Type: "Stringy" }, "x", "Template format error: Unrecognized parameter type: Stringy"],
    [
      { Type: "AWS::SSM::Parameter::Value<String>" },
      "x",
      "The type AWS::SSM::Parameter::Value<String> of parameter [P] is not implemented by Cumulet",
    ],
  ])("%j refuses %j", (declaration, value, message) => {
    expect(() => resolve(declaration, value)).toThrow(new TemplateError(message));
  });

  test("a pattern that backtracks without end is stopped", () => {
    const value = `${"a".repeat(40)}!`;
    expect(() => resolve({ Type: "String", AllowedPattern: "(a+)+" }, value)).toThrow(TemplateError);
  });

  test("that the template does not have are refused", () => {
    const given = new Map([["Q", "1"]]);
    expect(() => resolveParameters(new Map(), given, new Map())).toThrow(
      new TemplateError("Parameters: [Q] do not exist in the template"),
    );
  });
});
