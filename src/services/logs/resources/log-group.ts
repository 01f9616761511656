import { AwsError } from "../../../aws/error.ts";
import type { ResourceContext, ResourceType } from "../../cloudformation/port.ts";
import { invalidParameter } from "../errors.ts";
import { groupArn } from "../model.ts";
import type { Sdk } from "../operations/needs.ts";

export const logGroupType: ResourceType = {
  type: "AWS::Logs::LogGroup",
  properties: [
    "LogGroupName",
    "RetentionInDays",
    "LogGroupClass",
    "DeletionProtectionEnabled",
    "Tags[].Key",
    "Tags[].Value",
  ],
  attributes: ["Arn"],

  async create(context) {
    const { properties } = context;
    const logs = context.client<Sdk>("logs");
    const name = textOf(properties["LogGroupName"]) ?? context.generateName(512);
    const tags = tagsOf(context);
    const logGroupClass = textOf(properties["LogGroupClass"]);
    try {
      await logs.CreateLogGroup({
        logGroupName: name,
        ...(Object.keys(tags).length > 0 && { tags }),
        ...(isClass(logGroupClass) && { logGroupClass }),
        ...(properties["DeletionProtectionEnabled"] !== undefined && {
          deletionProtectionEnabled: String(properties["DeletionProtectionEnabled"]) === "true",
        }),
      });
    } catch (error) {
      if (!context.resumed || !isAwsError(error, "ResourceAlreadyExistsException")) throw error;
    }
    const days = properties["RetentionInDays"];
    if (days !== undefined) await logs.PutRetentionPolicy({ logGroupName: name, retentionInDays: Number(days) });
    return { physicalId: name, attributes: { Arn: `${groupArn(context, name)}:*` } };
  },

  async update(context) {
    const logs = context.client<Sdk>("logs");
    const { physicalId: name } = context.state;
    const { logGroups } = await logs.DescribeLogGroups({ logGroupIdentifiers: [name] });
    // AWS: a class is for the group's life, though the resource type does not replace it.
    const wantedClass = textOf(context.properties["LogGroupClass"]) ?? "STANDARD";
    if (logGroups?.[0] && logGroups[0].logGroupClass !== wantedClass) {
      throw invalidParameter("The class of a log group can not be changed.");
    }
    const days = context.properties["RetentionInDays"];
    if (days === undefined) await logs.DeleteRetentionPolicy({ logGroupName: name });
    else await logs.PutRetentionPolicy({ logGroupName: name, retentionInDays: Number(days) });
    const arn = groupArn(context, name);
    const [tags, had] = [tagsOf(context), (await logs.ListTagsForResource({ resourceArn: arn })).tags ?? {}];
    const gone = Object.keys(had).filter((key) => !(key in tags));
    if (gone.length > 0) await logs.UntagResource({ resourceArn: arn, tagKeys: gone });
    if (Object.keys(tags).length > 0) await logs.TagResource({ resourceArn: arn, tags });
    const wanted = String(context.properties["DeletionProtectionEnabled"] ?? false) === "true";
    if (wanted !== (String(context.previous["DeletionProtectionEnabled"] ?? false) === "true")) {
      await logs.PutLogGroupDeletionProtection({ logGroupIdentifier: name, deletionProtectionEnabled: wanted });
    }
    return context.state;
  },

  async delete(context) {
    try {
      await context.client<Sdk>("logs").DeleteLogGroup({ logGroupName: context.state.physicalId });
    } catch (error) {
      if (!isGone(error)) throw error;
    }
  },
};

export function isGone(error: unknown): boolean {
  return isAwsError(error, "ResourceNotFoundException");
}

export function isAwsError(error: unknown, code: string): boolean {
  return error instanceof AwsError && error.code === code;
}

export function textOf(value: unknown): string | undefined {
  return value === undefined ? undefined : String(value);
}

function isClass(text: string | undefined): text is "STANDARD" | "INFREQUENT_ACCESS" | "DELIVERY" {
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
