import { isDeepStrictEqual } from "node:util";
import type { Deployment, ResourceChange, ResourceChangeDetail, StackResource } from "../model.ts";
import type { ResourceTypes } from "../resource-types.ts";
import { isCustomType } from "../custom-resources/custom-types.ts";
import { findResourceSpec } from "../spec/resource-spec.ts";
import type { ResourceDeclaration } from "../template/document.ts";
import { knownAfterApply, type ResourceValues } from "../template/evaluate.ts";
import type { JsonObject, JsonValue } from "../template/parse.ts";
import { findReferences, type Reference } from "../template/references.ts";
import type { Blueprint } from "./blueprint.ts";
import { attributeOf, changedProperties, isTaggable, resolveProperties } from "./resource-steps.ts";

/** What a deployment would change of a stack: nothing is done. In the order of the template, removals last. */
export function planChanges(
  blueprint: Blueprint,
  deployment: Pick<Deployment, "tags" | "parameters">,
  current: ReadonlyMap<string, StackResource>,
  types: ResourceTypes,
): ResourceChange[] {
  const planned = new Map<string, ResourceChange | undefined>();
  const values = plannedValues(current, planned);
  const visit = (logicalId: string): void => {
    if (planned.has(logicalId)) return;
    for (const on of blueprint.dependencies(logicalId)) visit(on);
    const declaration = blueprint.resources.get(logicalId);
    if (!declaration) return;
    const existing = current.get(logicalId);
    if (existing)
      planned.set(logicalId, modification(blueprint, declaration, existing, deployment, values, types, planned));
    else {
      const after = { Properties: resolveProperties(declaration, blueprint.scope(values)) };
      planned.set(logicalId, { action: "Add", logicalId, type: declaration.type, scope: [], details: [], after });
    }
  };
  for (const logicalId of blueprint.resources.keys()) visit(logicalId);
  const changes: ResourceChange[] = [];
  for (const logicalId of blueprint.resources.keys()) {
    const change = planned.get(logicalId);
    if (change) changes.push(change);
  }
  for (const resource of current.values()) {
    if (!blueprint.resources.has(resource.logicalId)) changes.push(removal(resource));
  }
  return changes;
}

function removal(resource: StackResource): ResourceChange {
  const { logicalId, physicalId, type, properties } = resource;
  return {
    action: "Remove",
    logicalId,
    ...(physicalId !== undefined && { physicalId }),
    type,
    policyAction: resource.deletionPolicy === "Delete" ? "Delete" : "Retain",
    scope: [],
    details: [],
    before: { Properties: properties },
  };
}

/** References to what is not there yet, or is replaced, are known after the change has been made. */
function plannedValues(
  current: ReadonlyMap<string, StackResource>,
  planned: ReadonlyMap<string, ResourceChange | undefined>,
): ResourceValues {
  const stable = (logicalId: string): StackResource | undefined => {
    const change = planned.get(logicalId);
    return change?.action === "Add" || change?.replacement === "True" ? undefined : current.get(logicalId);
  };
  return {
    ref: (logicalId) => stable(logicalId)?.physicalId ?? knownAfterApply,
    attribute: (logicalId, name) => {
      const resource = stable(logicalId);
      return resource ? attributeOf(resource, name) : knownAfterApply;
    },
  };
}

