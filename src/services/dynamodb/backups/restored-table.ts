import type { GlobalSecondaryIndex, LocalSecondaryIndex, SSESpecification } from "@aws-sdk/client-dynamodb";
import { notImplemented } from "../../../aws/error.ts";
import { invalidValues } from "../errors.ts";
import type { IndexRecord, TableRecord } from "../model.ts";
import {
  parseOnDemand,
  parseProjection,
  parseThroughput,
  type BillingMode,
  type OnDemandInput,
  type ThroughputInput,
} from "../tables/define.ts";
import { toElements } from "../tables/description.ts";

/** What a restored table may have otherwise than the one it is restored from. */
export interface Overrides {
  readonly BillingModeOverride?: BillingMode | undefined;
  readonly GlobalSecondaryIndexOverride?: readonly GlobalSecondaryIndex[] | undefined;
  readonly LocalSecondaryIndexOverride?: readonly LocalSecondaryIndex[] | undefined;
  readonly ProvisionedThroughputOverride?: ThroughputInput | undefined;
  readonly OnDemandThroughputOverride?: OnDemandInput | undefined;
  readonly SSESpecificationOverride?: SSESpecification | undefined;
  readonly VectorIndexOverride?: unknown;
}

/**
 * A table as restoring makes it. Source: developer guide: streams, time to live, tags, policies and recovery itself are not restored.
 *
 * @throws {ValidationException} for overrides that do not fit
 */
export function toRestored(
  table: TableRecord,
  overrides: Overrides,
  as: {
    readonly name: string;
    readonly tableId: string;
    readonly newId: () => string;
    readonly now: number;
    readonly restore: NonNullable<TableRecord["restore"]>;
  },
): TableRecord {
  refuse(overrides);
  const mode = overrides.BillingModeOverride ?? table.billingMode;
  const given = overrides.ProvisionedThroughputOverride;
  const throughput =
    given !== undefined || mode !== table.billingMode ? parseThroughput(mode, given) : table.throughput;
  const onDemand =
    overrides.OnDemandThroughputOverride === undefined
      ? table.onDemand
      : parseOnDemand(overrides.OnDemandThroughputOverride);
  const indexes = [
    ...chosen(table, "local", overrides.LocalSecondaryIndexOverride),
    ...chosen(table, "global", overrides.GlobalSecondaryIndexOverride).map((index) => withMode(index, mode)),
  ].map((index) => Object.assign({}, index, { storeId: as.newId(), itemCount: 0, bytes: 0 }));
  const used = new Set([table, ...indexes].flatMap(({ key }) => key.hash.concat(key.range)).map(({ name }) => name));
  return {
    v: 1,
    name: as.name,
    tableId: as.tableId,
    storeId: as.newId(),
    generation: 1,
    status: "CREATING",
    createdAt: as.now,
    attributes: table.attributes.filter(({ name }) => used.has(name)),
    key: table.key,
    indexes,
    billingMode: mode,
    ...((table.onDemandSince !== undefined || mode === "PAY_PER_REQUEST") && { onDemandSince: as.now }),
    throughput,
    ...(onDemand && mode === "PAY_PER_REQUEST" && { onDemand }),
    tags: {},
    deletionProtection: false,
    ...(table.tableClass && { tableClass: table.tableClass }),
    restore: as.restore,
    itemCount: 0,
    bytes: 0,
  };
}

function refuse(overrides: Overrides): void {
  const { SSESpecificationOverride: encryption } = overrides;
  if (encryption?.Enabled === true || encryption?.KMSMasterKeyId !== undefined) {
    throw notImplemented("SSESpecificationOverride with a KMS key");
  }
  if (overrides.VectorIndexOverride !== undefined) throw notImplemented("The parameter VectorIndexOverride");
}

/** API reference: indexes that are given match those that there were; some or all may be left out. */
function chosen(
  table: TableRecord,
  kind: IndexRecord["kind"],
  given: readonly (GlobalSecondaryIndex | LocalSecondaryIndex)[] | undefined,
): readonly IndexRecord[] {
  const had = table.indexes.filter((index) => index.kind === kind && index.status === "ACTIVE");
  if (!given) return had;
  return given.map((each) => {
    const index = had.find(({ name }) => name === each.IndexName);
    const isSame =
      index &&
      JSON.stringify(toElements(index.key)) === JSON.stringify(elementsOf(each)) &&
      JSON.stringify(index.projection) === JSON.stringify(parseProjection(each.Projection));
    if (!index || !isSame) {
      throw invalidValues(`Index ${each.IndexName ?? ""} does not match an index of the source table`);
    }
    const units = "ProvisionedThroughput" in each ? each.ProvisionedThroughput : undefined;
    const maxima = "OnDemandThroughput" in each ? parseOnDemand(each.OnDemandThroughput) : undefined;
    return {
      ...index,
      ...(units && { throughput: parseThroughput("PROVISIONED", units) }),
      ...(maxima && { onDemand: maxima }),
    };
  });
}

function elementsOf({ KeySchema = [] }: GlobalSecondaryIndex | LocalSecondaryIndex) {
  return KeySchema.map(({ AttributeName, KeyType }) => ({ AttributeName, KeyType }));
}

function withMode(index: IndexRecord, mode: BillingMode): IndexRecord {
  if (mode === "PROVISIONED") {
    if (!index.throughput) throw invalidValues(`ProvisionedThroughput must be specified for index: ${index.name}`);
    const { onDemand: _o, ...rest } = index;
    return rest;
  }
  const { throughput: _t, ...rest } = index;
  return rest;
}
