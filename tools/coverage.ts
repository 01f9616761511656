import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readConfig } from "../src/config.ts";
import { createMemoryStore } from "../src/kernel/store/memory-store.ts";
import { createPlatform, type Platform } from "../src/platform.ts";
import { createModels } from "../src/wire/tables/catalog.ts";

/** The page that says, operation by operation, what is built: computed by subtraction from the official models. */
export async function computeCoverage(): Promise<string> {
  const dataDir = await mkdtemp(join(tmpdir(), "cumulet-coverage-"));
  const config = readConfig({ data: dataDir, port: "0", sandbox: "process" }, { CUMULET_LOG: "silent" });
  const platform = await createPlatform(config, { writeLog: () => {}, store: createMemoryStore() });
  try {
    return await describe(platform);
  } finally {
    await platform.stop(0);
    await rm(dataDir, { recursive: true, force: true });
  }
}

async function describe(platform: Platform): Promise<string> {
  const models = createModels();
  const rows: string[] = [];
  const sections: string[] = [];
  const absent: string[] = [];
  for (const { name } of models.entries) {
    const { model } = await models.load(name);
    const all = [...model.operations.keys()].toSorted();
    const built = platform.services.get(name)?.operations;
    if (built === undefined) {
      absent.push(name);
      continue;
    }
    const done = all.filter((operation) => operation in built);
    const missing = all.filter((operation) => !(operation in built));
    rows.push(`| ${name} | ${done.length} | ${all.length} |`);
    sections.push(
      `## ${name}\n\nBuilt: ${list(done)}\n\nAnswers 501: ${missing.length === 0 ? "none" : list(missing)}\n`,
    );
  }
  const types = platform.resourceTypes.map(({ type }) => type).toSorted();
  return `# What is built

Computed from the code by \`npm run coverage\`; do not edit. Limits within an operation are in the Gaps of its service's
README.

| service | operations built | of |
| --- | ---: | ---: |
${rows.join("\n")}

Known by their models, nothing built (every operation answers 501): ${list(absent)}.

## CloudFormation resource types

${types.map((type) => `- \`${type}\``).join("\n")}

${sections.join("\n")}`;
}

function list(names: readonly string[]): string {
  return names.map((name) => `\`${name}\``).join(", ");
}

if (import.meta.main) await writeFile(join(import.meta.dirname, "../docs/coverage.md"), await computeCoverage());
