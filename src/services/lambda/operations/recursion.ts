import type { OperationsOf } from "../../../wire/service.ts";
import { writeFunction } from "../model.ts";
import { parseUnqualifiedName } from "../names.ts";
import type { OperationNeeds, Sdk } from "../needs.ts";
import { onFunction } from "../permissions.ts";
import { existingFunction } from "../versions.ts";

export function recursionOperations({ store, functions }: OperationNeeds) {
  return {
    PutFunctionRecursionConfig: {
      authorize: (input, call) => onFunction(functions, "PutFunctionRecursionConfig", input.FunctionName, call),
      async run(input, call) {
        const place = parseUnqualifiedName(input.FunctionName, call);
        const RecursiveLoop = input.RecursiveLoop === "Allow" ? "Allow" : "Terminate";
        await store.transact(async (tx) => {
          const { recursiveLoop: _before, ...record } = await existingFunction(tx, place);
          writeFunction(tx, place, RecursiveLoop === "Allow" ? { ...record, recursiveLoop: RecursiveLoop } : record);
        });
        return { RecursiveLoop };
      },
    },

    GetFunctionRecursionConfig: {
      authorize: (input, call) => onFunction(functions, "GetFunctionRecursionConfig", input.FunctionName, call),
      async run(input, call) {
        const place = parseUnqualifiedName(input.FunctionName, call);
        const { recursiveLoop } = await store.read((reader) => existingFunction(reader, place));
        return { RecursiveLoop: recursiveLoop ?? "Terminate" };
      },
    },
  } satisfies OperationsOf<Sdk>;
}
