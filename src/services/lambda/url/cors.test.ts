import fc from "fast-check";
import { expect, test } from "vitest";
import { compileUrlCors } from "./cors.ts";
import type { UrlCors } from "./records.ts";

const origin = fc.constantFrom("https://a.example", "https://b.example", "http://localhost:3000", "HTTPS://A.example");
const settings: fc.Arbitrary<UrlCors> = fc.record(
  {
    allowCredentials: fc.boolean(),
    allowHeaders: fc.array(fc.constantFrom("x-a", "x-b", "*")),
    allowMethods: fc.array(fc.constantFrom("GET", "POST", "*")),
    allowOrigins: fc.array(fc.oneof(origin, fc.constant("*"))),
    exposeHeaders: fc.array(fc.constantFrom("x-c", "x-d")),
    maxAgeSeconds: fc.nat(86_400),
  },
  { requiredKeys: [] },
);

function toRecord(headers: readonly string[]): Record<string, string> {
  const entries: [string, string][] = [];
  for (let at = 0; at < headers.length; at += 2) entries.push([headers[at] ?? "", headers[at + 1] ?? ""]);
  return Object.fromEntries(entries);
}

test("An origin that is not allowed gets no header, an allowed one always its own name or *", () => {
  fc.assert(
    fc.property(settings, origin, (cors, asking) => {
      const compiled = compileUrlCors(cors);
      const listed = new Set((cors.allowOrigins ?? []).map((each) => each.toLowerCase()));
      const allowed = listed.has("*") || listed.has(asking.toLowerCase());
      for (const headers of [compiled.headers(asking), compiled.preflight(asking, "GET", "x-a")]) {
        expect(headers.length > 0).toBe(allowed);
        if (allowed) expect([asking, "*"]).toContain(toRecord(headers)["Access-Control-Allow-Origin"]);
      }
    }),
  );
});

test("What allows credentials never answers with a wildcard, and what does not never allows credentials", () => {
  fc.assert(
    fc.property(settings, origin, (cors, asking) => {
      for (const headers of [
        compileUrlCors(cors).headers(asking),
        compileUrlCors(cors).preflight(asking, "PUT", "x-z"),
      ]) {
        const record = toRecord(headers);
        if (cors.allowCredentials === true) expect(Object.values(record)).not.toContain("*");
        else expect(record).not.toHaveProperty("Access-Control-Allow-Credentials");
      }
    }),
  );
});

test("An answer that names an origin varies by it", () => {
  fc.assert(
    fc.property(settings, origin, (cors, asking) => {
      const record = toRecord(compileUrlCors(cors).headers(asking));
      expect(record["Vary"] === "Origin").toBe(record["Access-Control-Allow-Origin"] === asking);
    }),
  );
});

test("Only a preflight's answer tells methods, headers and the time it may be kept", () => {
  fc.assert(
    fc.property(settings, origin, (cors, asking) => {
      const record = toRecord(compileUrlCors(cors).headers(asking));
      for (const name of ["Allow-Methods", "Allow-Headers", "Max-Age"]) {
        expect(record).not.toHaveProperty(`Access-Control-${name}`);
      }
    }),
  );
});

test("A request without an Origin gets no header", () => {
  fc.assert(
    fc.property(settings, (cors) => {
      expect(compileUrlCors(cors).headers("")).toEqual([]);
    }),
  );
});
