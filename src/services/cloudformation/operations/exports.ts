import type * as sdk from "@aws-sdk/client-cloudformation";
import type { OperationsOf } from "../../../wire/service.ts";
import { readImporters } from "../engine/exports.ts";
import { notExported } from "../errors.ts";
import { cloudFormationLimits as limits } from "../limits.ts";
import { keys, type Export } from "../model.ts";
import { onAnything } from "./access.ts";
import type { OperationNeeds } from "./needs.ts";
import { fromToken, pageOf, toToken } from "./pages.ts";

type Sdk = typeof sdk;

export function exportOperations({ store }: OperationNeeds) {
  return {
    ListExports: {
      authorize: (_input, call) => onAnything(call),
      async run(input, call) {
        const prefix = keys.exports(call);
        const after = fromToken(input.NextToken);
        const entries = await store.read((reader) =>
          reader.range<Export>(after === undefined ? { prefix } : { prefix, after: keys.export(call, String(after)) }, {
            limit: limits.pageEntriesMax,
          }),
        );
        const last = entries.at(-1)?.key.at(-1);
        return {
          Exports: entries.map(({ key, value }) => ({
            ExportingStackId: value.stackId,
            Name: String(key.at(-1)),
            Value: value.value,
          })),
          ...(entries.length === limits.pageEntriesMax && typeof last === "string" && { NextToken: toToken(last) }),
        };
      },
    },
    ListImports: {
      authorize: (_input, call) => onAnything(call),
      async run(input, call) {
        const importers = await store.read((reader) => readImporters(reader, call, input.ExportName ?? ""));
        if (importers.length === 0) throw notExported(input.ExportName ?? "");
        const page = pageOf(importers, input.NextToken, limits.pageEntriesMax);
        return { Imports: page.items, ...(page.next !== undefined && { NextToken: page.next }) };
      },
    },
  } satisfies OperationsOf<Sdk>;
}
