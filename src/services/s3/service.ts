import type { Service } from "../../wire/service.ts";
import type { ResourceType } from "../cloudformation/port.ts";
import { createS3Access } from "./access.ts";
import { aclOperations } from "./acl/operations.ts";
import { s3ConditionKeys } from "./condition-keys.ts";
import { createCrossOrigin } from "./cors/cross-origin.ts";
import { postObject } from "./forms/post-object.ts";
import { handleLifecycle } from "./lifecycle/sweep.ts";
import type { S3Needs } from "./needs.ts";
import { createNotify, handleNotifications } from "./notifications/deliveries.ts";
import { objectLockOperations } from "./object-lock/operations.ts";
import { bucketOperations } from "./operations/buckets.ts";
import { bucketSettingOperations } from "./operations/bucket-settings.ts";
import { corsOperations } from "./operations/cors.ts";
import { deleteObjectOperations } from "./operations/delete-object.ts";
import { getObjectOperations } from "./operations/get-object.ts";
import { lifecycleOperations } from "./operations/lifecycle.ts";
import { listObjectOperations } from "./operations/list-objects.ts";
import { listUploadOperations } from "./operations/list-uploads.ts";
import { multipartOperations } from "./operations/multipart.ts";
import { notificationOperations } from "./operations/notifications.ts";
import { objectSettingOperations } from "./operations/object-settings.ts";
import { createPushNeeds } from "./operations/operation-needs.ts";
import { putObjectOperations } from "./operations/put-object.ts";
import type { CrossOrigin, PostObject, Site } from "./port.ts";
import { bucketType } from "./resources/bucket.ts";
import { bucketPolicyType } from "./resources/bucket-policy.ts";
import { websiteOperations } from "./website/operations.ts";
import { createSite } from "./website/site.ts";

export interface S3 {
  readonly service: Service;
  readonly resourceTypes: readonly ResourceType[];
  readonly crossOrigin: CrossOrigin;
  readonly postObject: PostObject;
  readonly site: Site;
}

/** Amazon S3: buckets, objects, versions and multipart uploads. */
export function createS3(needs: S3Needs): S3 {
  const all = {
    ...needs,
    access: createS3Access(needs.store),
    push: createPushNeeds(needs),
    notify: createNotify(needs),
  };
  handleNotifications(needs);
  handleLifecycle(all);
  const operations = {
    ...bucketOperations(all),
    ...bucketSettingOperations(all),
    ...notificationOperations(all),
    ...corsOperations(all),
    ...lifecycleOperations(all),
    ...getObjectOperations(all),
    ...putObjectOperations(all),
    ...deleteObjectOperations(all),
    ...listObjectOperations(all),
    ...multipartOperations(all),
    ...listUploadOperations(all),
    ...objectSettingOperations(all),
    ...aclOperations(all),
    ...objectLockOperations(all),
    ...websiteOperations(all),
  };
  return {
    service: { name: "s3", operations, conditionKeys: s3ConditionKeys(operations) },
    resourceTypes: [bucketType, bucketPolicyType],
    crossOrigin: createCrossOrigin(needs.store),
    postObject,
    site: createSite(needs.store),
  };
}
