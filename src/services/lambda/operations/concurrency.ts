import type { OperationsOf } from "../../../wire/service.ts";
import { writeClaim } from "../concurrency-provisioned.ts";
import { invalidParameter } from "../errors.ts";
import { lambdaLimits } from "../limits.ts";
import { readTotals } from "../model.ts";
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
          const { provisionedConcurrency: provisioned = 0 } = record;
          if (reserved < provisioned) {
            // AWS: with this spacing.
            throw invalidParameter(
              ` ReservedConcurrentExecutions  ${reserved} should not be lower than function's total provisioned concurrency [${provisioned}].`,
            );
          }
          await writeClaim(
            tx,
            place,
            record,
            { ...record, reservedConcurrency: reserved },
            `Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum value of [${lambdaLimits.unreservedConcurrencyMin}].`,
          );
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
          const record = await existingFunction(tx, place);
          const { reservedConcurrency: _reserved, ...rest } = record;
          await writeClaim(
            tx,
            place,
            record,
            rest,
            `Provisioned concurrency of the function decreases account's UnreservedConcurrentExecution below its minimum value of [${lambdaLimits.unreservedConcurrencyMin}].`,
          );
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
