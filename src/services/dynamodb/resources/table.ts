import type {
  CreateGlobalSecondaryIndexAction,
  CreateTableCommandInput,
  GlobalSecondaryIndexUpdate,
  StreamSpecification,
} from "@aws-sdk/client-dynamodb";
import { AwsError } from "../../../aws/error.ts";
import type { ClientOf } from "../../../wire/service.ts";
import type { Properties, ResourceContext, ResourceType } from "../../cloudformation/port.ts";
import type { Sdk } from "../needs.ts";
import { completeImported, importTable } from "./import-table.ts";

const projection = ["Projection.NonKeyAttributes", "Projection.ProjectionType"];
const keys = ["KeySchema[].AttributeName", "KeySchema[].KeyType"];
const throughput = ["ProvisionedThroughput.ReadCapacityUnits", "ProvisionedThroughput.WriteCapacityUnits"];
const onDemand = ["OnDemandThroughput.MaxReadRequestUnits", "OnDemandThroughput.MaxWriteRequestUnits"];

export const tableType: ResourceType = {
  type: "AWS::DynamoDB::Table",
  properties: [
    "AttributeDefinitions[].AttributeName",
    "AttributeDefinitions[].AttributeType",
    "BillingMode",
    "DeletionProtectionEnabled",
    ...["IndexName", ...keys, ...projection, ...throughput, ...onDemand].map(
      (name) => `GlobalSecondaryIndexes[].${name}`,
    ),
    ...[
      "InputCompressionType",
      "InputFormat",
      "InputFormatOptions.Csv.Delimiter",
      "InputFormatOptions.Csv.HeaderList",
      "S3BucketSource.S3Bucket",
      "S3BucketSource.S3BucketOwner",
      "S3BucketSource.S3KeyPrefix",
    ].map((name) => `ImportSourceSpecification.${name}`),
    "KeySchema",
    ...["IndexName", ...keys, ...projection].map((name) => `LocalSecondaryIndexes[].${name}`),
    ...onDemand,
    "PointInTimeRecoverySpecification.PointInTimeRecoveryEnabled",
    "PointInTimeRecoverySpecification.RecoveryPeriodInDays",
    ...throughput,
    "ResourcePolicy.PolicyDocument",
    "SSESpecification.SSEEnabled",
    "StreamSpecification.StreamViewType",
    "TableClass",
    "TableName",
    "Tags[].Key",
    "Tags[].Value",
    "TimeToLiveSpecification.AttributeName",
    "TimeToLiveSpecification.Enabled",
  ],
  attributes: ["Arn", "StreamArn"],

  async create(context) {
    const { properties } = context;
    const dynamodb = context.client<Sdk>("dynamodb");
    const TableName = textOf(properties["TableName"]) ?? context.generateName(255);
    const tags = Object.entries(tagsOf(context)).map(([Key, Value]) => ({ Key, Value }));
    const policy = policyOf(properties);
    const definition = {
      ...pick(properties, [
        "AttributeDefinitions",
        "KeySchema",
        "GlobalSecondaryIndexes",
        "BillingMode",
        "ProvisionedThroughput",
        "OnDemandThroughput",
      ]),
      TableName,
      ...(isEncrypted(properties) && { SSESpecification: { Enabled: true } }),
    };
    const settings = {
      ...pick(properties, ["TableClass", "DeletionProtectionEnabled"]),
      ...streamOf(properties),
    };
    const source = objectOf(properties["ImportSourceSpecification"]);
    if (source) {
      await importTable(context, dynamodb, source, definition);
    } else {
      try {
        await dynamodb.CreateTable({
          ...definition,
          ...settings,
          ...pick(properties, ["LocalSecondaryIndexes"]),
          ...(tags.length > 0 && { Tags: tags }),
          ...(policy !== undefined && { ResourcePolicy: policy }),
        });
      } catch (error) {
        if (!context.resumed || !isAwsError(error, "ResourceInUseException")) throw error;
      }
    }
    try {
      if (source) await completeImported(dynamodb, TableName, { settings, tags, policy });
      await setTimeToLive(dynamodb, TableName, undefined, properties);
      await setRecovery(dynamodb, TableName, undefined, properties);
    } catch (error) {
      await dynamodb.UpdateTable({ TableName, DeletionProtectionEnabled: false });
      await dynamodb.DeleteTable({ TableName });
      throw error;
    }
    return await stateOf(dynamodb, TableName);
  },

  async update(context) {
    const { properties, previous } = context;
    const dynamodb = context.client<Sdk>("dynamodb");
    const TableName = context.state.physicalId;
    await updateSettings(context, dynamodb, TableName, previous);
    await updateIndexes(context, dynamodb, TableName, previous);
    await setTimeToLive(dynamodb, TableName, previous, properties);
    await setRecovery(dynamodb, TableName, previous, properties);
    const ResourceArn = String(context.state.attributes["Arn"]);
    const policy = policyOf(properties);
    if (policy !== undefined && policy !== policyOf(previous)) {
      await dynamodb.PutResourcePolicy({ ResourceArn, Policy: policy });
    } else if (policy === undefined && policyOf(previous) !== undefined) {
      await dynamodb.DeleteResourcePolicy({ ResourceArn });
    }
    const tags = tagsOf(context);
    const had = (await dynamodb.ListTagsOfResource({ ResourceArn })).Tags ?? [];
    const TagKeys = had.flatMap(({ Key }) => (Key === undefined || Key in tags ? [] : [Key]));
    if (TagKeys.length > 0) await dynamodb.UntagResource({ ResourceArn, TagKeys });
    const given = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
    if (given.length > 0) await dynamodb.TagResource({ ResourceArn, Tags: given });
    return await stateOf(dynamodb, TableName);
  },

  async delete(context) {
    try {
      await context.client<Sdk>("dynamodb").DeleteTable({ TableName: context.state.physicalId });
    } catch (error) {
      if (!isAwsError(error, "ResourceNotFoundException")) throw error;
    }
  },
};

