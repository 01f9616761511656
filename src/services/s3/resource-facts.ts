import type { ResourceFacts } from "../../access/further-keys.ts";
import type { Store } from "../../kernel/store/store.ts";
import { findBucket, findCurrent, findVersion } from "./model.ts";

const prefix = "arn:aws:s3:::";

/** Tags of objects, as policies see them (`s3:ExistingObjectTag/KEY`): of the version that is asked for. */
export function s3Facts(store: Store): ResourceFacts {
  return {
    service: "s3",
    read: ({ arn, context }) => {
      const path = arn.startsWith(prefix) ? arn.slice(prefix.length) : "";
      const slash = path.indexOf("/");
      if (slash < 0) return Promise.resolve({});
      const key = path.slice(slash + 1);
      return store.read(async (reader) => {
        const bucket = await findBucket(reader, path.slice(0, slash));
        if (!bucket) return {};
        const [versionId] = context.get("s3:versionid") ?? [];
        const found =
          versionId === undefined
            ? await findCurrent(reader, bucket, key)
            : await findVersion(reader, bucket, key, versionId);
        if (found?.kind !== "object") return {};
        return Object.fromEntries(found.tags.map((tag) => [`s3:ExistingObjectTag/${tag.key}`, [tag.value] as const]));
      });
    },
  };
}
