import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseHeader, parseLine, parseRow } from "./csv.ts";

describe("A line of a file of users", () => {
  test.each([
    ["a,b,", ["a", "b", ""]],
    ['"a,b","say ""hi"""', ["a,b", 'say "hi"']],
    ["1 Any Street\\, Town,\\\\", ["1 Any Street, Town", "\\"]],
    ["", [""]],
  ])("%s", (line, values) => {
    expect(parseLine(line)).toEqual(values);
  });

  test.each([['"a'], ['"a"b,c']])("%s is none", (line) => {
    expect(parseLine(line)).toBeUndefined();
  });

  test("whatever is quoted comes back", () => {
    fc.assert(
      fc.property(fc.array(fc.string(), { minLength: 1 }), (values) => {
        const line = values.map((value) => `"${value.replaceAll('"', '""')}"`).join(",");
        expect(parseLine(line)).toEqual(values);
      }),
    );
  });

  test("nothing makes it throw", () => {
    fc.assert(fc.property(fc.string(), (line) => void parseRow(line, ["cognito:username", "email"])));
  });
});

test("a header has the pool's columns, all of them, in any order", () => {
  const columns = ["email", "cognito:mfa_enabled", "cognito:username"];
  expect(parseHeader("cognito:username,email,cognito:mfa_enabled", columns)).toEqual([
    "cognito:username",
    "email",
    "cognito:mfa_enabled",
  ]);
  for (const header of ["cognito:username,email", "cognito:username,email,email", "a,b,c", ""]) {
    expect(parseHeader(header, columns)).toBeUndefined();
  }
});

test("a user whose codes are wanted has a number to send them to", () => {
  const names = ["cognito:username", "cognito:mfa_enabled", "phone_number"];
  expect(parseRow("ann,TRUE,+4912345", names)).toEqual({
    username: "ann",
    attributes: { phone_number: "+4912345" },
    mfa: ["SMS_MFA"],
  });
  expect(parseRow("ann,true,", names)).toHaveProperty("problem");
  expect(parseRow("ann,perhaps,", names)).toHaveProperty("problem");
  expect(parseRow("ann,false", names)).toHaveProperty("problem");
});
