import { resourceTagKeys, type ResourceFacts } from "../../access/further-keys.ts";
import { parseArn } from "../../aws/arn.ts";
import type { Store } from "../../kernel/store/store.ts";
import { readTable } from "./model.ts";

/** Tags of tables, and so of their indexes and streams, as policies see them. */
export function dynamodbFacts(store: Store): ResourceFacts {
  return {
    service: "dynamodb",
    read: async ({ arn }) => {
      const parsed = parseArn(arn);
      const [kind, name = ""] = parsed?.resource.split("/") ?? [];
      if (!parsed || kind !== "table" || name === "") return {};
      const table = await store.read((reader) => readTable(reader, parsed, name));
      return resourceTagKeys(table?.tags ?? {});
    },
  };
}
