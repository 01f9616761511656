import fc from "fast-check";
import { expect, test } from "vitest";
import { createPolicyCompiler } from "../../../access/policy/compile.ts";
import { AwsError } from "../../../aws/error.ts";
import { toPolicy } from "./as-policy.ts";
import { formatAcl, grantsOfBody, grantsOfHeaders } from "./grants.ts";

const owner = "000000000000";
const owners = { owner, bucketOwner: "111122223333" };
const id = fc.string({ minLength: 64, maxLength: 64, unit: fc.constantFrom(..."0123456789abcdef") });
const group = fc.constantFrom("global/AllUsers", "global/AuthenticatedUsers", "s3/LogDelivery");
const grantee = fc.oneof(
  id.map((each) => `id="${each}"`),
  group.map((each) => `uri=http://acs.amazonaws.com/groups/${each}`),
);
const header = fc.array(grantee, { minLength: 1, maxLength: 4 }).map((each) => each.join(", "));

test("Grants in headers come back as they were given, and can be put as a body", () => {
  fc.assert(
    fc.property(fc.record({ GrantRead: header, GrantWriteACP: header, GrantFullControl: header }), (headers) => {
      const grants = grantsOfHeaders(headers, owners, "object") ?? [];
      const given = Object.values(headers).join(", ").split(", ").length;
      expect(grants).toHaveLength(given);
      expect(grantsOfBody(formatAcl(grants, owner), owner)).toEqual(grants);
    }),
  );
});

test("Whatever a header says is read or refused, never a bug", () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        header,
        fc.string().map((each) => `id=${each}`),
      ),
      (GrantRead) => {
        try {
          grantsOfHeaders({ GrantRead }, owners, "bucket");
        } catch (error) {
          expect(error).toBeInstanceOf(AwsError);
        }
      },
    ),
  );
});

test("Every list is a policy that the evaluator reads, and that only allows", () => {
  const compile = createPolicyCompiler();
  const canned = fc.constantFrom(
    "private",
    "public-read",
    "public-read-write",
    "authenticated-read",
    "bucket-owner-read",
  );
  const input = fc.oneof(
    canned.map((ACL) => ({ ACL })),
    fc.record({ GrantRead: header, GrantWrite: header, GrantReadACP: header }),
  );
  const owns = fc.constantFrom("nothing there" as const, "own" as const, "another's" as const);
  fc.assert(
    fc.property(input, fc.constantFrom("bucket" as const, "object" as const), owns, (asked, kind, whose) => {
      const text = toPolicy(grantsOfHeaders(asked, owners, kind) ?? [], kind, whose);
      if (text === undefined) return;
      const { statements } = compile(text, "resource");
      expect(statements.every(({ effect }) => effect === "Allow")).toBe(true);
      expect(statements.some((each) => each.isAbout("s3:DeleteObject"))).toBe(
        kind === "bucket" && whose === "own" && text.includes("s3:PutObject"),
      );
    }),
  );
});
