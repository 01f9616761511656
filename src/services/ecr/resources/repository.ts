import { AwsError, notImplemented } from "../../../aws/error.ts";
import type { Properties, ResourceContext, ResourceType } from "../../cloudformation/port.ts";
import { repositoryArn } from "../model.ts";
import type { Sdk } from "../needs.ts";

export const repositoryType: ResourceType = {
  type: "AWS::ECR::Repository",
  properties: [
    "EmptyOnDelete",
    "EncryptionConfiguration.EncryptionType",
    "EncryptionConfiguration.KmsKey",
    "ImageScanningConfiguration.ScanOnPush",
    "ImageTagMutability",
    "ImageTagMutabilityExclusionFilters[].ImageTagMutabilityExclusionFilterType",
    "ImageTagMutabilityExclusionFilters[].ImageTagMutabilityExclusionFilterValue",
    "RepositoryName",
    "RepositoryPolicyText",
    "Tags[].Key",
    "Tags[].Value",
  ],
  attributes: ["Arn", "RepositoryUri"],

  async create(context) {
    const { properties } = context;
    const ecr = context.client<Sdk>("ecr");
    const repositoryName = textOf(properties, "RepositoryName") ?? context.generateName(256, "lowercase");
    const encryption = objectOf(properties, "EncryptionConfiguration");
    const encryptionType = encryption && textOf(encryption, "EncryptionType");
    if (encryptionType !== undefined && encryptionType !== "AES256") {
      throw notImplemented(`EncryptionConfiguration.EncryptionType=${encryptionType} of AWS::ECR::Repository`);
    }
    const tags = Object.entries(tagsOf(context)).map(([Key, Value]) => ({ Key, Value }));
    try {
      await ecr.CreateRepository({
        repositoryName,
        ...mutabilityOf(properties),
        imageScanningConfiguration: { scanOnPush: scanOnPush(properties) },
        ...(encryptionType !== undefined && { encryptionConfiguration: { encryptionType } }),
        ...(tags.length > 0 && { tags }),
      });
    } catch (error) {
      if (!context.resumed || !isAwsError(error, "RepositoryAlreadyExistsException")) throw error;
    }
    try {
      await setPolicy(context, repositoryName, undefined);
    } catch (error) {
      await ecr.DeleteRepository({ repositoryName });
      throw error;
    }
    return stateOf(context, repositoryName);
  },

  async update(context) {
    const { properties, previous } = context;
    const ecr = context.client<Sdk>("ecr");
    const repositoryName = context.state.physicalId;
    await ecr.PutImageTagMutability({
      repositoryName,
      imageTagMutability: "MUTABLE",
      ...mutabilityOf(properties),
    });
    await ecr.PutImageScanningConfiguration({
      repositoryName,
      imageScanningConfiguration: { scanOnPush: scanOnPush(properties) },
    });
    await setPolicy(context, repositoryName, previous);
    const resourceArn = repositoryArn(context, repositoryName);
    const tags = tagsOf(context);
    const had = (await ecr.ListTagsForResource({ resourceArn })).tags ?? [];
    const tagKeys = had.flatMap(({ Key }) => (Key === undefined || Key in tags ? [] : [Key]));
    if (tagKeys.length > 0) await ecr.UntagResource({ resourceArn, tagKeys });
    const given = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
    if (given.length > 0) await ecr.TagResource({ resourceArn, tags: given });
    return context.state;
  },

  async delete(context) {
    // AWS: a repository that holds images fails to be deleted, unless it says that it may be emptied.
    const force = String(context.properties["EmptyOnDelete"] ?? "false") === "true";
    try {
      await context.client<Sdk>("ecr").DeleteRepository({ repositoryName: context.state.physicalId, force });
    } catch (error) {
      if (!isAwsError(error, "RepositoryNotFoundException")) throw error;
    }
  },
};

async function stateOf(context: ResourceContext, name: string) {
  const { repositories } = await context.client<Sdk>("ecr").DescribeRepositories({ repositoryNames: [name] });
  const [repository] = repositories ?? [];
  return {
    physicalId: name,
    attributes: { Arn: repositoryArn(context, name), RepositoryUri: repository?.repositoryUri ?? "" },
  };
}

async function setPolicy(context: ResourceContext, repositoryName: string, previous: Properties | undefined) {
  const ecr = context.client<Sdk>("ecr");
  const policy = context.properties["RepositoryPolicyText"];
  if (policy !== undefined) {
    const policyText = typeof policy === "string" ? policy : JSON.stringify(policy);
    await ecr.SetRepositoryPolicy({ repositoryName, policyText, force: true });
  } else if (previous?.["RepositoryPolicyText"] !== undefined) {
    await ecr.DeleteRepositoryPolicy({ repositoryName });
  }
}

function scanOnPush(properties: Properties): boolean {
  const scanning = objectOf(properties, "ImageScanningConfiguration");
  return scanning !== undefined && textOf(scanning, "ScanOnPush") === "true";
}

function mutabilityOf(properties: Properties) {
  const mutability = textOf(properties, "ImageTagMutability");
  const listed = properties["ImageTagMutabilityExclusionFilters"];
  const filters = (Array.isArray(listed) ? listed : []).map((each: Properties) => ({
    filterType: "WILDCARD" as const,
    filter: textOf(each, "ImageTagMutabilityExclusionFilterValue") ?? "",
  }));
  return {
    ...(isMutability(mutability) && { imageTagMutability: mutability }),
    ...(filters.length > 0 && { imageTagMutabilityExclusionFilters: filters }),
  };
}

const mutabilities = ["MUTABLE", "IMMUTABLE", "IMMUTABLE_WITH_EXCLUSION", "MUTABLE_WITH_EXCLUSION"] as const;

// The operation refuses what is none.
function isMutability(text: string | undefined): text is (typeof mutabilities)[number] {
  return text !== undefined;
}

function tagsOf(context: ResourceContext): Record<string, string> {
  const tags: Record<string, string> = { ...context.tags };
  const listed = context.properties["Tags"];
  if (!Array.isArray(listed)) return tags;
  for (const each of listed) {
    if (typeof each !== "object" || each === null || !("Key" in each)) continue;
    tags[String(each.Key)] = "Value" in each ? String(each.Value) : "";
  }
  return tags;
}

function textOf(properties: Properties, name: string): string | undefined {
  const value = properties[name];
  return typeof value === "string" || typeof value === "boolean" || typeof value === "number"
    ? String(value)
    : undefined;
}

function objectOf(properties: Properties, name: string): Properties | undefined {
  const value = properties[name];
  return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : undefined;
}

function isAwsError(error: unknown, code: string): boolean {
  return error instanceof AwsError && error.code === code;
}
