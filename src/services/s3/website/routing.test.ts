import fc from "fast-check";
import { expect, test } from "vitest";
import type { RoutingRule } from "./configuration.ts";
import { findRule, toLocation } from "./routing.ts";

const at = { protocol: "http", host: "site.example:4566", base: "" } as const;

test.each<readonly [string, RoutingRule, string, string]>([
  ["nothing but the host", { to: { host: "b.example" } }, "a/b", "http://b.example/a/b"],
  ["the prefix", { prefix: "a/", to: { prefix: "z/" } }, "a/b", "http://site.example:4566/z/b"],
  ["a prefix away", { prefix: "a/", to: { prefix: "" } }, "a/b", "http://site.example:4566/b"],
  ["a prefix before everything", { to: { prefix: "new/" } }, "a", "http://site.example:4566/new/a"],
  ["the whole key", { prefix: "a", to: { key: "error.html" } }, "a/b", "http://site.example:4566/error.html"],
  ["a key with a query", { to: { prefix: "find?path=" } }, "a b", "http://site.example:4566/find?path=a%20b"],
  ["what is asked for, and no more", { to: { host: "b.example" } }, "a?b=c", "http://b.example/a%3Fb%3Dc"],
  ["the protocol", { to: { protocol: "https" } }, "é#1", "https://site.example:4566/%C3%A9%231"],
])("A rule replaces %s", (_what, rule, key, location) => {
  expect(toLocation(rule, key, at)).toBe(location);
});

test("The first rule that holds counts, and one that waits for an error waits", () => {
  const rule = fc.record(
    { prefix: fc.constantFrom("", "a", "a/", "b"), errorCode: fc.constantFrom(403, 404), to: fc.constant({}) },
    { requiredKeys: ["to"] },
  );
  fc.assert(
    fc.property(
      fc.array(rule, { maxLength: 5 }),
      fc.constantFrom("a", "a/b", "b", ""),
      fc.constantFrom(undefined, 403, 404, 412),
      (rules, key, errorCode) => {
        const found = findRule(rules, key, errorCode);
        const holds = (each: (typeof rules)[number]) =>
          each.errorCode === errorCode && key.startsWith(each.prefix ?? "");
        expect(found).toBe(rules.find(holds));
      },
    ),
  );
});
