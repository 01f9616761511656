import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { MappingRule } from "./model.ts";
import { chooseRole, principalTagsOf } from "./role-choice.ts";

const roles = { authenticated: "default", unauthenticated: "guest" };
const token = (ambiguous: "AuthenticatedRole" | "Deny") => ({
  roles,
  roleMappings: { p: { type: "Token" as const, ambiguous } },
});
const rules = (ambiguous: "AuthenticatedRole" | "Deny", ...list: MappingRule[]) => ({
  roles,
  roleMappings: { p: { type: "Rules" as const, ambiguous, rules: list } },
});
const rule = (claim: string, match: MappingRule["match"], value: string, roleArn: string) => ({
  claim,
  match,
  value,
  roleArn,
});

describe("the role of an authenticated identity", () => {
  test("is the pool's authenticated role where the provider has no mapping", () => {
    expect(chooseRole({ roles, roleMappings: {} }, "p", {}, undefined)).toEqual({ role: "default" });
    expect(chooseRole({ roles: {}, roleMappings: {} }, "p", {}, undefined)).toEqual({ refused: "none" });
  });

  test("is by token the preferred one, then the only one", () => {
    const claims = { "cognito:roles": ["a", "b"], "cognito:preferred_role": "b" };
    expect(chooseRole(token("Deny"), "p", claims, undefined)).toEqual({ role: "b" });
    expect(chooseRole(token("Deny"), "p", { "cognito:roles": ["a"] }, undefined)).toEqual({ role: "a" });
  });

  test("is resolved or denied where the token is ambiguous", () => {
    const claims = { "cognito:roles": ["a", "b"] };
    expect(chooseRole(token("Deny"), "p", claims, undefined)).toEqual({ refused: "denied" });
    expect(chooseRole(token("AuthenticatedRole"), "p", claims, undefined)).toEqual({ role: "default" });
  });

  test("may be asked for only among those of the token", () => {
    const claims = { "cognito:roles": ["a", "b"] };
    expect(chooseRole(token("Deny"), "p", claims, "a")).toEqual({ role: "a" });
    expect(chooseRole(token("Deny"), "p", claims, "c")).toEqual({ refused: "mismatch" });
    expect(chooseRole({ roles, roleMappings: {} }, "p", claims, "a")).toEqual({ refused: "mismatch" });
  });

  test("is the first rule's that holds", () => {
    const pool = rules(
      "Deny",
      rule("dept", "Equals", "x", "1"),
      rule("dept", "StartsWith", "x", "2"),
      rule("dept", "Contains", "z", "3"),
    );
    expect(chooseRole(pool, "p", { dept: "x" }, undefined)).toEqual({ role: "1" });
    expect(chooseRole(pool, "p", { dept: "xy" }, undefined)).toEqual({ role: "2" });
    expect(chooseRole(pool, "p", { dept: ["a", "yz"] }, undefined)).toEqual({ role: "3" });
    expect(chooseRole(pool, "p", { dept: "q" }, undefined)).toEqual({ refused: "denied" });
    expect(chooseRole(pool, "p", {}, undefined)).toEqual({ refused: "denied" });
  });

  test("is no rule's for claims that objects have without saying so", () => {
    const pool = rules("Deny", rule("constructor", "NotEqual", "x", "1"));
    expect(chooseRole(pool, "p", {}, undefined)).toEqual({ refused: "denied" });
  });

  test("is always one of the pool's, the token's or a rule's", () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string(), fc.anything()),
        fc.option(fc.string(), { nil: undefined }),
        (claims, asked) => {
          const choice = chooseRole(rules("AuthenticatedRole", rule("a", "Contains", "", "1")), "p", claims, asked);
          if ("role" in choice) expect(["default", "1"]).toContain(choice.role);
        },
      ),
    );
  });
});

describe("session tags", () => {
  test("are by default the client and the subject", () => {
    const pool = { principalTags: { p: { useDefaults: true as const } } };
    expect(principalTagsOf(pool, "p", { aud: "c", sub: "s" })).toEqual({ client: "c", username: "s" });
    expect(principalTagsOf(pool, "q", { aud: "c", sub: "s" })).toEqual({});
  });

  test("leave out claims that are absent or not plain", () => {
    const pool = { principalTags: { p: { useDefaults: false as const, tags: { t: "dept", u: "nested", v: "none" } } } };
    expect(principalTagsOf(pool, "p", { dept: "x", nested: { a: 1 } })).toEqual({ t: "x" });
  });
});
