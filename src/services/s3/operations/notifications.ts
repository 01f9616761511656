import type { OperationsOf } from "../../../wire/service.ts";
import { writeBucket } from "../model.ts";
import { existingBucket, type Sdk } from "../needs.ts";
import { checkDestinations } from "../notifications/deliveries.ts";
import { formatNotifications, parseNotifications } from "../notifications/rules.ts";
import type { OperationNeeds } from "./operation-needs.ts";

export function notificationOperations(needs: OperationNeeds) {
  const { store, ids, access } = needs;
  return {
    GetBucketNotificationConfiguration: {
      authorize: (input, call) => access.bucket(call, "GetBucketNotification", input.Bucket),
      async run(input) {
        const { notifications } = await store.read((reader) => existingBucket(reader, input));
        return formatNotifications(notifications ?? []);
      },
    },
    PutBucketNotificationConfiguration: {
      authorize: (input, call) => access.bucket(call, "PutBucketNotification", input.Bucket),
      async run(input, call) {
        const bucket = await store.read((reader) => existingBucket(reader, input));
        const rules = parseNotifications(input.NotificationConfiguration ?? {}, ids);
        if (!input.SkipDestinationValidation) await checkDestinations(needs, bucket, rules, call.signal);
        await store.transact(async (tx) => {
          const { notifications: _old, ...others } = await existingBucket(tx, input);
          writeBucket(tx, rules.length === 0 ? others : { ...others, notifications: rules });
        });
        return {};
      },
    },
  } satisfies OperationsOf<Sdk>;
}
