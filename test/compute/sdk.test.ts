import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startHarness } from "./harness.ts";
import type { Harness } from "./harness.ts";

const possible = existsSync("/usr/bin/bwrap") && existsSync(join(import.meta.dirname, "../../dist/sdk/node_modules"));

const required = `exports.handler = async () => require("@aws-sdk/client-s3").S3Client.name;`;
const imported = `import { S3Client } from "@aws-sdk/client-s3"; export const handler = async () => S3Client.name;`;
const own = `exports.S3Client = class Own {};`;

describe.skipIf(!possible)("the AWS SDK of the Node.js runtimes (skipped without bubblewrap or a build)", () => {
  let harness: Harness;
  beforeAll(async () => {
    harness = await startHarness("namespaces");
  });
  afterAll(() => harness.stop());

  it.each(["nodejs22.x", "nodejs24.x"])("is there for require and import in %s, each time", async (runtime) => {
    for (const files of [{ "index.cjs": required }, { "index.mjs": imported }]) {
      const first = await harness.define(files, { runtime });
      const second = await harness.define(files, { runtime });
      expect(await harness.answer(first, {})).toBe("S3Client");
      expect(await harness.answer(second, {})).toBe("S3Client");
    }
  });

  it("comes after what the function's package brings", async () => {
    for (const files of [{ "index.cjs": required }, { "index.mjs": imported }]) {
      const spec = await harness.define({ ...files, "node_modules/@aws-sdk/client-s3/index.js": own });
      expect(await harness.answer(spec, {})).toBe("Own");
    }
  });

  it("comes after what a layer brings", async () => {
    const layersDir = join(harness.dataDir, "layer");
    await mkdir(join(layersDir, "nodejs/node_modules/@aws-sdk/client-s3"), { recursive: true });
    await writeFile(join(layersDir, "nodejs/node_modules/@aws-sdk/client-s3/index.js"), own);
    for (const files of [{ "index.cjs": required }, { "index.mjs": imported }]) {
      expect(await harness.answer(await harness.define(files, { layersDir }), {})).toBe("Own");
    }
  });

  it("lacks what is not part of it, with the errors of a missing module", async () => {
    for (const name of ["@aws-sdk/client-absent", "lmdb", "yaml"]) {
      const requiring = { "index.cjs": `require("${name}"); exports.handler = async () => 1;` };
      expect(await harness.answer(await harness.define(requiring), {})).toMatchObject({
        errorType: "Runtime.ImportModuleError",
      });
      const importing = { "index.mjs": `import "${name}"; export const handler = async () => 1;` };
      expect(await harness.answer(await harness.define(importing), {})).toMatchObject({
        errorMessage: `Cannot find package '${name}' imported from /var/task/index.mjs`,
      });
    }
  });

  it("cannot be changed by a function", async () => {
    const spec = await harness.define({
      "index.cjs": `exports.handler = async () => {
        try { require("fs").writeFileSync("/var/runtime/node_modules/@aws-sdk/client-s3/package.json", "{}"); }
        catch (error) { return error.code; }
      };`,
    });
    expect(await harness.answer(spec, {})).toBe("EROFS");
  });
});
