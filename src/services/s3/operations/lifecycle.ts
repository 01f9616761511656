import type { OperationsOf } from "../../../wire/service.ts";
import { noSuchLifecycle } from "../errors.ts";
import { formatLifecycleRule, parseLifecycle } from "../lifecycle/rules.ts";
import { cancelLifecycle, scheduleLifecycle } from "../lifecycle/sweep.ts";
import { writeBucket } from "../model.ts";
import { existingBucket, refuse, type Sdk } from "../needs.ts";
import type { OperationNeeds } from "./operation-needs.ts";

/** AWS's answer of today; the other value is refused below. */
const minimum = "all_storage_classes_128K" as const;

export function lifecycleOperations(needs: OperationNeeds) {
  const { store, ids, access } = needs;
  return {
    GetBucketLifecycleConfiguration: {
      authorize: (input, call) => access.bucket(call, "GetLifecycleConfiguration", input.Bucket),
      async run(input) {
        const { name, lifecycle } = await store.read((reader) => existingBucket(reader, input));
        if (!lifecycle) throw noSuchLifecycle(name);
        return { Rules: lifecycle.map(formatLifecycleRule), TransitionDefaultMinimumObjectSize: minimum };
      },
    },
    PutBucketLifecycleConfiguration: {
      authorize: (input, call) => access.bucket(call, "PutLifecycleConfiguration", input.Bucket),
      async run(input) {
        if (input.TransitionDefaultMinimumObjectSize !== minimum) {
          refuse(input, "PutBucketLifecycleConfiguration", ["TransitionDefaultMinimumObjectSize"]);
        }
        const lifecycle = parseLifecycle(input.LifecycleConfiguration?.Rules, ids);
        await store.transact(async (tx) => {
          const bucket = { ...(await existingBucket(tx, input)), lifecycle };
          writeBucket(tx, bucket);
          scheduleLifecycle(tx, needs, bucket);
        });
        return { TransitionDefaultMinimumObjectSize: minimum };
      },
    },
    DeleteBucketLifecycle: {
      authorize: (input, call) => access.bucket(call, "PutLifecycleConfiguration", input.Bucket),
      async run(input) {
        await store.transact(async (tx) => {
          const { lifecycle: _lifecycle, ...bucket } = await existingBucket(tx, input);
          writeBucket(tx, bucket);
          cancelLifecycle(tx, needs, bucket);
        });
        return {};
      },
    },
  } satisfies OperationsOf<Sdk>;
}
