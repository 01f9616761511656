import { notImplemented } from "../../../aws/error.ts";
import type { OperationsOf } from "../../../wire/service.ts";
import type { Sdk } from "../needs.ts";

/** None can be made yet, so that an empty list is the truth. */
export function eventSourceMappingOperations() {
  return {
    CreateEventSourceMapping: {
      authorize: () => [{ action: "lambda:CreateEventSourceMapping", resource: "*" }],
      run: () => {
        throw notImplemented("CreateEventSourceMapping");
      },
    },
    ListEventSourceMappings: {
      authorize: () => [{ action: "lambda:ListEventSourceMappings", resource: "*" }],
      run: () => ({ EventSourceMappings: [] }),
    },
  } satisfies OperationsOf<Sdk>;
}
