import type { OperationsOf } from "../../../wire/service.ts";
import { formatCorsRule, parseCorsRules } from "../cors/rules.ts";
import { noSuchCors } from "../errors.ts";
import { writeBucket } from "../model.ts";
import { existingBucket, type Sdk } from "../needs.ts";
import type { OperationNeeds } from "./operation-needs.ts";

export function corsOperations({ store, access }: OperationNeeds) {
  return {
    GetBucketCors: {
      authorize: (input, call) => access.bucket(call, "GetBucketCORS", input.Bucket),
      async run(input) {
        const { name, cors } = await store.read((reader) => existingBucket(reader, input));
        if (!cors) throw noSuchCors(name);
        return { CORSRules: cors.map(formatCorsRule) };
      },
    },
    PutBucketCors: {
      authorize: (input, call) => access.bucket(call, "PutBucketCORS", input.Bucket),
      async run(input) {
        const cors = parseCorsRules(input.CORSConfiguration?.CORSRules);
        await store.transact(async (tx) => writeBucket(tx, { ...(await existingBucket(tx, input)), cors }));
        return {};
      },
    },
    DeleteBucketCors: {
      authorize: (input, call) => access.bucket(call, "PutBucketCORS", input.Bucket),
      async run(input) {
        await store.transact(async (tx) => {
          const { cors: _cors, ...others } = await existingBucket(tx, input);
          writeBucket(tx, others);
        });
        return {};
      },
    },
  } satisfies OperationsOf<Sdk>;
}
