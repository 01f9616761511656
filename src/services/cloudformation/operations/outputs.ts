import type { Blueprint } from "../engine/blueprint.ts";
import { evaluate, knownAfterApply, type ResourceValues } from "../template/evaluate.ts";
import type { JsonObject, JsonValue } from "../template/parse.ts";
import type { StackOutput, StackResource } from "../model.ts";

/** Outputs as values that can be compared: those a stack has, or those a blueprint would give it now. */
export function outputsOf(
  of: Blueprint | readonly StackOutput[],
  resources: ReadonlyMap<string, StackResource> = new Map(),
): JsonObject {
  if (!("outputs" in of)) {
    return Object.fromEntries(
      of.map(({ key, value, description, exportName }) => [key, [value, description ?? "", exportName ?? ""]]),
    );
  }
  const values: ResourceValues = {
    ref: (logicalId) => resources.get(logicalId)?.physicalId ?? knownAfterApply,
    attribute: (logicalId, name) => resources.get(logicalId)?.attributes[name] ?? knownAfterApply,
  };
  const scope = of.scope(values);
  const text = (value: JsonValue | undefined): string => {
    const result = value === undefined ? "" : evaluate(value, scope);
    return typeof result === "string" ? result : JSON.stringify(result ?? "");
  };
  return Object.fromEntries(
    of.outputs.map((output) => [output.name, [text(output.value), output.description ?? "", text(output.exportName)]]),
  );
}
