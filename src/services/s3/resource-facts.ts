import type { ResourceFacts } from "../../access/further-keys.ts";
import type { Store } from "../../kernel/store/store.ts";
import { findBucket, findCurrent, findVersion } from "./model.ts";

const prefix = "arn:aws:s3:::";

/** Whose a bucket is, and tags of objects (`s3:ExistingObjectTag/KEY`): of the version that is asked for. */
export function s3Facts(store: Store): ResourceFacts {
  return {
    service: "s3",
    read: async ({ arn, account, context }) => {
      const ofAll = { "s3:ResourceAccount": [account] };
      const path = arn.startsWith(prefix) ? arn.slice(prefix.length) : "";
      const slash = path.indexOf("/");
      if (slash < 0) return ofAll;
      const objectKey = path.slice(slash + 1);
      return store.read(async (reader) => {
        const bucket = await findBucket(reader, path.slice(0, slash));
        if (!bucket) return ofAll;
        const [versionId] = context.get("s3:versionid") ?? [];
        const found =
          versionId === undefined
            ? await findCurrent(reader, bucket, objectKey)
            : await findVersion(reader, bucket, objectKey, versionId);
        if (found?.kind !== "object") return ofAll;
        const ofTags = found.tags.map(({ key, value }) => [`s3:ExistingObjectTag/${key}`, [value]] as const);
        return { ...ofAll, ...Object.fromEntries(ofTags) };
      });
    },
  };
}
