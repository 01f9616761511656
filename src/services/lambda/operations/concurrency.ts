import type { OperationsOf } from "../../../wire/service.ts";
import { invalidParameter } from "../errors.ts";
import { lambdaLimits } from "../limits.ts";
import { addToTotals, readTotals, writeFunction } from "../model.ts";
import { parseUnqualifiedName } from "../names.ts";
import type { OperationNeeds, Sdk } from "../needs.ts";
import { onFunction } from "../permissions.ts";
import { present } from "../present.ts";
import { existingFunction } from "../versions.ts";

export function concurrencyOperations({ store, functions }: OperationNeeds) {
  return {
    PutFunctionConcurrency: {
      authorize: (input, call) => onFunction(functions, "PutFunctionConcurrency", input.FunctionName, call),
      async run(input, call) {
        const place = parseUnqualifiedName(input.FunctionName, call);
        const reserved = present(input.ReservedConcurrentExecutions, "ReservedConcurrentExecutions");
        await store.transact(async (tx) => {
          const record = await existingFunction(tx, place);
          const change = reserved - (record.reservedConcurrency ?? 0);
          const totals = await addToTotals(tx, place, { reservedConcurrency: change });
          const left = lambdaLimits.concurrentExecutions - totals.reservedConcurrency;
          if (change > 0 && left < lambdaLimits.unreservedConcurrencyMin) {
            throw invalidParameter(
              `Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum value of [${lambdaLimits.unreservedConcurrencyMin}].`,
            );
          }
          writeFunction(tx, place, { ...record, reservedConcurrency: reserved });
        });
        return { ReservedConcurrentExecutions: reserved };
      },
    },

    GetFunctionConcurrency: {
      authorize: (input, call) => onFunction(functions, "GetFunctionConcurrency", input.FunctionName, call),
      async run(input, call) {
        const place = parseUnqualifiedName(input.FunctionName, call);
        const { reservedConcurrency } = await store.read((reader) => existingFunction(reader, place));
        return reservedConcurrency === undefined ? {} : { ReservedConcurrentExecutions: reservedConcurrency };
      },
    },

    DeleteFunctionConcurrency: {
      authorize: (input, call) => onFunction(functions, "DeleteFunctionConcurrency", input.FunctionName, call),
      async run(input, call) {
        const place = parseUnqualifiedName(input.FunctionName, call);
        await store.transact(async (tx) => {
          const { reservedConcurrency = 0, ...record } = await existingFunction(tx, place);
          await addToTotals(tx, place, { reservedConcurrency: -reservedConcurrency });
          writeFunction(tx, place, record);
        });
        return {};
      },
    },

    GetAccountSettings: {
      authorize: () => [{ action: "lambda:GetAccountSettings", resource: "*" }],
      async run(_input, call) {
        const totals = await store.read((reader) => readTotals(reader, call));
        return {
          AccountLimit: {
            TotalCodeSize: lambdaLimits.codeStorageBytesMax,
            CodeSizeUnzipped: lambdaLimits.unzippedBytesMax,
            CodeSizeZipped: lambdaLimits.zipUploadBytesMax,
            ConcurrentExecutions: lambdaLimits.concurrentExecutions,
            UnreservedConcurrentExecutions: lambdaLimits.concurrentExecutions - totals.reservedConcurrency,
          },
          AccountUsage: { TotalCodeSize: totals.codeBytes, FunctionCount: totals.functionCount },
        };
      },
    },
  } satisfies OperationsOf<Sdk>;
}