type Client = ClientOf<Sdk>;

async function stateOf(dynamodb: Client, TableName: string) {
  const { Table } = await dynamodb.DescribeTable({ TableName });
  return {
    physicalId: TableName,
    attributes: {
      Arn: Table?.TableArn ?? "",
      ...(Table?.StreamSpecification && { StreamArn: Table.LatestStreamArn ?? "" }),
    },
  };
}

async function updateSettings(context: ResourceContext, dynamodb: Client, TableName: string, previous: Properties) {
  const { properties } = context;
  const changed = (name: string) => !isSame(properties[name], previous[name]);
  if (changed("BillingMode") || changed("ProvisionedThroughput")) {
    const isOnDemand = properties["BillingMode"] === "PAY_PER_REQUEST";
    const updates = isOnDemand ? [] : throughputUpdates(properties);
    await dynamodb.UpdateTable({
      TableName,
      ...pick(properties, isOnDemand ? ["BillingMode"] : ["BillingMode", "ProvisionedThroughput"]),
      ...(changed("BillingMode") && updates.length > 0 && { GlobalSecondaryIndexUpdates: updates }),
    });
  }
  if (changed("OnDemandThroughput") && properties["OnDemandThroughput"] !== undefined) {
    await dynamodb.UpdateTable({ TableName, ...pick(properties, ["OnDemandThroughput"]) });
  }
  if (changed("TableClass")) {
    const isInfrequent = properties["TableClass"] === "STANDARD_INFREQUENT_ACCESS";
    await dynamodb.UpdateTable({
      TableName,
      TableClass: isInfrequent ? "STANDARD_INFREQUENT_ACCESS" : "STANDARD",
    });
  }
  if (changed("DeletionProtectionEnabled")) {
    await dynamodb.UpdateTable({
      TableName,
      DeletionProtectionEnabled: properties["DeletionProtectionEnabled"] === true,
    });
  }
  if (changed("SSESpecification") && isEncrypted(properties)) {
    await dynamodb.UpdateTable({ TableName, SSESpecification: { Enabled: true } });
  }
  if (changed("StreamSpecification")) {
    if (previous["StreamSpecification"] !== undefined) {
      await dynamodb.UpdateTable({ TableName, StreamSpecification: { StreamEnabled: false } });
    }
    const stream = streamOf(properties);
    if (stream.StreamSpecification) await dynamodb.UpdateTable({ TableName, ...stream });
  }
}

/** One index at a time, as AWS has it: those that go or are made anew first. */
async function updateIndexes(context: ResourceContext, dynamodb: Client, TableName: string, previous: Properties) {
  const [before, after] = [indexesOf(previous), indexesOf(context.properties)];
  const send = async (update: GlobalSecondaryIndexUpdate) => {
    await dynamodb.UpdateTable({
      TableName,
      ...pick(context.properties, ["AttributeDefinitions"]),
      GlobalSecondaryIndexUpdates: [update],
    });
    await untilReady(context, dynamodb, TableName);
  };
  for (const [IndexName, index] of before) {
    const next = after.get(IndexName);
    if (!next || !isSameIndex(index, next)) await send({ Delete: { IndexName } });
  }
  for (const [IndexName, index] of after) {
    const had = before.get(IndexName);
    if (!had || !isSameIndex(had, index)) {
      await send({ Create: toIndex(index) });
    } else if (
      !isSame(had["ProvisionedThroughput"], index["ProvisionedThroughput"]) &&
      index["ProvisionedThroughput"] !== undefined
    ) {
      await send({ Update: { IndexName, ...pick(index, ["ProvisionedThroughput"]) } });
    }
  }
}

