import type { KeptState } from "../../../compute/compute.ts";
import type { Reader } from "../../../kernel/store/store.ts";
import type { Call, OperationsOf } from "../../../wire/service.ts";
import {
  checkProvisionedAlias,
  checkProvisionedVersion,
  provisionedKey,
  readProvisioned,
  removeProvisioned,
  sharesOf,
  unpublished,
  withProvisioned,
  writeClaim,
  type ProvisionedConfig,
} from "../concurrency-provisioned.ts";
import { readKeptElsewhere } from "../concurrency-spread.ts";
import { aliasNotFound, functionNotFound, invalidParameter, provisionedConfigNotFound } from "../errors.ts";
import type { CompiledFunction } from "../functions.ts";
import { lambdaLimits } from "../limits.ts";
import { functionArn, keyOf, type AliasRecord } from "../model.ts";
import {
  isVersionNumber,
  parseFunctionName,
  parseMarker,
  parseUnqualifiedName,
  toMarker,
  type FunctionReference,
} from "../names.ts";
import type { OperationNeeds, Sdk } from "../needs.ts";
import { onFunction } from "../permissions.ts";
import { present } from "../present.ts";
import { existingFunction } from "../versions.ts";

export function provisionedConcurrencyOperations({ store, functions, compute, nodes }: OperationNeeds) {
  /** What has become of it on all nodes: others tell how far they are twice a second. */
  const describe = async (fn: CompiledFunction | undefined, config: ProvisionedConfig) => {
    const states: Pick<KeptState, "ready" | "failure">[] = [];
    for (const version of sharesOf(config.qualifier, config.requested, fn?.aliases.get(config.qualifier)).keys()) {
      const found = await fn?.version(version);
      if (!fn || !found) continue;
      const { id } = await fn.spec(found);
      const state = compute.kept(id);
      states.push(...(state ? [state] : []), ...(await readKeptElsewhere(store, nodes, id)));
    }
    const allocated = Math.min(config.requested, sum(states.map(({ ready }) => ready)));
    const failure = states.find((state) => state.failure !== undefined)?.failure;
    return {
      RequestedProvisionedConcurrentExecutions: config.requested,
      AvailableProvisionedConcurrentExecutions: allocated,
      AllocatedProvisionedConcurrentExecutions: allocated,
      ...(allocated >= config.requested
        ? { Status: "READY" as const }
        : failure === undefined
          ? { Status: "IN_PROGRESS" as const }
          : { Status: "FAILED" as const, StatusReason: failure }),
      LastModified: toLastModified(config.modifiedAt),
    };
  };

  return {
    PutProvisionedConcurrencyConfig: {
      authorize: (input, call) =>
        onFunction(functions, "PutProvisionedConcurrencyConfig", input.FunctionName, call, input.Qualifier),
      async run(input, call) {
        const requested = present(input.ProvisionedConcurrentExecutions, "ProvisionedConcurrentExecutions");
        if (input.Qualifier === "$LATEST") throw unpublished();
        const { reference, qualifier } = parseQualified(input, call);
        await store.transact(async (tx) => {
          const record = await existingFunction(tx, { ...reference, qualifier });
          const { latest } = record;
          if (latest.settings.tenantIsolation !== undefined) {
            throw invalidParameter("Provisioned concurrency is not supported for functions with tenant isolation.");
          }
          if (latest.settings.capacity !== undefined) {
            throw invalidParameter("Provisioned concurrency is not supported for functions on a capacity provider.");
          }
          await checkTarget(tx, reference, qualifier);
          const before = await readProvisioned(tx, reference, record.name, qualifier);
          const total = (record.provisionedConcurrency ?? 0) - (before?.requested ?? 0) + requested;
          if (record.reservedConcurrency !== undefined && total > record.reservedConcurrency) {
            throw invalidParameter(
              "Requested Provisioned Concurrency should not be greater than the reservedConcurrentExecution for function",
            );
          }
          if (requested > lambdaLimits.concurrentExecutions) {
            throw invalidParameter(
              `Specified ConcurrentExecutions for function is greater than account's unreserved concurrency [${lambdaLimits.concurrentExecutions}].`,
            );
          }
          const after = withProvisioned(record, total);
          await writeClaim(
            tx,
            reference,
            record,
            after,
            `Specified ConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum value of [${lambdaLimits.unreservedConcurrencyMin}].`,
          );
          const config: ProvisionedConfig = { v: 1, qualifier, requested, modifiedAt: call.now };
          tx.set(provisionedKey(reference, record.name, qualifier), config);
        });
        return {
          RequestedProvisionedConcurrentExecutions: requested,
          AllocatedProvisionedConcurrentExecutions: 0,
          AvailableProvisionedConcurrentExecutions: 0,
          Status: "IN_PROGRESS",
          LastModified: toLastModified(call.now),
        };
      },
    },

    GetProvisionedConcurrencyConfig: {
      authorize: (input, call) =>
        onFunction(functions, "GetProvisionedConcurrencyConfig", input.FunctionName, call, input.Qualifier),
      async run(input, call) {
        const { reference, qualifier } = parseQualified(input, call);
        const config = await store.read(async (reader) => {
          await checkExists(reader, reference, qualifier);
          return readProvisioned(reader, reference, reference.name, qualifier);
        });
        if (!config) throw provisionedConfigNotFound();
        return describe(await functions.find(reference, reference.name), config);
      },
    },

    ListProvisionedConcurrencyConfigs: {
      authorize: (input, call) => onFunction(functions, "ListProvisionedConcurrencyConfigs", input.FunctionName, call),
      async run(input, call) {
        const place = parseUnqualifiedName(input.FunctionName, call);
        const limit = Math.min(input.MaxItems ?? lambdaLimits.listItemsMax, lambdaLimits.listItemsMax);
        const after = parseMarker(input.Marker);
        const entries = await store.read(async (reader) => {
          const record = await existingFunction(reader, place);
          const prefix = keyOf("provisioned", place, record.name);
          return reader.range<ProvisionedConfig>(
            { prefix, ...(after !== undefined && { after: [...prefix, after] }) },
            { limit: limit + 1 },
          );
        });
        const fn = await functions.find(place, place.name);
        const page = entries.slice(0, limit).map(({ value }) => value);
        const last = page.at(-1);
        const listed = [];
        for (const config of page) {
          const FunctionArn = functionArn(place, place.name, config.qualifier);
          listed.push({ FunctionArn, ...(await describe(fn, config)) });
        }
        return {
          ProvisionedConcurrencyConfigs: listed,
          ...(entries.length > limit && last && { NextMarker: toMarker(last.qualifier) }),
        };
      },
    },

    DeleteProvisionedConcurrencyConfig: {
      authorize: (input, call) =>
        onFunction(functions, "DeleteProvisionedConcurrencyConfig", input.FunctionName, call, input.Qualifier),
      async run(input, call) {
        const { reference, qualifier } = parseQualified(input, call);
        await store.transact(async (tx) => {
          const record = await existingFunction(tx, { ...reference, qualifier });
          await checkExists(tx, reference, qualifier);
          // AWS: deleting what is not there succeeds.
          await removeProvisioned(tx, reference, record, qualifier);
        });
        return {};
      },
    },
  } satisfies OperationsOf<Sdk>;
}