function modification(
  blueprint: Blueprint,
  declaration: ResourceDeclaration,
  existing: StackResource,
  deployment: Pick<Deployment, "tags">,
  values: ResourceValues,
  types: ResourceTypes,
  planned: ReadonlyMap<string, ResourceChange | undefined>,
): ResourceChange | undefined {
  const { logicalId, type } = declaration;
  const properties = resolveProperties(declaration, blueprint.scope(values));
  const spec = isCustomType(type) ? undefined : findResourceSpec(type);
  const details: ResourceChangeDetail[] = [];
  for (const name of changedProperties(existing.properties, properties)) {
    const replaces = spec?.replacement(name) ?? "never";
    const dynamic = JSON.stringify(properties[name] ?? null).includes(knownAfterApply);
    const recreation = replaces === "never" ? "Never" : replaces === "maybe" || dynamic ? "Conditionally" : "Always";
    details.push(...detailsOf(name, recreation, declaration.properties[name] ?? null, blueprint, planned, dynamic));
  }
  const handled = types.get(type);
  if (handled && isTaggable(handled) && !isDeepStrictEqual(existing.tags, deployment.tags)) {
    details.push({ attribute: "Tags", recreation: "Never", evaluation: "Static", source: "DirectModification" });
  }
  if (!isDeepStrictEqual(existing.metadata, declaration.metadata)) {
    details.push({ attribute: "Metadata", recreation: "Never", evaluation: "Static", source: "DirectModification" });
  }
  for (const attribute of ["DeletionPolicy", "UpdateReplacePolicy"] as const) {
    const member = attribute === "DeletionPolicy" ? "deletionPolicy" : "updateReplacePolicy";
    if (existing[member] !== declaration[member]) {
      details.push({ attribute, recreation: "Never", evaluation: "Static", source: "DirectModification" });
    }
  }
  if (details.length === 0) return undefined;
  const replacement = details.some(({ recreation }) => recreation === "Always")
    ? "True"
    : details.some(({ recreation }) => recreation === "Conditionally")
      ? "Conditional"
      : "False";
  const { physicalId } = existing;
  return {
    action: "Modify",
    logicalId,
    ...(physicalId !== undefined && { physicalId }),
    type,
    replacement,
    ...(replacement === "True" && {
      policyAction:
        existing.updateReplacePolicy === "Retain" ? ("ReplaceAndRetain" as const) : ("ReplaceAndDelete" as const),
    }),
    scope: [...new Set(details.map(({ attribute }) => attribute))],
    details,
    before: { Properties: existing.properties },
    after: { Properties: properties },
  };
}

/** Where a property's change comes from: one detail for each cause. */
function detailsOf(
  name: string,
  recreation: ResourceChangeDetail["recreation"],
  value: JsonValue,
  blueprint: Blueprint,
  planned: ReadonlyMap<string, ResourceChange | undefined>,
  dynamic: boolean,
): ResourceChangeDetail[] {
  const base = { attribute: "Properties", name, recreation } as const;
  const causes = findReferences(value).filter((reference) => isCause(reference, blueprint, planned));
  const details: ResourceChangeDetail[] = [];
  for (const cause of causes) {
    const source =
      cause.kind === "attribute"
        ? "ResourceAttribute"
        : blueprint.template.parameters.has(cause.name)
          ? "ParameterReference"
          : "ResourceReference";
    const named =
      cause.kind === "attribute" && cause.attribute !== undefined ? `${cause.name}.${cause.attribute}` : cause.name;
    const evaluation = source === "ParameterReference" || !dynamic ? "Static" : "Dynamic";
    details.push({ ...base, evaluation, source, cause: named });
  }
  if (details.length === 0 || !dynamic) details.push({ ...base, evaluation: "Static", source: "DirectModification" });
  return details;
}

function isCause(
  reference: Reference,
  blueprint: Blueprint,
  planned: ReadonlyMap<string, ResourceChange | undefined>,
): boolean {
  if (reference.kind === "ref" && blueprint.template.parameters.has(reference.name)) return true;
  return (reference.kind === "ref" || reference.kind === "attribute") && planned.get(reference.name) !== undefined;
}

/** Whether a deployment changes anything: resources, or what the stack says of itself. */
export function hasChanges(
  changes: readonly ResourceChange[],
  before: { readonly outputs: JsonObject; readonly tags: Readonly<Record<string, string>> },
  after: { readonly outputs: JsonObject; readonly tags: Readonly<Record<string, string>> },
): boolean {
  return changes.length > 0 || !isDeepStrictEqual(before, after);
}
