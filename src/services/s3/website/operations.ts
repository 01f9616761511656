import type { OperationsOf } from "../../../wire/service.ts";
import { noSuchWebsite } from "../errors.ts";
import { writeBucket } from "../model.ts";
import { existingBucket, type Sdk } from "../needs.ts";
import type { OperationNeeds } from "../operations/operation-needs.ts";
import { formatWebsite, parseWebsite } from "./configuration.ts";

export function websiteOperations({ store, access }: OperationNeeds) {
  return {
    GetBucketWebsite: {
      authorize: (input, call) => access.bucket(call, "GetBucketWebsite", input.Bucket),
      async run(input) {
        const { name, website } = await store.read((reader) => existingBucket(reader, input));
        if (!website) throw noSuchWebsite(name);
        return formatWebsite(website);
      },
    },
    PutBucketWebsite: {
      authorize: (input, call) => access.bucket(call, "PutBucketWebsite", input.Bucket),
      async run(input) {
        const website = parseWebsite(input.WebsiteConfiguration);
        await store.transact(async (tx) => writeBucket(tx, { ...(await existingBucket(tx, input)), website }));
        return {};
      },
    },
    DeleteBucketWebsite: {
      authorize: (input, call) => access.bucket(call, "DeleteBucketWebsite", input.Bucket),
      async run(input) {
        await store.transact(async (tx) => {
          const { website: _website, ...others } = await existingBucket(tx, input);
          writeBucket(tx, others);
        });
        return {};
      },
    },
  } satisfies OperationsOf<Sdk>;
}
