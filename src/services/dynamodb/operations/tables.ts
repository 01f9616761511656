import type { StreamSpecification } from "@aws-sdk/client-dynamodb";
import { notImplemented } from "../../../aws/error.ts";
import { lowerAlphanumeric } from "../../../kernel/ids.ts";
import type { Call, OperationsOf } from "../../../wire/service.ts";
import { toAuthorization } from "../access.ts";
import { keepDeleted } from "../backups/jobs.ts";
import { arnNotFound, invalidValues, limitExceeded, resourceInUse, tableExists, validation } from "../errors.ts";
import { dynamoLimits } from "../limits.ts";
import {
  readTable,
  tableArn,
  tablesOf,
  writeTable,
  type IndexRecord,
  type Place,
  type StreamRecordOfTable,
  type TableRecord,
} from "../model.ts";
import type { DynamoNeeds, Sdk } from "../needs.ts";
import { parseTablePolicy } from "../policy.ts";
import { existing, parseTableName, type TableCatalog } from "../tables/catalog.ts";
import { describeDeleted, describeTable } from "../tables/description.ts";
import {
  assertDistinctNames,
  assertProjected,
  parseAttributes,
  parseGlobalIndex,
  parseOnDemand,
  parseThroughput,
  type BillingMode,
} from "../tables/define.ts";
import { backfillKind, closeStream, createTable, openStream, removeTable, toTableJob } from "../tables/lifecycle.ts";
import { assertOwnKeys, assertRoom, toNewTable } from "../tables/new-table.ts";
import { toTags } from "../tags.ts";

const hexadecimal = "0123456789abcdef";

type TableNeeds = Pick<DynamoNeeds, "settledStore" | "jobs" | "clock" | "ids"> & { readonly catalog: TableCatalog };

