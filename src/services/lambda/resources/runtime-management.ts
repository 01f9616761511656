import type { RecursiveLoop, UpdateRuntimeOn } from "@aws-sdk/client-lambda";
import type { Properties, ResourceContext } from "../../cloudformation/port.ts";
import type { Sdk } from "../needs.ts";
import { objectOf, textOf } from "./properties.ts";

/** Set how a version's runtime is updated, where the resource says so. */
export async function setRuntimeManagement(
  context: ResourceContext,
  FunctionName: string | undefined,
  Qualifier: string | undefined,
  config: Properties | undefined,
): Promise<void> {
  const mode = config && textOf(config, "UpdateRuntimeOn");
  if (mode === undefined) return;
  await context.client<Sdk>("lambda").PutRuntimeManagementConfig({
    FunctionName,
    ...(Qualifier !== undefined && { Qualifier }),
    UpdateRuntimeOn: toUpdateMode(mode),
  });
}

/** What a function's resource says of its `$LATEST`, and of recursive loops. */
export async function setFunctionBehaviour(
  context: ResourceContext,
  name: string,
  previous: Properties | undefined,
): Promise<void> {
  const { properties } = context;
  await setRuntimeManagement(context, name, undefined, objectOf(properties, "RuntimeManagementConfig"));
  const loop = textOf(properties, "RecursiveLoop") ?? "Terminate";
  const had = (previous && textOf(previous, "RecursiveLoop")) ?? "Terminate";
  if (loop === had && !context.resumed) return;
  await context.client<Sdk>("lambda").PutFunctionRecursionConfig({
    FunctionName: name,
    RecursiveLoop: toRecursiveLoop(loop),
  });
}

// The operations check these against the model's enumerations.
function toRecursiveLoop(text: string): RecursiveLoop {
  return text as RecursiveLoop;
}

function toUpdateMode(text: string): UpdateRuntimeOn {
  return text as UpdateRuntimeOn;
}
