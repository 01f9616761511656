import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { createContext, Script } from "node:vm";
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
      // The API of WebSocket connections has three, that of DynamoDB's streams four.
      const few = name === "apigatewaymanagementapi" || name === "dynamodbstreams";
      expect(loaded.model.operations.size).toBeGreaterThan(few ? 2 : 10);
    },
  );

  test(
    "every pattern has a JavaScript form, and answers a hostile value in bounded time",
    { timeout: 60_000 },
    async () => {
      const context = createContext({ pattern: undefined, value: "" });
      const script = new Script("pattern.test(value)");
      for (const [pattern, { name, max }] of await distinctPatterns()) {
        const converted = fromJavaPattern(pattern);
        if (!converted) throw new Error(`${name} has no JavaScript form: ${pattern}`);
        for (const text of ["a", "a-", " ", "a ", "1.", "a/", "A_"]) {
          const length = Math.min(max ?? 4_096, 512);
          context["pattern"] = converted;
          context["value"] = `${text.repeat(length).slice(0, length - 1)}\u0000`;
          // Exponential patterns would run for ever: the limit is far above what any other takes.
          expect(() => script.runInContext(context, { timeout: 5_000 }), `${name}: ${pattern}`).not.toThrow();
        }
      }
    },
  );
});

async function distinctPatterns(): Promise<
  ReadonlyMap<string, { readonly name: string; readonly max: number | undefined }>
> {
  const found = new Map<string, { readonly name: string; readonly max: number | undefined }>();
  for (const entry of createModels().entries) {
    const { shapes } = JSON.parse(await entry.load()) as ServiceTable;
    for (const [name, { max, pattern }] of Object.entries(shapes)) {
      if (pattern !== undefined) found.set(pattern, { name: `${entry.name}.${name}`, max });
    }
  }
  return found;
}
