import type { ResourceContext, ResourceState, ResourceType } from "../../cloudformation/port.ts";
import type { Sdk } from "../needs.ts";
import { isAwsError, textOf } from "./properties.ts";

export const bucketPolicyType: ResourceType = {
  type: "AWS::S3::BucketPolicy",
  properties: ["Bucket", "PolicyDocument.*"],
  attributes: [],

  create: put,
  update: put,

  async delete(context) {
    try {
      await context.client<Sdk>("s3").DeleteBucketPolicy({ Bucket: context.state.physicalId });
    } catch (error) {
      if (!isAwsError(error, "NoSuchBucket")) throw error;
    }
  },
};

async function put(context: ResourceContext): Promise<ResourceState> {
  const bucket = textOf(context.properties["Bucket"]) ?? "";
  const document = context.properties["PolicyDocument"];
  const policy = typeof document === "string" ? document : JSON.stringify(document);
  await context.client<Sdk>("s3").PutBucketPolicy({ Bucket: bucket, Policy: policy });
  return { physicalId: bucket, attributes: {} };
}
