import type { Call, OperationsOf } from "../../../wire/service.ts";
import { toAuthorization } from "../access.ts";
import { notImplemented } from "../../../aws/error.ts";
import { arnNotFound, policyNotFound } from "../errors.ts";
import { readTable, writeTable, type TableRecord } from "../model.ts";
import type { DynamoNeeds, Sdk } from "../needs.ts";
import { parseTablePolicy } from "../policy.ts";
import type { TableCatalog } from "../tables/catalog.ts";
import { assertTagCount, toTags } from "../tags.ts";
import { parseTableArn } from "./tables.ts";

/** Tags and resource-based policies of tables. */
export function resourceOperations(
  needs: Pick<DynamoNeeds, "settledStore" | "ids"> & { readonly catalog: TableCatalog },
) {
  const { settledStore: store, catalog, ids } = needs;
  const on = (action: string) => (input: { readonly ResourceArn: string | undefined }, call: Call) =>
    toAuthorization(catalog, call, [{ action, table: parseTableArn(input.ResourceArn, call) }]);
  const change = async (arn: string | undefined, call: Call, body: (table: TableRecord) => TableRecord) => {
    const { place, name } = parseTableArn(arn, call);
    return await store.transact(async (tx) => {
      const table = await readTable(tx, place, name);
      if (!table) throw arnNotFound(arn ?? "");
      const changed = body(table);
      writeTable(tx, place, changed);
      return changed;
    });
  };
  const find = async (arn: string | undefined, call: Call) => {
    const table = await catalog.find(parseTableArn(arn, call));
    if (!table) throw arnNotFound(arn ?? "");
    return table.record;
  };
  return {
    TagResource: {
      authorize: on("TagResource"),
      async run(input, call) {
        await change(input.ResourceArn, call, (table) => {
          const tags = { ...table.tags, ...toTags(input.Tags) };
          assertTagCount(tags);
          return { ...table, tags };
        });
        return {};
      },
    },

    UntagResource: {
      authorize: on("UntagResource"),
      async run(input, call) {
        const gone = new Set(input.TagKeys);
        await change(input.ResourceArn, call, (table) => ({
          ...table,
          tags: Object.fromEntries(Object.entries(table.tags).filter(([key]) => !gone.has(key))),
        }));
        return {};
      },
    },

    ListTagsOfResource: {
      authorize: on("ListTagsOfResource"),
      async run(input, call) {
        // All fit on one page: there is never a token to go on from.
        const { tags } = await find(input.ResourceArn, call);
        return { Tags: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })) };
      },
    },

    PutResourcePolicy: {
      authorize: on("PutResourcePolicy"),
      async run(input, call) {
        if (input.ConfirmRemoveSelfResourceAccess) {
          throw notImplemented("The parameter ConfirmRemoveSelfResourceAccess of PutResourcePolicy");
        }
        const text = parseTablePolicy(input.Policy ?? "");
        const revision = ids.uuid();
        await change(input.ResourceArn, call, (table) => {
          assertRevision(table, input.ExpectedRevisionId, input.ResourceArn ?? "");
          return { ...table, policy: { text, revision } };
        });
        return { RevisionId: revision };
      },
    },

    GetResourcePolicy: {
      authorize: on("GetResourcePolicy"),
      async run(input, call) {
        const { policy } = await find(input.ResourceArn, call);
        if (!policy) throw policyNotFound(input.ResourceArn ?? "");
        return { Policy: policy.text, RevisionId: policy.revision };
      },
    },

    DeleteResourcePolicy: {
      authorize: on("DeleteResourcePolicy"),
      async run(input, call) {
        let revision: string | undefined;
        await change(input.ResourceArn, call, (table) => {
          assertRevision(table, input.ExpectedRevisionId, input.ResourceArn ?? "");
          const { policy, ...rest } = table;
          revision = policy?.revision;
          return rest;
        });
        return { ...(revision !== undefined && { RevisionId: revision }) };
      },
    },
  } satisfies OperationsOf<Sdk>;
}

function assertRevision(table: TableRecord, expected: string | undefined, arn: string): void {
  if (expected === undefined) return;
  const current = table.policy?.revision ?? "NO_POLICY";
  if (current !== expected) throw policyNotFound(arn);
}
