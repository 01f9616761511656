import type { Call, OperationsOf } from "../../../wire/service.ts";
import { executionNotFound, invalidMarker } from "../durable/errors.ts";
import { readHistory } from "../durable/history.ts";
import { isRunning, openJournal, saveJournal } from "../durable/journal.ts";
import { durableLimits } from "../durable/limits.ts";
import { readExecution, startedPrefix, type ExecutionKey, type ExecutionRecord } from "../durable/model.ts";
import { executionArn, parseExecutionArn, type ExecutionReference } from "../durable/names.ts";
import { endExecution } from "../durable/outcomes.ts";
import { readError } from "../durable/present.ts";
import { readText } from "../durable/texts.ts";
import { functionNotFound, invalidParameter } from "../errors.ts";
import { functionArn } from "../model.ts";
import { parseFunctionName } from "../names.ts";
import type { OperationNeeds, Sdk } from "../needs.ts";
import { onFunction } from "../permissions.ts";
import { resolveVersion } from "../routing.ts";
import { pageSize, onExecution } from "../durable/permissions.ts";
import type { Reader } from "../../../kernel/store/store.ts";

/** What people and programs ask of executions from outside. */
export function durableExecutionOperations({ store, jobs, functions, clock }: OperationNeeds) {
  return {
    GetDurableExecution: {
      authorize: (input) => onExecution("GetDurableExecution", input.DurableExecutionArn),
      run: (input, call) =>
        store.read(async (reader) => {
          const { key, record } = await existing(reader, input.DurableExecutionArn, call);
          const data = input.IncludeExecutionData ?? true;
          return {
            ...describe(key, record),
            ...(data && (await readData(reader, key, record))),
            Version: record.version,
            ...(record.traceId !== undefined && { TraceHeader: { XAmznTraceId: record.traceId } }),
            ExecutionDataIncluded: data,
            DurableConfig: {
              ExecutionTimeout: record.executionTimeoutSeconds,
              RetentionPeriodInDays: record.retentionDays,
            },
          };
        }),
    },

    GetDurableExecutionHistory: {
      authorize: (input) => onExecution("GetDurableExecutionHistory", input.DurableExecutionArn),
      run: (input, call) =>
        store.read(async (reader) => {
          const { key } = await existing(reader, input.DurableExecutionArn, call);
          const page = { marker: input.Marker, limit: pageSize(input.MaxItems), reverse: input.ReverseOrder ?? false };
          const { events, nextMarker } = await readHistory(reader, key, page, input.IncludeExecutionData ?? true);
          return { Events: events, ...(nextMarker !== undefined && { NextMarker: nextMarker }) };
        }),
    },

    ListDurableExecutionsByFunction: {
      authorize: (input, call) =>
        onFunction(functions, "ListDurableExecutionsByFunction", input.FunctionName, call, input.Qualifier),
      async run(input, call) {
        const reference = parseFunctionName(input.FunctionName, call, input.Qualifier);
        const fn = await functions.find(reference, reference.name);
        if (!fn) throw functionNotFound(functionArn(reference, reference.name, reference.qualifier));
        const version =
          reference.qualifier === undefined
            ? undefined
            : (await resolveVersion(fn, reference.qualifier, () => 1)).version;
        const statuses = input.Statuses && new Set<string>(input.Statuses);
        const after = input.StartedAfter?.getTime() ?? -Infinity;
        const before = input.StartedBefore?.getTime() ?? Infinity;
        const wanted = (record: ExecutionRecord) =>
          record.functionId === fn.record.id &&
          (version === undefined || record.version === version) &&
          (input.DurableExecutionName === undefined || record.name === input.DurableExecutionName) &&
          (statuses === undefined || statuses.has(statusOf(record))) &&
          record.startedAt > after &&
          record.startedAt < before;
        const limit = pageSize(input.MaxItems);
        const found: { readonly key: ExecutionKey; readonly record: ExecutionRecord }[] = [];
        const prefix = startedPrefix(reference, reference.name);
        await store.read(async (reader) => {
          let from = input.Marker ? parseMarker(input.Marker) : undefined;
          for (;;) {
            const entries = await reader.range(
              { prefix, ...(from && { after: [...prefix, ...from] }) },
              // AWS: newest first, unless the order is reversed.
              { limit: durableLimits.pageMax, reverse: !(input.ReverseOrder ?? false) },
            );
            for (const entry of entries) {
              const [at, id] = [Number(entry.key.at(-2)), String(entry.key.at(-1))];
              from = [at, id];
              const key = { account: reference.account, region: reference.region, functionName: reference.name, id };
              const record = await readExecution(reader, key);
              if (record && wanted(record)) found.push({ key, record });
              if (found.length > limit) return;
            }
            if (entries.length < durableLimits.pageMax) return;
          }
        });
        const page = found.slice(0, limit);
        const last = page.at(-1);
        return {
          DurableExecutions: page.map(({ key, record }) => describe(key, record)),
          ...(found.length > limit && last && { NextMarker: toMarker(last.record.startedAt, last.key.id) }),
        };
      },
    },

    StopDurableExecution: {
      authorize: (input) => onExecution("StopDurableExecution", input.DurableExecutionArn),
      run: (input, call) =>
        store.transact(async (tx) => {
          const { key, record } = await existing(tx, input.DurableExecutionArn, call);
          // AWS: stopping what has ended changes nothing and says when it ended.
          if (record.progress.state === "closed") return { StopTimestamp: new Date(record.progress.endedAt) };
          const journal = await openJournal(tx, jobs, key, clock.now());
          if (!journal || !isRunning(journal)) throw executionNotFound();
          await endExecution(journal, { status: "STOPPED", error: input.Error });
          await saveJournal(journal);
          return { StopTimestamp: new Date(journal.now) };
        }),
    },
  } satisfies OperationsOf<Sdk>;
}

