import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { SamTransformError, transformSam } from "./transform.ts";

interface Case {
  readonly name: string;
  readonly kind: "success" | "error";
  readonly input: Record<string, unknown>;
  readonly expected: Record<string, unknown>;
  readonly inScope: boolean;
}

interface Pairs {
  readonly region: string;
  readonly parameters: Record<string, unknown>;
  readonly managedPolicies: Record<string, string>;
  readonly cases: readonly Case[];
}

const folder =
  process.env["CUMULET_CONFORMANCE_DATA"] ?? path.resolve(import.meta.dirname, "../../../../../shared/data");
const file = path.join(folder, "sam-pairs.json");
const present = existsSync(file);

/** The least shares of the published pairs that must be equal. */
const floors = { successInScope: 0.96, errorsInScope: 1, all: 0.79 };

describe.skipIf(!present)(`AWS's published SAM templates${present ? "" : " (skipped: no conformance data)"}`, () => {
  const pairs: Pairs = present
    ? (JSON.parse(readFileSync(file, "utf8")) as Pairs)
    : { region: "", parameters: {}, managedPolicies: {}, cases: [] };

  const failing = (cases: readonly Case[]): string[] =>
    cases.filter((one) => !isEqual(pairs, one)).map(({ name }) => name);

  const groups: readonly (readonly [name: string, floor: number, cases: readonly Case[]])[] = [
    ["templates in scope", floors.successInScope, pairs.cases.filter((one) => one.inScope && one.kind === "success")],
    ["errors in scope", floors.errorsInScope, pairs.cases.filter((one) => one.inScope && one.kind === "error")],
    ["everything", floors.all, pairs.cases],
  ];

  it.each(groups)("%s are transformed as AWS does, in a share of at least %d", (_name, floor, cases) => {
    const wrong = failing(cases);
    const share = 1 - wrong.length / cases.length;
    expect(share, `${share}: ${wrong.length} of ${cases.length} differ: ${wrong.join(" ")}`).toBeGreaterThanOrEqual(
      floor,
    );
  });
});

function isEqual(pairs: Pairs, { kind, input, expected }: Case): boolean {
  try {
    const { template } = transformSam(input, {
      parameters: pairs.parameters,
      region: pairs.region,
      managedPolicies: pairs.managedPolicies,
      now: 0,
    });
    return kind === "success" && normalized(template) === normalized(expected);
  } catch (error) {
    if (!(error instanceof SamTransformError)) throw error;
    return kind === "error" && error.message === expected["errorMessage"];
  }
}

/** Lists are compared without order; ids of REST deployments end in a hash of AWS's own. */
function normalized(value: unknown): string {
  const text = JSON.stringify(value)
    .replace(/Deployment[0-9a-f]{10}\b/g, "Deployment#")
    .replace(/RestApi deployment id: [0-9a-f]{40}/g, "RestApi deployment id: #");
  return JSON.stringify(sorted(JSON.parse(text)));
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map((item) => JSON.stringify(sorted(item))).toSorted();
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, item]) => [key, sorted(item)]),
  );
}
