import { expect, test } from "vitest";
import { compilePolicy } from "./compile.ts";
import { parsePolicyDocument } from "./document.ts";

const blanks = " ".repeat(20_000);
const digits = "1".repeat(100_000);
const stars = "*a".repeat(2_000);

function statement(resource: string, condition: object = {}): string {
  const written = { Effect: "Allow", Action: "s3:*", Resource: resource, Condition: condition };
  return JSON.stringify({ Version: "2012-10-17", Statement: [written] });
}

// Whoever may write a policy must not be able to hold up everybody else's requests with it.
test.each([
  ["a variable of blanks", statement(`arn:aws:s3:::\${${blanks},}`)],
  ["a variable of blanks around its name", statement(`arn:aws:s3:::\${${blanks}aws:username${blanks},${blanks}'}`)],
  ["variables that do not end", statement(`arn:aws:s3:::${"${".repeat(20_000)}`)],
  ["a number that is none", statement("*", { NumericEquals: { "s3:max-keys": `${digits}x` } })],
  ["a date that is none", statement("*", { DateEquals: { "aws:CurrentTime": `${digits}x` } })],
  ["an address that is none", statement("*", { IpAddress: { "aws:SourceIp": `${"1.".repeat(50_000)}/8` } })],
  ["a text of 400,000 characters", statement(`arn:aws:s3:::${"a".repeat(400_000)}`)],
  ["a text of 400,000 characters before a wildcard", statement(`arn:aws:s3:::${"a".repeat(400_000)}*`)],
  ["a thousand wildcards", statement(`arn:aws:s3:::${stars}`)],
  ["blanks for an operator's name", statement("*", { [`ForAllValues:${"a".repeat(50_000)}IfExist`]: {} })],
])("a policy with %s is read and matched within a second", (_what, text) => {
  const begun = performance.now();
  try {
    const { statements } = compilePolicy(parsePolicyDocument(text, "identity"));
    const context = new Map([["s3:max-keys", [`${digits}y`]]]);
    expect(statements[0]?.matches("s3:GetObject", `arn:aws:s3:::${"a".repeat(1_000)}b`, context)).toBe(false);
  } catch (error) {
    expect(error).toMatchObject({ name: "PolicyGrammarError" });
  }
  expect(performance.now() - begun).toBeLessThan(1_000);
});
