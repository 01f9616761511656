import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parsePolicyDocument, PolicyGrammarError } from "./document.ts";
import { findDuplicateKey } from "./duplicate-keys.ts";

const statement = '"Effect":"Allow","Action":"s3:*","Resource":"*"';

describe("a key that stands twice", () => {
  test.each([
    ["in the document", `{"Version":"2012-10-17","Version":"2008-10-17","Statement":[{${statement}}]}`],
    ["in a statement", `{"Statement":[{${statement},"Effect":"Deny"}]}`],
    ["spelled with an escape", `{"Statement":[{${statement},"\\u0045ffect":"Deny"}]}`],
    ["as an operator", `{"Statement":[{${statement},"Condition":{"Bool":{"aws:a":"true"},"Bool":{"aws:b":"true"}}}]}`],
    ["as a condition key", `{"Statement":[{${statement},"Condition":{"Bool":{"aws:a":"true","aws:a":"false"}}}]}`],
    [
      "as a condition key, in other case",
      `{"Statement":[{${statement},"Condition":{"Bool":{"aws:a":"1","AWS:A":"2"}}}]}`,
    ],
  ])("%s is refused", (_name, text) => {
    expect(() => parsePolicyDocument(text, "identity")).toThrow(new PolicyGrammarError("Syntax errors in policy."));
  });

  test("in two objects is none", () => {
    const text = `{"Statement":[{${statement}},{${statement},"Condition":{"Bool":{"aws:a":"true"},"Null":{"aws:a":"true"}}}]}`;
    expect(parsePolicyDocument(text, "identity").statements).toHaveLength(2);
  });

  test("is found wherever it is, and nowhere else", () => {
    fc.assert(
      fc.property(fc.json(), fc.string(), (json, key) => {
        expect(findDuplicateKey(json)).toBeUndefined();
        const twice = `{"outer":[${json},{${JSON.stringify(key)}:${json},"other,\\"{":1,${JSON.stringify(key)}:2}]}`;
        expect(findDuplicateKey(twice)).toBe(key);
      }),
    );
  });
});

function of(effect: string): string {
  return `{"Statement":{"Effect":"${effect}","NotPrincipal":{"AWS":"111122223333"},"Action":"s3:*","Resource":"*"}}`;
}

describe("NotPrincipal", () => {
  test("goes with Deny in a resource's policy", () => {
    expect(parsePolicyDocument(of("Deny"), "resource").statements[0]?.principals?.not).toBe(true);
  });

  test.each([
    ["with Allow", "Allow", "resource"],
    ["in a policy of an identity", "Deny", "identity"],
    ["in a trust policy", "Deny", "trust"],
  ] as const)("is refused %s", (_name, effect, kind) => {
    expect(() => parsePolicyDocument(of(effect), kind)).toThrow(PolicyGrammarError);
  });
});
