import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { fromJavaPattern } from "../../src/wire/java-pattern.ts";
import { createModels } from "../../src/wire/tables/catalog.ts";
import type { ServiceTable } from "../../src/wire/tables/table.ts";
import {
  findBotocoreData,
  generateCatalog,
  generateTable,
  tablePath,
  tableServices,
} from "../../tools/tables/generate.ts";

const root = join(import.meta.dirname, "../..");
const data = await findBotocoreData(root);

describe.skipIf(data === undefined)(
  "tables are what botocore's models say (skipped without the project's .venv)",
  () => {
    test.each(tableServices)("%s", async (service) => {
      expect((await readFile(tablePath(root, service), "utf8")) === (await generateTable(data ?? "", service))).toBe(
        true,
      );
    });

    test("the catalog", async () => {
      expect(await readFile(tablePath(root, "catalog"), "utf8")).toBe(await generateCatalog(data ?? ""));
    });
  },
);

describe("every table", () => {
  const models = createModels();

  test.each(models.entries.map((entry) => entry.name))(
    "%s links, and each of its operations compiles",
    async (name) => {
      const loaded = await models.load(name);
      for (const protocol of loaded.model.protocols) {
        for (const operation of loaded.model.operations.values()) {
          const streams = operation.output?.members.some(
            (member) => member.shape.type === "structure" && member.shape.eventStream,
          );
          if (!streams) loaded.protocol(protocol).encode(operation, {}, "id");
        }
      }
      expect(loaded.model.operations.size).toBeGreaterThan(10);
    },
  );

  test("every pattern has a JavaScript form, and answers a hostile value fast", async () => {
    const slow: string[] = [];
    for (const entry of models.entries) {
      for (const [name, max, pattern] of patternsOf(await entry.load())) {
        const converted = fromJavaPattern(pattern);
        if (!converted) throw new Error(`${entry.name}.${name} has no JavaScript form: ${pattern}`);
        const length = Math.min(max ?? 4_096, 4_096);
        for (const text of ["a", "a-", "arn:aws:", "1.", "a/", " "]) {
          const value = `${text.repeat(Math.ceil(length / text.length)).slice(0, length - 1)}\u0000`;
          const started = performance.now();
          converted.test(value);
          if (performance.now() - started > 500) slow.push(`${entry.name}.${name}`);
        }
      }
    }
    expect(slow).toEqual([]);
  });
});

function patternsOf(text: string): [name: string, max: number | undefined, pattern: string][] {
  const { shapes } = JSON.parse(text) as ServiceTable;
  return Object.entries(shapes).flatMap(([name, { max, pattern }]) =>
    pattern === undefined ? [] : [[name, max, pattern] as [string, number | undefined, string]],
  );
}
