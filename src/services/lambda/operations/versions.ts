import type { OperationsOf } from "../../../wire/service.ts";
import { capacityState } from "../capacity/state.ts";
import { describeVersion } from "../configuration.ts";
import { invalidParameter, revisionMismatch } from "../errors.ts";
import { lambdaLimits } from "../limits.ts";
import { keyOf, type FunctionVersion } from "../model.ts";
import { parseFunctionName, parseMarker, parseUnqualifiedName, toMarker } from "../names.ts";
import type { OperationNeeds, Sdk } from "../needs.ts";
import { onFunction } from "../permissions.ts";
import { existingFunction, publishLatest, publishVersion } from "../versions.ts";

export function versionOperations({ store, functions, ids, code, compute }: OperationNeeds) {
  return {
    PublishVersion: {
      authorize: (input, call) => onFunction(functions, "PublishVersion", input.FunctionName, call),
      async run(input, call) {
        const place = parseUnqualifiedName(input.FunctionName, call);
        return store.transact(async (tx) => {
          const record = await existingFunction(tx, place);
          const { latest } = record;
          if (input.RevisionId !== undefined && input.RevisionId !== latest.revisionId) {
            throw revisionMismatch("GetFunction/GetAlias");
          }
          if (input.CodeSha256 !== undefined && input.CodeSha256 !== "" && input.CodeSha256 !== latest.code.sha256) {
            throw invalidParameter(
              `CodeSHA256 (${input.CodeSha256}) is different from current CodeSHA256 in $LATEST (${latest.code.sha256}). Please try again with the CodeSHA256 in $LATEST.`,
            );
          }
          const description = input.Description === "" ? undefined : input.Description;
          const publish = input.PublishTo === undefined ? publishVersion : publishLatest;
          const published = await publish(tx, place, record, description, ids, code);
          return {
            ...describeVersion(place, published.record, published.version),
            ...capacityState(compute, published.record, published.version),
          };
        });
      },
    },

    ListVersionsByFunction: {
      authorize: (input, call) => onFunction(functions, "ListVersionsByFunction", input.FunctionName, call),
      async run(input, call) {
        const place = parseFunctionName(input.FunctionName, call);
        const limit = Math.min(input.MaxItems ?? lambdaLimits.listItemsMax, lambdaLimits.listItemsMax);
        const after = parseMarker(input.Marker);
        return store.read(async (reader) => {
          const record = await existingFunction(reader, place);
          const prefix = keyOf("version", place, record.name);
          const entries = await reader.range<FunctionVersion>(
            {
              prefix,
              ...(after !== undefined && !after.startsWith("$LATEST") && { after: [...prefix, Number(after)] }),
            },
            { limit: limit + 1 },
          );
          const { latest, latestPublished } = record;
          const all = [
            ...(after === undefined ? [latest] : []),
            ...(latestPublished && (after === undefined || after === "$LATEST") ? [latestPublished] : []),
            ...entries.map(({ value }) => value),
          ];
          const page = all.slice(0, limit);
          const last = page.at(-1);
          return {
            Versions: page.map((version) => {
              const {
                State: _state,
                LastUpdateStatus: _status,
                ...listed
              } = describeVersion(place, record, version, version.version);
              return listed;
            }),
            ...(all.length > limit && last && { NextMarker: toMarker(last.version) }),
          };
        });
      },
    },
  } satisfies OperationsOf<Sdk>;
}
