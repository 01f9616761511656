import fc from "fast-check";
import { expect, test } from "vitest";
import { httpClaim, poolClaim } from "./claim-text.ts";
import { parseGrant } from "./lambda-grant.ts";
import { bareToken, verifyToken } from "../../../access/tokens/token.ts";
import { compileWholeMatch } from "./whole-match.ts";

const nobody = { findKey: () => Promise.resolve(undefined) };
const encode = (value: unknown) => Buffer.from(JSON.stringify(value) ?? "").toString("base64url");

test("Whatever a client sends as a token is refused with a reason that fits into a header, and nothing is thrown", async () => {
  const part = fc.oneof(
    fc.string(),
    fc.base64String(),
    fc.json().map((text) => Buffer.from(text).toString("base64url")),
  );
  const forged = fc
    .tuple(
      fc.record({
        alg: fc.oneof(fc.constant("RS256"), fc.string(), fc.anything()),
        kid: fc.oneof(fc.string(), fc.anything()),
      }),
      fc.record({ iss: fc.constant("https://issuer.example"), exp: fc.anything(), aud: fc.anything() }),
      fc.base64String(),
    )
    .map(([header, claims, signature]) => `${encode(header)}.${encode(claims)}.${signature}`);
  const token = fc.oneof(
    fc.string(),
    fc.array(part, { maxLength: 5 }).map((parts) => parts.join(".")),
    forged,
  );
  await fc.assert(
    fc.asyncProperty(token, async (text) => {
      const outcome = await verifyToken(nobody, ["https://issuer.example"], bareToken(text), 0);
      expect(outcome.outcome).toBe("refused");
      if (outcome.outcome === "refused") expect(outcome.reason).toMatch(/^[\w .,':-]+$/);
    }),
  );
});

test("Whatever a function answers is a decision or nothing, and only a policy or a simple response lets anybody in", () => {
  const answer = fc.oneof(
    fc.jsonValue(),
    fc.record(
      {
        principalId: fc.jsonValue(),
        context: fc.jsonValue(),
        policyDocument: fc.oneof(
          fc.jsonValue(),
          fc.record({ Version: fc.constant("2012-10-17"), Statement: fc.jsonValue() }),
        ),
      },
      { requiredKeys: [] },
    ),
  );
  fc.assert(
    fc.property(answer, fc.boolean(), (value, simpleResponses) => {
      for (const kind of ["rest", "http"] as const) {
        const grant = parseGrant(Buffer.from(JSON.stringify(value)), { kind, simpleResponses });
        expect(grant?.decide("arn:aws:execute-api:us-east-1:000000000000:a/b/GET/", () => new Map())).not.toBe(
          "allowed",
        );
      }
    }),
  );
});

test("Claims of any shape become text", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      expect([typeof httpClaim(value), typeof poolClaim("exp", value)]).toEqual(["string", "string"]);
    }),
  );
});

test("A validation expression that a token would keep busy does not match, soon", () => {
  const matches = compileWholeMatch("(a+)+b");
  expect([matches?.("aaab"), matches?.("a".repeat(60))]).toEqual([true, false]);
});