/** CreateTable, DescribeTable, ListTables, UpdateTable, DeleteTable, DescribeLimits, DescribeEndpoints. */
export function tableOperations(needs: TableNeeds) {
  const { catalog, jobs, clock, ids, settledStore: store } = needs;
  const on = (action: string) => (input: { readonly TableName: string | undefined }, call: Call) =>
    toAuthorization(catalog, call, [{ action, table: parseTableName(input.TableName, call) }]);
  const newStoreId = () => ids.random(10, lowerAlphanumeric);

  return {
    CreateTable: {
      authorize: async (input, call) => {
        const name = parseTableName(input.TableName, call);
        const asked = [{ action: "CreateTable", table: name }];
        // AWS: tags and a policy given on creation are allowed as if they were given after it.
        if (input.Tags?.length) asked.push({ action: "TagResource", table: name });
        if (input.ResourcePolicy !== undefined) asked.push({ action: "PutResourcePolicy", table: name });
        return await toAuthorization(catalog, call, asked);
      },
      async run(input, call) {
        refuse(input, "CreateTable", [
          "GlobalTableSourceArn",
          "GlobalTableSettingsReplicationMode",
          "VectorIndexes",
          "WarmThroughput",
        ]);
        const { name } = parseTableName(input.TableName, call);
        const now = call.now;
        const made = toNewTable({ ...input, TableName: name }, ids, now);
        const stream = parseStream(input.StreamSpecification, now, newStoreId);
        const policy = input.ResourcePolicy;
        const table: TableRecord = {
          ...made,
          ...(stream && { stream, latestStreamLabel: stream.label }),
          tags: toTags(input.Tags),
          deletionProtection: input.DeletionProtectionEnabled ?? false,
          ...(input.TableClass && { tableClass: input.TableClass }),
          ...(policy !== undefined && { policy: { text: parseTablePolicy(policy), revision: String(now) } }),
        };
        await store.transact(async (tx) => {
          if (await readTable(tx, call, name)) throw tableExists(name);
          await assertRoom(tx, call);
          createTable(tx, { jobs, now }, place(call), table);
        });
        // It is ready when it is durable; AWS tells the state in which it was made.
        return { TableDescription: describeTable(call, asCreating(table)) };
      },
    },

    DescribeTable: {
      authorize: on("DescribeTable"),
      async run(input, call) {
        const name = parseTableName(input.TableName, call);
        const table = existing(await catalog.find(name), name);
        return { Table: describeTable(table.place, table.record) };
      },
    },

    ListTables: {
      authorize: () => [{ action: "dynamodb:ListTables", resource: "*" }],
      async run(input, call) {
        const limit = input.Limit ?? 100;
        const prefix = tablesOf(call);
        const after = input.ExclusiveStartTableName;
        const found = await store.read((reader) =>
          reader.range<TableRecord>(
            { prefix, ...(after !== undefined && { after: [...prefix, after] }) },
            { limit: limit + 1 },
          ),
        );
        const names = found.slice(0, limit).map(({ value }) => value.name);
        const last = names.at(-1);
        return {
          TableNames: names,
          ...(found.length > limit && last !== undefined && { LastEvaluatedTableName: last }),
        };
      },
    },

    DeleteTable: {
      authorize: on("DeleteTable"),
      async run(input, call) {
        const name = parseTableName(input.TableName, call);
        return await store.transact(async (tx) => {
          const table = existing(await readTable(tx, name.place, name.name), name);
          if (table.deletionProtection) {
            throw validation(
              `Resource cannot be deleted as it is currently protected against deletion. Disable deletion protection first.`,
            );
          }
          if (table.status === "CREATING") {
            throw resourceInUse(
              `Attempt to change a resource which is still in use: Table is being created: ${name.name}`,
            );
          }
          if (table.copies) {
            throw resourceInUse(
              `Attempt to change a resource which is still in use: Table is being backed up: ${name.name}`,
            );
          }
          const now = clock.now();
          if (table.recovery) keepDeleted(tx, { jobs, now, random: ids.random(8, hexadecimal) }, name.place, table);
          await removeTable(tx, { jobs, now }, name.place, table, table.recovery !== undefined);
          return { TableDescription: describeDeleted(name.place, table) };
        });
      },
    },

    UpdateTable: {
      authorize: on("UpdateTable"),
      async run(input, call) {
        refuse(input, "UpdateTable", [
          "ReplicaUpdates",
          "MultiRegionConsistency",
          "GlobalTableWitnessUpdates",
          "GlobalTableSettingsReplicationMode",
          "DisassociationProtectionEnabled",
          "VectorIndexUpdates",
          "WarmThroughput",
        ]);
        const name = parseTableName(input.TableName, call);
        assertOwnKeys(input.SSESpecification);
        return await store.transact(async (tx) => {
          const table = existing(await readTable(tx, name.place, name.name), name);
          if (table.status === "CREATING") {
            throw resourceInUse(
              `Attempt to change a resource which is still in use: Table is being created: ${name.name}`,
            );
          }
          const changed = update(table, input, call.now);
          if (changed.stream !== table.stream) {
            if (changed.stream) openStream(tx, { jobs, now: call.now }, name.place, changed);
            else await closeStream(tx, name.place, table, call.now);
          }
          for (const index of changed.indexes) {
            const before = table.indexes.find(({ storeId }) => storeId === index.storeId);
            if (before?.status === index.status || index.status === "ACTIVE") continue;
            jobs.schedule(tx, {
              kind: backfillKind,
              key: [index.storeId],
              at: call.now,
              payload: { ...toTableJob(name.place, table), indexStoreId: index.storeId },
            });
          }
          writeTable(tx, name.place, changed);
          return { TableDescription: describeTable(name.place, asUpdating(changed)) };
        });
      },
    },

    DescribeLimits: {
      authorize: () => [{ action: "dynamodb:DescribeLimits", resource: "*" }],
      run: () => ({
        AccountMaxReadCapacityUnits: dynamoLimits.accountCapacityUnitsMax,
        AccountMaxWriteCapacityUnits: dynamoLimits.accountCapacityUnitsMax,
        TableMaxReadCapacityUnits: dynamoLimits.capacityUnitsMax,
        TableMaxWriteCapacityUnits: dynamoLimits.capacityUnitsMax,
      }),
    },

    DescribeEndpoints: {
      authorize: () => [{ action: "dynamodb:DescribeEndpoints", resource: "*" }],
      run: (_input, call) => ({
        Endpoints: [{ Address: new URL(call.endpoint).host, CachePeriodInMinutes: 1440 }],
      }),
    },
  } satisfies OperationsOf<Sdk>;

  function update(table: TableRecord, input: UpdateInput, now: number): TableRecord {
    const updates = input.GlobalSecondaryIndexUpdates;
    if (
      input.BillingMode === undefined &&
      input.ProvisionedThroughput === undefined &&
      !updates?.length &&
      input.StreamSpecification === undefined &&
      input.SSESpecification === undefined &&
      input.TableClass === undefined &&
      input.DeletionProtectionEnabled === undefined &&
      input.OnDemandThroughput === undefined
    ) {
      throw validation(
        "At least one of ProvisionedThroughput, BillingMode, UpdateStreamEnabled, GlobalSecondaryIndexUpdates or SSESpecification or ReplicaUpdates is required",
      );
    }
    let changed: TableRecord = { ...table, generation: table.generation + 1 };
    const mode: BillingMode = input.BillingMode ?? table.billingMode;
    changed = updateThroughput(changed, mode, input, now);
    if (updates?.length) changed = updateIndexes(changed, mode, input, newStoreId);
    if (mode === "PROVISIONED") {
      const without = changed.indexes.find((each) => each.kind === "global" && !each.throughput);
      if (without) throw invalidValues(`ProvisionedThroughput must be specified for index: ${without.name}`);
    }
    if (input.StreamSpecification) changed = updateStream(changed, input.StreamSpecification, now, newStoreId);
    const onDemand = input.OnDemandThroughput ? parseOnDemand(input.OnDemandThroughput) : undefined;
    return {
      ...changed,
      ...(onDemand && { onDemand }),
      ...(input.DeletionProtectionEnabled !== undefined && { deletionProtection: input.DeletionProtectionEnabled }),
      ...(input.TableClass && { tableClass: input.TableClass, tableClassAt: now }),
    };
  }
}

