import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startHarness } from "./harness.ts";
import type { Harness } from "./harness.ts";

// Long enough to load for it to be worth keeping.
const slow = `const until = Date.now() + 60; while (Date.now() < until);`;
const tells = `exports.handler = async () => {
  const fs = require("node:fs");
  const kept = fs.readdirSync("/var/compiled");
  let written;
  try { fs.writeFileSync("/var/compiled/x", "x"); } catch (error) { written = error.code; }
  return { used: require("node:module").getCompileCacheDir() !== undefined, kept: kept.length, written };
};`;

describe.skipIf(!existsSync("/usr/bin/bwrap"))("what V8 has compiled of a version (skipped without bubblewrap)", () => {
  let harness: Harness;
  beforeAll(async () => {
    harness = await startHarness("namespaces");
  });
  afterAll(() => harness.stop());

  const kept = () => {
    const folder = join(harness.dataDir, "compiled");
    return existsSync(folder) ? readdirSync(folder).filter((name) => !name.startsWith("making-")) : [];
  };

  it("is made after a slow init, and read, never written, by later environments of that version alone", async () => {
    const files = { "index.cjs": slow + tells };
    const spec = await harness.define(files);
    expect(await harness.answer(spec, {})).toEqual({ used: false, kept: 0, written: "EROFS" });
    await expect.poll(() => kept().length, { timeout: 20_000 }).toBe(1);
    harness.compute.retire(spec.id);
    expect(await harness.answer(spec, {})).toEqual({ used: true, kept: 1, written: "EROFS" });
    const other = await harness.define(files);
    expect(await harness.answer(other, {})).toEqual({ used: false, kept: 0, written: "EROFS" });
  });

  it("is not made of functions that load quickly, that say so, or that cannot be loaded twice", async () => {
    const before = kept().length;
    const quick = await harness.define({ "index.cjs": tells });
    const asks = await harness.define(
      { "index.cjs": slow + tells },
      { environment: { NODE_DISABLE_COMPILE_CACHE: "1" } },
    );
    const fails = `${slow} if (process.env.AWS_ACCESS_KEY_ID === undefined) throw new Error("alone");`;
    const unwilling = await harness.define({ "index.cjs": fails + tells });
    for (const spec of [quick, asks, unwilling]) {
      expect(await harness.answer(spec, {})).toMatchObject({ used: false, kept: 0 });
    }
    // The next that is made says that those before it have been looked at.
    const last = await harness.define({ "index.cjs": slow + tells });
    await harness.answer(last, {});
    await expect.poll(() => kept().length, { timeout: 20_000 }).toBeGreaterThan(before);
    harness.compute.retire(unwilling.id);
    expect(await harness.answer(unwilling, {})).toMatchObject({ used: false, kept: 0 });
  });
});