async function untilReady(context: ResourceContext, dynamodb: Client, TableName: string): Promise<void> {
  for (;;) {
    const { Table } = await dynamodb.DescribeTable({ TableName });
    if ((Table?.GlobalSecondaryIndexes ?? []).every(({ IndexStatus }) => IndexStatus === "ACTIVE")) return;
    await context.wait(100);
  }
}

function throughputUpdates(properties: Properties): GlobalSecondaryIndexUpdate[] {
  return [...indexesOf(properties)].flatMap(([IndexName, index]) =>
    index["ProvisionedThroughput"] === undefined
      ? []
      : [{ Update: { IndexName, ...pick(index, ["ProvisionedThroughput"]) } }],
  );
}

function indexesOf(properties: Properties): ReadonlyMap<string, Properties> {
  const listed = properties["GlobalSecondaryIndexes"];
  if (!Array.isArray(listed)) return new Map();
  return new Map(listed.map((each: Properties) => [String(each["IndexName"]), each]));
}

function isSameIndex(a: Properties, b: Properties): boolean {
  return isSame(a["KeySchema"], b["KeySchema"]) && isSame(a["Projection"], b["Projection"]);
}

function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

async function setTimeToLive(dynamodb: Client, TableName: string, previous: Properties | undefined, next: Properties) {
  const [before, after] = [ttlOf(previous), ttlOf(next)];
  if (before === after) return;
  if (before !== undefined) {
    await dynamodb.UpdateTimeToLive({
      TableName,
      TimeToLiveSpecification: { Enabled: false, AttributeName: before },
    });
  }
  if (after !== undefined) {
    await dynamodb.UpdateTimeToLive({ TableName, TimeToLiveSpecification: { Enabled: true, AttributeName: after } });
  }
}

function ttlOf(properties: Properties | undefined): string | undefined {
  const given = objectOf(properties?.["TimeToLiveSpecification"]);
  return given?.["Enabled"] === true ? String(given["AttributeName"]) : undefined;
}

async function setRecovery(dynamodb: Client, TableName: string, previous: Properties | undefined, next: Properties) {
  const before = objectOf(previous?.["PointInTimeRecoverySpecification"]);
  const after = objectOf(next["PointInTimeRecoverySpecification"]);
  const enabled = after?.["PointInTimeRecoveryEnabled"] === true;
  if (isSame(before, after) || (!enabled && before?.["PointInTimeRecoveryEnabled"] !== true)) return;
  const days = after?.["RecoveryPeriodInDays"];
  await dynamodb.UpdateContinuousBackups({
    TableName,
    PointInTimeRecoverySpecification: {
      PointInTimeRecoveryEnabled: enabled,
      ...(enabled && typeof days === "number" && { RecoveryPeriodInDays: days }),
    },
  });
}

function streamOf(properties: Properties) {
  const given = objectOf(properties["StreamSpecification"]);
  if (!given) return {};
  return { StreamSpecification: { StreamEnabled: true, ...pick(given, ["StreamViewType"]) } };
}

function isEncrypted(properties: Properties): boolean {
  return objectOf(properties["SSESpecification"])?.["SSEEnabled"] === true;
}

function policyOf(properties: Properties): string | undefined {
  const document = objectOf(properties["ResourcePolicy"])?.["PolicyDocument"];
  if (document === undefined) return undefined;
  return typeof document === "string" ? document : JSON.stringify(document);
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

type Members = Required<CreateTableCommandInput> & Required<StreamSpecification>;

/** Members that the operations take as they are: what they cannot be, they refuse. */
function pick<Name extends keyof Members & string>(
  properties: Properties,
  names: readonly Name[],
): Pick<Members, Name> {
  const picked = names.flatMap((name) => (properties[name] === undefined ? [] : [[name, properties[name]]]));
  return Object.fromEntries(picked) as Pick<Members, Name>;
}

function toIndex(index: Properties): CreateGlobalSecondaryIndexAction {
  const given: object = index;
  return given as CreateGlobalSecondaryIndexAction;
}

function objectOf(value: unknown): Properties | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : undefined;
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

function isAwsError(error: unknown, code: string): boolean {
  return error instanceof AwsError && error.code === code;
}