type UpdateInput = Parameters<NonNullable<OperationsOf<Sdk>["UpdateTable"]>["run"]>[0];

function place({ account, region }: Place): Place {
  return { account, region };
}

function asCreating(table: TableRecord): TableRecord {
  return {
    ...table,
    status: "CREATING",
    indexes: table.indexes.map((each) =>
      each.kind === "global" ? Object.assign({}, each, { status: "CREATING" as const }) : each,
    ),
  };
}

function asUpdating(table: TableRecord): TableRecord {
  return { ...table, status: "UPDATING" };
}

function refuse(input: object, operation: string, members: readonly string[]): void {
  const given = new Map(Object.entries(input));
  const found = members.find((name) => given.get(name) !== undefined);
  if (found !== undefined) throw notImplemented(`The parameter ${found} of ${operation}`);
}

function parseStream(
  given: StreamSpecification | undefined,
  now: number,
  storeId: () => string,
): StreamRecordOfTable | undefined {
  if (!given?.StreamEnabled) {
    if (given?.StreamViewType !== undefined) {
      throw invalidValues("StreamViewType is specified when StreamEnabled is false");
    }
    return undefined;
  }
  if (given.StreamViewType === undefined) {
    throw invalidValues("StreamViewType is required when StreamEnabled is true");
  }
  const label = new Date(now).toISOString().replace("Z", "");
  return { storeId: storeId(), label, viewType: given.StreamViewType };
}

function updateStream(table: TableRecord, given: StreamSpecification, now: number, storeId: () => string): TableRecord {
  const stream = parseStream(given, now, storeId);
  if (stream && table.stream) {
    throw validation(`Table already has an enabled stream: TableName: ${table.name}`);
  }
  if (!stream && !table.stream) {
    throw validation(`Table doesn't have an enabled stream: TableName: ${table.name}`);
  }
  const { stream: _before, ...rest } = table;
  return stream ? { ...rest, stream, latestStreamLabel: stream.label } : rest;
}

function updateThroughput(table: TableRecord, mode: BillingMode, input: UpdateInput, now: number): TableRecord {
  const given = input.ProvisionedThroughput;
  if (mode === "PAY_PER_REQUEST") {
    if (given !== undefined) {
      throw invalidValues(
        "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST",
      );
    }
    if (table.billingMode === mode) return table;
    const indexes = table.indexes.map(withoutThroughput);
    return { ...table, billingMode: mode, onDemandSince: now, throughput: { read: 0, write: 0 }, indexes };
  }
  if (given === undefined) {
    if (table.billingMode === mode) return table;
    throw invalidValues("ProvisionedThroughput must be specified when BillingMode is PROVISIONED");
  }
  const throughput = parseThroughput(mode, given);
  const { read, write } = table.throughput;
  if (table.billingMode === mode && throughput.read === read && throughput.write === write) {
    throw validation(
      `The provisioned throughput for the table will not change. The requested value equals the current value. Current ReadCapacityUnits provisioned for the table: ${read}. Requested ReadCapacityUnits: ${read}. Current WriteCapacityUnits provisioned for the table: ${write}. Requested WriteCapacityUnits: ${write}. Refer to the Amazon DynamoDB Developer Guide for current limits and how to request higher limits.`,
    );
  }
  const { onDemand: _o, ...rest } = table;
  return {
    ...rest,
    billingMode: mode,
    throughput,
    ...((throughput.read > read || throughput.write > write) && { lastIncreaseAt: now }),
    ...((throughput.read < read || throughput.write < write) && { lastDecreaseAt: now }),
  };
}

