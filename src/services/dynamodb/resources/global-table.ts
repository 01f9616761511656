import { AwsError, notImplemented } from "../../../aws/error.ts";
import type { ClientOf } from "../../../wire/service.ts";
import type { Properties, ResourceContext, ResourceState, ResourceType } from "../../cloudformation/port.ts";
import type { Sdk } from "../needs.ts";
import { tableType } from "./table.ts";

const keys = ["KeySchema[].AttributeName", "KeySchema[].KeyType"];
const projection = ["Projection.NonKeyAttributes", "Projection.ProjectionType"];
const maxima = [
  "ReadOnDemandThroughputSettings.MaxReadRequestUnits",
  "WriteOnDemandThroughputSettings.MaxWriteRequestUnits",
];

/** A table with one replica, in the region of its stack: a table. Replicas elsewhere are refused by name. */
export const globalTableType: ResourceType = {
  type: "AWS::DynamoDB::GlobalTable",
  properties: [
    "AttributeDefinitions[].AttributeName",
    "AttributeDefinitions[].AttributeType",
    "BillingMode",
    ...["IndexName", ...keys, ...projection, ...maxima].map((name) => `GlobalSecondaryIndexes[].${name}`),
    ...keys,
    ...["IndexName", ...keys, ...projection].map((name) => `LocalSecondaryIndexes[].${name}`),
    ...maxima,
    ...[
      "DeletionProtectionEnabled",
      "GlobalSecondaryIndexes[].IndexName",
      "GlobalSecondaryIndexes[].ReadOnDemandThroughputSettings.MaxReadRequestUnits",
      "PointInTimeRecoverySpecification.PointInTimeRecoveryEnabled",
      "PointInTimeRecoverySpecification.RecoveryPeriodInDays",
      "ReadOnDemandThroughputSettings.MaxReadRequestUnits",
      "Region",
      "ResourcePolicy.PolicyDocument",
      "TableClass",
      "Tags[].Key",
      "Tags[].Value",
    ].map((name) => `Replicas[].${name}`),
    "SSESpecification.SSEEnabled",
    "StreamSpecification.StreamViewType",
    "TableName",
    "TimeToLiveSpecification.AttributeName",
    "TimeToLiveSpecification.Enabled",
  ],
  attributes: ["Arn", "StreamArn", "TableId"],

  create: async (context) => withId(context, await tableType.create(asTable(context))),
  update: async (context) => {
    const { previous, state } = context;
    return await withId(
      context,
      await tableType.update({ ...asTable(context), previous: toTable(previous, context.region), state }),
    );
  },
  // Deleted whatever its properties said.
  delete: (context) => tableType.delete(context),
};

async function withId(context: ResourceContext, state: ResourceState): Promise<ResourceState> {
  const dynamodb: ClientOf<Sdk> = context.client<Sdk>("dynamodb");
  const { Table } = await dynamodb.DescribeTable({ TableName: state.physicalId });
  return { ...state, attributes: { ...state.attributes, TableId: Table?.TableId ?? "" } };
}

function asTable<Context extends ResourceContext>(context: Context): Context {
  return { ...context, tags: {}, properties: toTable(context.properties, context.region) };
}

/** The properties of `AWS::DynamoDB::Table` that say the same. */
function toTable(given: Properties, region: string): Properties {
  const replicas = listOf(given["Replicas"]);
  const elsewhere = replicas.find((each) => each["Region"] !== region);
  if (elsewhere) throw notImplemented(`A replica of AWS::DynamoDB::GlobalTable in ${String(elsewhere["Region"])}`);
  const [replica] = replicas;
  if (!replica || replicas.length !== 1) {
    throw new AwsError("ValidationException", 400, "A global table has one replica in each region, and at least one");
  }
  const { Replicas: _r, GlobalSecondaryIndexes: indexes, ...rest } = given;
  const { Region: _n, GlobalSecondaryIndexes: own, ...settings } = replica;
  const ownIndexes = listOf(own);
  return {
    ...withMaxima(rest, settings),
    ...withoutMaxima(settings),
    ...(indexes !== undefined && {
      GlobalSecondaryIndexes: listOf(indexes).map((index) =>
        withMaxima(index, ownIndexes.find((each) => each["IndexName"] === index["IndexName"]) ?? {}),
      ),
    }),
  };
}

/** Maxima of on-demand throughput: of all replicas, unless this one has its own. */
function withMaxima(given: Properties, own: Properties): Properties {
  const read = memberOf(own["ReadOnDemandThroughputSettings"] ?? given["ReadOnDemandThroughputSettings"], "Read");
  const write = memberOf(given["WriteOnDemandThroughputSettings"], "Write");
  return {
    ...withoutMaxima(given),
    ...((read !== undefined || write !== undefined) && {
      OnDemandThroughput: {
        ...(read !== undefined && { MaxReadRequestUnits: read }),
        ...(write !== undefined && { MaxWriteRequestUnits: write }),
      },
    }),
  };
}

function withoutMaxima(given: Properties): Properties {
  const { ReadOnDemandThroughputSettings: _r, WriteOnDemandThroughputSettings: _w, ...rest } = given;
  return rest;
}

function memberOf(settings: unknown, kind: "Read" | "Write"): unknown {
  if (typeof settings !== "object" || settings === null) return undefined;
  return new Map<string, unknown>(Object.entries(settings)).get(`Max${kind}RequestUnits`);
}

function listOf(value: unknown): readonly Properties[] {
  return Array.isArray(value) ? value.map((each: object) => ({ ...each })) : [];
}
