import { notImplemented } from "../../../aws/error.ts";
import type { Call, OperationsOf } from "../../../wire/service.ts";
import { functionNotFound, invalidParameter } from "../errors.ts";
import { functionArn } from "../model.ts";
import { isVersionNumber, parseFunctionName } from "../names.ts";
import type { OperationNeeds, Sdk } from "../needs.ts";
import { onFunction } from "../permissions.ts";

/**
 * Functions run on the interpreters that this host has, at every invocation the newest: that is `Auto`. There are no runtime
 * versions to stay with, so that the other modes are refused.
 */
export function runtimeManagementOperations({ functions }: OperationNeeds) {
  const find = async (name: string | undefined, qualifier: string | undefined, call: Call) => {
    const reference = parseFunctionName(name, call, qualifier);
    const version = reference.qualifier ?? "$LATEST";
    const arn = functionArn(reference, reference.name, version);
    if (version !== "$LATEST" && !isVersionNumber(version)) {
      throw invalidParameter("The function resource provided must be $LATEST or a published version.");
    }
    const fn = await functions.find(reference, reference.name);
    if (!fn || !(await fn.version(version))) throw functionNotFound(arn);
    return arn;
  };

  return {
    PutRuntimeManagementConfig: {
      authorize: (input, call) =>
        onFunction(functions, "PutRuntimeManagementConfig", input.FunctionName, call, input.Qualifier),
      async run(input, call) {
        const FunctionArn = await find(input.FunctionName, input.Qualifier, call);
        if (input.UpdateRuntimeOn !== "Auto") {
          throw notImplemented(`The value ${input.UpdateRuntimeOn} of UpdateRuntimeOn in PutRuntimeManagementConfig`);
        }
        if (input.RuntimeVersionArn !== undefined) {
          throw invalidParameter("RuntimeVersionArn can only be set if UpdateRuntimeOn is Manual.");
        }
        return { UpdateRuntimeOn: "Auto", FunctionArn };
      },
    },

    GetRuntimeManagementConfig: {
      authorize: (input, call) =>
        onFunction(functions, "GetRuntimeManagementConfig", input.FunctionName, call, input.Qualifier),
      run: async (input, call) => ({
        UpdateRuntimeOn: "Auto",
        FunctionArn: await find(input.FunctionName, input.Qualifier, call),
      }),
    },
  } satisfies OperationsOf<Sdk>;
}