/** The execution that an ARN names. Throws ResourceNotFoundException. */
async function existing(reader: Reader, arn: string | undefined, call: Call) {
  const key: ExecutionReference | undefined = parseExecutionArn(arn ?? "");
  if (!key) throw invalidParameter("Invalid Durable Execution ARN");
  const record = key.region === call.region ? await readExecution(reader, key) : undefined;
  if (!record || record.version !== key.version || record.name !== key.name) throw executionNotFound();
  return { key, record };
}

function describe(key: ExecutionKey, record: ExecutionRecord) {
  const { progress } = record;
  return {
    DurableExecutionArn: executionArn(key, record),
    DurableExecutionName: record.name,
    FunctionArn: functionArn(key, key.functionName, record.version),
    Status: statusOf(record),
    StartTimestamp: new Date(record.startedAt),
    ...(progress.state === "closed" && { EndTimestamp: new Date(progress.endedAt) }),
  };
}

function statusOf({ progress }: ExecutionRecord) {
  return progress.state === "closed" ? progress.status : ("RUNNING" as const);
}

async function readData(reader: Reader, key: ExecutionKey, { input, progress }: ExecutionRecord) {
  const { result, error } = progress.state === "closed" ? progress : {};
  return {
    ...(input !== undefined && { InputPayload: await readText(reader, key, input) }),
    ...(result !== undefined && { Result: await readText(reader, key, result) }),
    ...(error !== undefined && { Error: await readError(reader, key, error) }),
  };
}

function toMarker(startedAt: number, id: string): string {
  return Buffer.from(`${startedAt} ${id}`).toString("base64url");
}

function parseMarker(marker: string): [number, string] {
  const [, at, id] = /^(\d+) (\S+)$/.exec(Buffer.from(marker, "base64url").toString()) ?? [];
  if (at === undefined || id === undefined) throw invalidMarker();
  return [Number(at), id];
}