function withoutThroughput({ throughput: _t, ...index }: IndexRecord): IndexRecord {
  return index;
}

function updateIndexes(table: TableRecord, mode: BillingMode, input: UpdateInput, storeId: () => string): TableRecord {
  const defined = input.AttributeDefinitions ? parseAttributes(input.AttributeDefinitions) : [];
  const attributes = [
    ...defined,
    ...table.attributes.filter(({ name }) => defined.every((each) => each.name !== name)),
  ];
  const indexes: IndexRecord[] = [...table.indexes];
  const named = new Set<string>();
  let online = 0;
  for (const { Create, Update, Delete } of input.GlobalSecondaryIndexUpdates ?? []) {
    const name = (Create ?? Update ?? Delete)?.IndexName;
    if (name === undefined) {
      throw invalidValues(
        "One of GlobalSecondaryIndexUpdate.Update, GlobalSecondaryIndexUpdate.Create, GlobalSecondaryIndexUpdate.Delete must not be null",
      );
    }
    if (named.has(name)) {
      throw invalidValues(`Only one global secondary index update per index is allowed simultaneously. Index: ${name}`);
    }
    named.add(name);
    if (Create) {
      online += 1;
      const context = { mode, attributes, tableKey: table.key, storeId };
      const created = parseGlobalIndex(Create, context, "CREATING");
      if (indexes.some((each) => each.name === name)) {
        throw validation(`Attempting to create an index which already exists`);
      }
      indexes.push(created);
      continue;
    }
    const index = indexes.find((each) => each.name === name && each.kind === "global");
    if (!index) throw arnlessIndexNotFound(name);
    if (index.status !== "ACTIVE") {
      throw resourceInUse(
        `Attempt to change a resource which is still in use: Index is being ${index.status === "CREATING" ? "created" : "deleted"}: ${name}`,
      );
    }
    if (Delete) online += 1;
    const onDemand = parseOnDemand(Update?.OnDemandThroughput);
    const changed: IndexRecord = Delete
      ? { ...index, status: "DELETING" }
      : {
          ...index,
          ...(Update?.ProvisionedThroughput && { throughput: parseThroughput(mode, Update.ProvisionedThroughput) }),
          ...(onDemand && { onDemand }),
        };
    indexes[indexes.indexOf(index)] = changed;
  }
  if (online > 1) {
    throw limitExceeded(
      "Subscriber limit exceeded: Only 1 online index can be created or deleted simultaneously per table",
    );
  }
  assertDistinctNames(indexes);
  assertProjected(indexes);
  if (indexes.filter(({ kind }) => kind === "global").length > dynamoLimits.globalIndexesMax) {
    throw limitExceeded(
      `Subscriber limit exceeded: GlobalSecondaryIndex count exceeds the per-table limit of ${dynamoLimits.globalIndexesMax}`,
    );
  }
  const kept = indexes.filter(({ status }) => status !== "DELETING");
  const used = new Set([table, ...kept].flatMap(({ key }) => key.hash.concat(key.range)).map(({ name }) => name));
  return { ...table, indexes, attributes: attributes.filter(({ name }) => used.has(name)) };
}

function arnlessIndexNotFound(name: string) {
  return validation(`Requested resource not found: Index: ${name} not found`);
}

/** The table that an ARN names. @throws {ResourceNotFoundException} */
export function parseTableArn(arn: string | undefined, call: Call) {
  const name = parseTableName(arn, call);
  if (tableArn(name.place, name.name) !== arn) throw arnNotFound(arn ?? "");
  return name;
}
