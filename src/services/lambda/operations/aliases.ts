import type { AliasRoutingConfiguration } from "@aws-sdk/client-lambda";
import type { Reader } from "../../../kernel/store/store.ts";
import type { OperationsOf } from "../../../wire/service.ts";
import { checkProvisionedAlias, readProvisioned, removeProvisioned } from "../concurrency-provisioned.ts";
import { describeAlias } from "../configuration.ts";
import { aliasNotFound, conflict, functionNotFound, invalidParameter, revisionMismatch } from "../errors.ts";
import { lambdaLimits } from "../limits.ts";
import { functionArn, keyOf, type AliasRecord, type Place } from "../model.ts";
import { isVersionNumber, parseMarker, parseUnqualifiedName, toMarker } from "../names.ts";
import type { OperationNeeds, Sdk } from "../needs.ts";
import { onFunction } from "../permissions.ts";
import { present } from "../present.ts";
import { deleteUrlsOf } from "../url/records.ts";
import { existingFunction } from "../versions.ts";

export function aliasOperations({ store, functions, ids }: OperationNeeds) {
  return {
    CreateAlias: {
      authorize: (input, call) => onFunction(functions, "CreateAlias", input.FunctionName, call),
      async run(input, call) {
        const place = parseUnqualifiedName(input.FunctionName, call);
        const name = present(input.Name, "Name");
        return store.transact(async (tx) => {
          const record = await existingFunction(tx, place);
          if (await tx.get(keyOf("alias", place, record.name, name))) {
            throw conflict(`Alias already exists: ${functionArn(place, record.name, name)}`);
          }
          const alias: AliasRecord = {
            v: 1,
            name,
            functionVersion: present(input.FunctionVersion, "FunctionVersion"),
            description: input.Description ?? "",
            weights: weightsOf(input.RoutingConfig),
            revisionId: ids.uuid(),
          };
          await checkAlias(tx, place, record.name, alias);
          tx.set(keyOf("alias", place, record.name, name), alias);
          return describeAlias(place, record.name, alias);
        });
      },
    },

    UpdateAlias: {
      authorize: (input, call) => onFunction(functions, "UpdateAlias", input.FunctionName, call),
      async run(input, call) {
        const place = parseUnqualifiedName(input.FunctionName, call);
        return store.transact(async (tx) => {
          const before = await existingAlias(tx, place, present(input.Name, "Name"));
          if (input.RevisionId !== undefined && input.RevisionId !== before.revisionId) {
            throw revisionMismatch("GetFunction/GetAlias");
          }
          const alias: AliasRecord = {
            ...before,
            functionVersion: input.FunctionVersion ?? before.functionVersion,
            description: input.Description ?? before.description,
            weights: input.RoutingConfig === undefined ? before.weights : weightsOf(input.RoutingConfig),
            revisionId: ids.uuid(),
          };
          await checkAlias(tx, place, place.name, alias);
          if (await readProvisioned(tx, place, place.name, alias.name)) {
            await checkProvisionedAlias(tx, place, place.name, alias);
          }
          tx.set(keyOf("alias", place, place.name, alias.name), alias);
          return describeAlias(place, place.name, alias);
        });
      },
    },

    GetAlias: {
      authorize: (input, call) => onFunction(functions, "GetAlias", input.FunctionName, call),
      async run(input, call) {
        const place = parseUnqualifiedName(input.FunctionName, call);
        const alias = await store.read((reader) => existingAlias(reader, place, present(input.Name, "Name")));
        return describeAlias(place, place.name, alias);
      },
    },

    DeleteAlias: {
      authorize: (input, call) => onFunction(functions, "DeleteAlias", input.FunctionName, call),
      async run(input, call) {
        const place = parseUnqualifiedName(input.FunctionName, call);
        const name = present(input.Name, "Name");
        await store.transact(async (tx) => {
          // AWS: an alias that is not there is deleted without complaint; a function that is not there is an error.
          const record = await existingFunction(tx, place);
          await removeProvisioned(tx, place, record, name);
          tx.delete(keyOf("alias", place, place.name, name));
          tx.delete(keyOf("policy", place, place.name, name));
          tx.delete(keyOf("invokeConfig", place, place.name, name));
          await deleteUrlsOf(tx, place, place.name, name);
        });
        return {};
      },
    },

    ListAliases: {
      authorize: (input, call) => onFunction(functions, "ListAliases", input.FunctionName, call),
      async run(input, call) {
        const place = parseUnqualifiedName(input.FunctionName, call);
        const limit = Math.min(input.MaxItems ?? lambdaLimits.listItemsMax, lambdaLimits.listItemsMax);
        const after = parseMarker(input.Marker);
        const wanted = input.FunctionVersion;
        return store.read(async (reader) => {
          const record = await existingFunction(reader, place);
          const prefix = keyOf("alias", place, record.name);
          const entries = await reader.range<AliasRecord>(
            { prefix, ...(after !== undefined && { after: [...prefix, after] }) },
            { limit: limit + 1 },
          );
          const page = entries.slice(0, limit).map(({ value }) => value);
          const last = page.at(-1);
          return {
            Aliases: page
              .filter((alias) => wanted === undefined || alias.functionVersion === wanted || wanted in alias.weights)
              .map((alias) => describeAlias(place, record.name, alias)),
            ...(entries.length > limit && last && { NextMarker: toMarker(last.name) }),
          };
        });
      },
    },
  } satisfies OperationsOf<Sdk>;
}

async function existingAlias(reader: Reader, place: Place & { readonly name: string }, name: string) {
  await existingFunction(reader, place);
  const alias = await reader.get<AliasRecord>(keyOf("alias", place, place.name, name));
  if (!alias) throw aliasNotFound(functionArn(place, place.name, name));
  return alias;
}

function weightsOf(routing: AliasRoutingConfiguration | undefined): Readonly<Record<string, number>> {
  return routing?.AdditionalVersionWeights ?? {};
}

/** Both versions must be there; weights only between two published versions. */
async function checkAlias(reader: Reader, place: Place, functionName: string, alias: AliasRecord): Promise<void> {
  const additional = Object.entries(alias.weights);
  if (additional.length > 1) {
    throw invalidParameter("Number of items in AdditionalVersionWeights cannot be greater than 1");
  }
  for (const [version, weight] of additional) {
    if (alias.functionVersion === "$LATEST" || version === "$LATEST") {
      throw invalidParameter("$LATEST is not supported for an alias pointing to more than 1 version");
    }
    if (version === alias.functionVersion) {
      throw invalidParameter(
        `Invalid function version ${version}. Function version ${version} is already included in routing configuration.`,
      );
    }
    if (!(weight >= 0 && weight <= 1)) {
      throw invalidParameter(`The weight ${weight} of version ${version} must be between 0 and 1`);
    }
  }
  for (const version of [alias.functionVersion, ...additional.map(([name]) => name)]) {
    if (version === "$LATEST") continue;
    const found = isVersionNumber(version)
      ? await reader.get(keyOf("version", place, functionName, Number(version)))
      : undefined;
    if (!found) throw functionNotFound(functionArn(place, functionName, version));
  }
}
