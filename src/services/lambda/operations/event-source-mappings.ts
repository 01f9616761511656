import type { AuthorizationRequest } from "../../../access/authorization.ts";
import type { Call, OperationsOf } from "../../../wire/service.ts";
import { notImplemented } from "../../../aws/error.ts";
import { parseArn } from "../../../aws/arn.ts";
import { checkDestinations } from "../destinations.ts";
import { invalidParameter, resourceNotFound } from "../errors.ts";
import { describeMapping, readResult } from "../event-sources/describe.ts";
import { mappingExists, mappingInUse, unrecognizedSource } from "../event-sources/errors.ts";
import type { EventSource } from "../event-sources/event-source.ts";
import { writeChange } from "../event-sources/jobs.ts";
import { eventSourceLimits } from "../event-sources/limits.ts";
import {
  deletePair,
  lanesOf,
  mappingArn,
  mappingsPrefix,
  readMapping,
  readPair,
  writeCheckpoint,
  writeDuty,
  writePair,
  type MappingRecord,
} from "../event-sources/model.ts";
import { mayRead } from "../event-sources/role-access.ts";
import { readSettings, readStart, type MappingSettings } from "../event-sources/settings.ts";
import { functionArn } from "../model.ts";
import { parseFunctionName, parseMarker, toMarker, type FunctionReference } from "../names.ts";
import type { OperationNeeds, Sdk } from "../needs.ts";
import { present } from "../present.ts";
import { checkTags } from "../settings.ts";

/** Services that AWS polls and that are not built, as their ARNs name them. */
const otherServices = new Set(["sqs", "kinesis", "kafka", "mq", "rds"]);