function parseQualified(
  input: { readonly FunctionName?: string | undefined; readonly Qualifier?: string | undefined },
  call: Call,
): { readonly reference: FunctionReference; readonly qualifier: string } {
  const reference = parseFunctionName(input.FunctionName, call, input.Qualifier);
  const qualifier = present(reference.qualifier, "Qualifier");
  if (qualifier === "$LATEST") {
    throw invalidParameter("The function resource provided must be an alias or a published version.");
  }
  return { reference, qualifier };
}

async function checkExists(
  reader: Reader,
  reference: FunctionReference,
  qualifier: string,
): Promise<AliasRecord | undefined> {
  await existingFunction(reader, { ...reference, qualifier });
  if (isVersionNumber(qualifier)) {
    const version = await reader.get(keyOf("version", reference, reference.name, Number(qualifier)));
    if (!version) throw functionNotFound(functionArn(reference, reference.name, qualifier));
    return undefined;
  }
  const alias = await reader.get<AliasRecord>(keyOf("alias", reference, reference.name, qualifier));
  if (!alias) throw aliasNotFound(functionArn(reference, reference.name, qualifier));
  return alias;
}

/** Throws unless this qualifier may have provisioned concurrency of its own. */
async function checkTarget(reader: Reader, reference: FunctionReference, qualifier: string): Promise<void> {
  const alias = await checkExists(reader, reference, qualifier);
  if (!alias) return checkProvisionedVersion(reader, reference, reference.name, qualifier);
  if (Object.keys(alias.weights).length > 0) {
    throw invalidParameter("Alias with weights can not be used with Provisioned Concurrency");
  }
  return checkProvisionedAlias(reader, reference, reference.name, alias);
}

/** `2026-11-22T00:00:00+0000`: to the second. */
function toLastModified(at: number): string {
  return `${new Date(at).toISOString().slice(0, 19)}+0000`;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}
