import { resourceTagKeys, type ResourceFacts } from "../../access/further-keys.ts";
import { parseArn } from "../../aws/arn.ts";
import type { Store } from "../../kernel/store/store.ts";
import { readGroup } from "./model.ts";

/** Tags of log groups, and so of their streams, as policies see them. */
export function logsFacts(store: Store): ResourceFacts {
  return {
    service: "logs",
    read: async ({ arn }) => {
      const parsed = parseArn(arn);
      const [kind, name = ""] = parsed?.resource.split(":") ?? [];
      if (!parsed || kind !== "log-group" || name === "") return {};
      const group = await store.read((reader) => readGroup(reader, parsed, name));
      return resourceTagKeys(group?.tags ?? {});
    },
  };
}
