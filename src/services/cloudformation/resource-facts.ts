import { resourceTagKeys, type ResourceFacts } from "../../access/further-keys.ts";
import { parseArn } from "../../aws/arn.ts";
import type { Store } from "../../kernel/store/store.ts";
import { findStack, readDeployment } from "./model.ts";

/** Tags of stacks, as policies see them. */
export function cloudformationFacts(store: Store): ResourceFacts {
  return {
    service: "cloudformation",
    read: async ({ arn }) => {
      const place = parseArn(arn);
      if (!place?.resource.startsWith("stack/") || arn.endsWith("*")) return {};
      return store.read(async (reader) => {
        const stack = await findStack(reader, place, arn);
        if (stack?.deployment === undefined) return {};
        const { tags } = await readDeployment(reader, place, stack.stackId, stack.deployment);
        return resourceTagKeys(tags);
      });
    },
  };
}
