import { expect, test } from "vitest";
import { authorizationReference } from "../../access/reference/reference.generated.ts";
import { providerClaimKeys } from "./provider-claims.ts";

/** What AWS documents, with something for its placeholders; claims that every provider has, and SAML's, aside. */
const documented = (authorizationReference["sts"]?.actions["AssumeRoleWithWebIdentity"]?.[1] ?? [])
  .map((key) => key.replaceAll(/\$\{[^}]+\}/g, "example"))
  .filter((key) => key.includes(".") && !/:(?:sub|aud|oaud|amr|id|app_id|user_id)$/.test(key))
  .concat("gitlab.com:user_id");

test("each claim of a provider that AWS documents is a condition key", () => {
  expect(documented.length).toBeGreaterThan(50);
  for (const key of new Set(documented)) {
    const at = key.lastIndexOf(":");
    const [name, claim] = [key.slice(0, at), key.slice(at + 1)];
    const [outer, inner] = claim.split("/");
    const claims = outer === "google" ? { google: { [inner ?? ""]: 7 } } : { [claim]: "x" };
    expect(providerClaimKeys(name, claims), key).toEqual({ [key]: [outer === "google" ? "7" : "x"] });
  }
});

test.each([
  ["another provider's", "example.com", { repository: "a/b" }],
  ["one that is like it", "token.actions.githubusercontent.com.example.com", { repository: "a/b" }],
  ["an object", "gitlab.com", { user_email: { a: 1 } }],
  ["what every object has", "gitlab.com", {}],
])("no key is made of %s", (_what, name, claims) => {
  expect(providerClaimKeys(name, claims)).toEqual({});
});
