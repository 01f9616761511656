import type { Reader } from "../../../kernel/store/store.ts";
import type { Call, OperationsOf } from "../../../wire/service.ts";
import { noCapacity } from "../capacity/errors.ts";
import { functionScalingKey, type FunctionScaling } from "../capacity/model.ts";
import { boundsOf, readFunctionScaling } from "../capacity/scaling.ts";
import { functionNotFound, invalidParameter } from "../errors.ts";
import { functionArn, keyOf, type FunctionVersion } from "../model.ts";
import { parseFunctionName, type FunctionReference } from "../names.ts";
import type { OperationNeeds, Sdk } from "../needs.ts";
import { onFunction } from "../permissions.ts";
import { present } from "../present.ts";
import { existingFunction } from "../versions.ts";

export function functionScalingOperations({ store, functions }: OperationNeeds) {
  return {
    PutFunctionScalingConfig: {
      authorize: (input, call) =>
        onFunction(functions, "PutFunctionScalingConfig", input.FunctionName, call, input.Qualifier),
      async run(input, call) {
        const { reference, qualifier } = parse(input, call);
        const { MinExecutionEnvironments: min, MaxExecutionEnvironments: max } = input.FunctionScalingConfig ?? {};
        const scaling: FunctionScaling = { v: 1, ...(min !== undefined && { min }), ...(max !== undefined && { max }) };
        const bounds = boundsOf(scaling);
        if (bounds.min > bounds.max) {
          throw invalidParameter("MinExecutionEnvironments can't be greater than MaxExecutionEnvironments.");
        }
        await store.transact(async (tx) => {
          await checkVersion(tx, reference, qualifier);
          const key = functionScalingKey(reference, reference.name, qualifier);
          if (min === undefined && max === undefined) tx.delete(key);
          else tx.set(key, scaling);
        });
        // AWS: environments come and go after the answer.
        return { FunctionState: bounds.max === 0 ? ("Deactivating" as const) : ("Active" as const) };
      },
    },

    GetFunctionScalingConfig: {
      authorize: (input, call) =>
        onFunction(functions, "GetFunctionScalingConfig", input.FunctionName, call, input.Qualifier),
      async run(input, call) {
        const { reference, qualifier } = parse(input, call);
        const scaling = await store.read(async (reader) => {
          await checkVersion(reader, reference, qualifier);
          return readFunctionScaling(reader, reference, reference.name, qualifier);
        });
        const { min, max } = boundsOf(scaling);
        const described = {
          MinExecutionEnvironments: min,
          ...(Number.isFinite(max) && { MaxExecutionEnvironments: max }),
        };
        return {
          FunctionArn: functionArn(reference, reference.name, qualifier),
          AppliedFunctionScalingConfig: described,
          RequestedFunctionScalingConfig: described,
        };
      },
    },
  } satisfies OperationsOf<Sdk>;
}

function parse(
  input: { readonly FunctionName?: string | undefined; readonly Qualifier?: string | undefined },
  call: Call,
): { readonly reference: FunctionReference; readonly qualifier: string } {
  const reference = parseFunctionName(input.FunctionName, call, input.Qualifier);
  return { reference, qualifier: present(reference.qualifier, "Qualifier") };
}

/** Throws unless the version is there and is on a capacity provider. */
async function checkVersion(reader: Reader, reference: FunctionReference, qualifier: string): Promise<void> {
  const record = await existingFunction(reader, { ...reference, qualifier });
  if (record.latest.settings.capacity === undefined) throw noCapacity();
  const version =
    qualifier === "$LATEST.PUBLISHED"
      ? record.latestPublished
      : await reader.get<FunctionVersion>(keyOf("version", reference, record.name, Number(qualifier)));
  if (!version) throw functionNotFound(functionArn(reference, record.name, qualifier));
}