export function eventSourceMappingOperations(
  needs: OperationNeeds & { readonly eventSources: readonly EventSource[] },
) {
  const { store, jobs, ids, functions } = needs;

  const sourceOf = (arn: string | undefined, operation: string): EventSource => {
    const found = needs.eventSources.find((each) => arn !== undefined && each.isSource(arn));
    if (found) return found;
    const service = parseArn(arn ?? "")?.service;
    if (service !== undefined && otherServices.has(service)) {
      throw notImplemented(`The event source ${service} of ${operation}`);
    }
    throw unrecognizedSource();
  };

  /** AWS refuses a mapping whose function is not there, or whose function's role could not read the source or deliver. */
  const checkFunction = async (
    call: Call,
    reference: FunctionReference,
    source: EventSource,
    sourceArn: string,
    { onFailure }: MappingSettings,
  ): Promise<void> => {
    const { name, qualifier } = reference;
    const fn = reference.account === call.account ? await functions.find(reference, name) : undefined;
    if (!fn) throw invalidParameter("Function does not exist");
    if (qualifier !== undefined && !fn.aliases.has(qualifier) && !(await fn.version(qualifier))) {
      throw invalidParameter("Function does not exist");
    }
    // Nobody could say for which tenant a record is.
    if (fn.record.latest.settings.tenantIsolation !== undefined) {
      throw invalidParameter("Event source mappings are not supported for functions with tenant isolation.");
    }
    const asked = { place: fn.place, name, role: fn.record.latest.settings.role };
    if (!(await mayRead(needs, asked, source, sourceArn, call.now))) throw invalidParameter(source.denied(sourceArn));
    if (onFailure !== undefined) await checkDestinations(needs, asked, { onFailure });
  };

  const existing = async (uuid: string | undefined, call: Call): Promise<MappingRecord> => {
    const record = await store.read((reader) => readMapping(reader, { ...placeOf(call), uuid: uuid ?? "" }));
    if (!record) throw resourceNotFound();
    return record;
  };

  /** About a mapping, with the function that it is for. */
  const onMapping = async (action: string, uuid: string | undefined, call: Call): Promise<AuthorizationRequest[]> => {
    const at = { ...placeOf(call), uuid: uuid ?? "" };
    const record = await store.read((reader) => readMapping(reader, at));
    const context = record && { "lambda:FunctionArn": [arnOf(record.function)] };
    return [{ action: `lambda:${action}`, resource: mappingArn(at), ...(context && { context }) }];
  };

  return {
    CreateEventSourceMapping: {
      authorize: (input, call) => [
        {
          action: "lambda:CreateEventSourceMapping",
          resource: "*",
          context: { "lambda:FunctionArn": [arnOf(parseFunctionName(input.FunctionName, call))] },
        },
        ...(input.Tags ? [{ action: "lambda:TagResource", resource: "*" }] : []),
      ],
      async run(input, call) {
        if (input.SelfManagedEventSource) throw notImplemented(`SelfManagedEventSource of ${call.operation}`);
        const place = placeOf(call);
        const sourceArn = input.EventSourceArn ?? "";
        const source = sourceOf(input.EventSourceArn, call.operation);
        const startingPosition = readStart(input, source);
        const settings = { ...readSettings(input, source, call.operation), startingPosition };
        const tags = input.Tags ?? {};
        checkTags(tags);
        const reference = withoutLatest(parseFunctionName(input.FunctionName, call));
        const shards = parseArn(sourceArn)?.region === call.region ? await source.shards(sourceArn) : undefined;
        if (!shards) throw invalidParameter(`Stream not found: ${sourceArn}`);
        await checkFunction(call, reference, source, sourceArn, settings);
        // From now on nothing is missed, however long it takes until somebody polls.
        const positions = new Map<string, number>();
        for (const shard of shards) positions.set(shard, await source.start(sourceArn, shard, startingPosition));
        const record: MappingRecord = {
          v: 1,
          uuid: ids.uuid(),
          sourceArn,
          function: reference,
          settings,
          enabled: input.Enabled ?? true,
          state: "Creating",
          modifiedAt: call.now,
          tags,
          shards,
          lanes: settings.parallelizationFactor,
        };
        const at = { ...place, uuid: record.uuid };
        await store.transact(async (tx) => {
          const other = await readPair(tx, place, sourceArn, arnOf(reference));
          if (other !== undefined) throw mappingExists(sourceArn, reference.name, other);
          writePair(tx, at, sourceArn, arnOf(reference));
          for (const lane of lanesOf(place, record)) {
            writeCheckpoint(tx, lane, { v: 1, position: positions.get(lane.shard) ?? 0 });
            writeDuty(tx, lane, false);
          }
          writeChange(tx, jobs, at, record, call.now);
        });
        return describeMapping(place, record);
      },
    },

    GetEventSourceMapping: {
      authorize: (input, call) => onMapping("GetEventSourceMapping", input.UUID, call),
      async run(input, call) {
        const record = await existing(input.UUID, call);
        const result = await store.read((reader) => readResult(reader, placeOf(call), record));
        return describeMapping(placeOf(call), record, result);
      },
    },

    ListEventSourceMappings: {
      authorize: () => [{ action: "lambda:ListEventSourceMappings", resource: "*" }],
      async run(input, call) {
        const place = placeOf(call);
        const limit = Math.min(input.MaxItems ?? eventSourceLimits.listItemsMax, eventSourceLimits.listItemsMax);
        const fn =
          input.FunctionName === undefined ? undefined : withoutLatest(parseFunctionName(input.FunctionName, call));
        const isListed = (record: MappingRecord) =>
          (input.EventSourceArn === undefined || record.sourceArn === input.EventSourceArn) &&
          (fn === undefined || arnOf(record.function) === arnOf(fn));
        return store.read(async (reader) => {
          const prefix = [...mappingsPrefix, place.account, place.region];
          const found: MappingRecord[] = [];
          for (let after = parseMarker(input.Marker); found.length <= limit;) {
            const range = { prefix, ...(after !== undefined && { after: [...prefix, after] }) };
            const page = await reader.range<MappingRecord>(range, { limit: eventSourceLimits.page });
            found.push(...page.map(({ value }) => value).filter(isListed));
            if (page.length < eventSourceLimits.page) break;
            after = page.at(-1)?.value.uuid;
          }
          const listed = found.slice(0, limit);
          const last = listed.at(-1);
          const described = listed.map(async (record) =>
            describeMapping(place, record, await readResult(reader, place, record)),
          );
          return {
            EventSourceMappings: await Promise.all(described),
            ...(found.length > limit && last && { NextMarker: toMarker(last.uuid) }),
          };
        });
      },
    },

    UpdateEventSourceMapping: {
      authorize: async (input, call) => [
        ...(await onMapping("UpdateEventSourceMapping", input.UUID, call)),
        ...(input.FunctionName === undefined
          ? []
          : [
              {
                action: "lambda:UpdateEventSourceMapping",
                resource: mappingArn({ ...placeOf(call), uuid: input.UUID ?? "" }),
                context: { "lambda:FunctionArn": [arnOf(parseFunctionName(input.FunctionName, call))] },
              },
            ]),
      ],
      async run(input, call) {
        const place = placeOf(call);
        const { sourceArn, ...before } = await existing(input.UUID, call);
        const source = sourceOf(sourceArn, call.operation);
        const { FunctionName } = input;
        const reference =
          FunctionName === undefined ? before.function : withoutLatest(parseFunctionName(FunctionName, call));
        const wanted = readSettings(input, source, call.operation, before.settings);
        if (FunctionName !== undefined || input.DestinationConfig) {
          await checkFunction(call, reference, source, sourceArn, wanted);
        }
        const at = { ...place, uuid: before.uuid };
        const record = await store.transact(async (tx) => {
          const current = await readMapping(tx, at);
          if (!current) throw resourceNotFound();
          if (current.state !== "Enabled" && current.state !== "Disabled") throw mappingInUse("update");
          const [from, to] = [arnOf(current.function), arnOf(reference)];
          if (FunctionName !== undefined && from !== to) {
            const other = await readPair(tx, place, sourceArn, to);
            if (other !== undefined) throw mappingExists(sourceArn, reference.name, other);
            deletePair(tx, place, sourceArn, from);
            writePair(tx, at, sourceArn, to);
          }
          const enabled = input.Enabled ?? current.enabled;
          const next: MappingRecord = {
            ...current,
            function: FunctionName === undefined ? current.function : reference,
            settings: readSettings(input, source, call.operation, current.settings),
            enabled,
            state: enabled === current.enabled ? "Updating" : enabled ? "Enabling" : "Disabling",
            modifiedAt: call.now,
          };
          writeChange(tx, jobs, at, next, call.now);
          return next;
        });
        const result = await store.read((reader) => readResult(reader, place, record));
        return describeMapping(place, record, result);
      },
    },

    DeleteEventSourceMapping: {
      authorize: (input, call) => onMapping("DeleteEventSourceMapping", input.UUID, call),
      async run(input, call) {
        const place = placeOf(call);
        const at = { ...place, uuid: present(input.UUID, "UUID") };
        const { record, result } = await store.transact(async (tx) => {
          const current = await readMapping(tx, at);
          if (!current) throw resourceNotFound();
          if (current.state !== "Enabled" && current.state !== "Disabled") throw mappingInUse("delete");
          const next: MappingRecord = { ...current, state: "Deleting", modifiedAt: call.now };
          writeChange(tx, jobs, at, next, call.now);
          return { record: next, result: await readResult(tx, place, next) };
        });
        return describeMapping(place, record, result);
      },
    },
  } satisfies OperationsOf<Sdk>;
}

function placeOf({ account, region }: Call) {
  return { account, region };
}

function arnOf(reference: FunctionReference): string {
  return functionArn(reference, reference.name, reference.qualifier);
}

/** AWS tells functions that are named with `$LATEST` without it. */
function withoutLatest({ qualifier, ...reference }: FunctionReference): FunctionReference {
  return qualifier === undefined || qualifier === "$LATEST" ? reference : { ...reference, qualifier };
}
