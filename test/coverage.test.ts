import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { computeCoverage } from "../tools/coverage.ts";

test("docs/coverage.md says what is built (npm run coverage writes it)", async () => {
  const written = await readFile(join(import.meta.dirname, "../docs/coverage.md"), "utf8");
  expect(written).toBe(await computeCoverage());
});
