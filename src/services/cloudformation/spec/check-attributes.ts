import type { ResourceType } from "../port.ts";
import type { ResourceTypes } from "../resource-types.ts";
import type { Template } from "../template/document.ts";
import type { JsonValue } from "../template/parse.ts";
import { findReferences } from "../template/references.ts";
import { templateError } from "../template/template-error.ts";

/** Refuse `Fn::GetAtt` of attributes that a resource's type does not have. @throws {TemplateError} */
export function checkAttributes(template: Template, types: ResourceTypes): void {
  const values: JsonValue[] = [];
  for (const { properties } of template.resources.values()) values.push(properties);
  for (const { value, exportName } of template.outputs.values()) values.push(value, exportName ?? "");
  for (const reference of findReferences(values)) {
    if (reference.kind !== "attribute" || reference.attribute === undefined) continue;
    const type = types.get(template.resources.get(reference.name)?.type ?? "");
    if (type && !hasAttribute(type, reference.attribute)) {
      throw templateError(
        `resource ${reference.name} does not support attribute type ${reference.attribute} in Fn::GetAtt`,
      );
    }
  }
}

/** Types whose attributes are of their author's making list `*` or `Outputs.*`. */
function hasAttribute(type: ResourceType, attribute: string): boolean {
  return type.attributes.some(
    (each) => each === attribute || each === "*" || (each.endsWith(".*") && attribute.startsWith(each.slice(0, -1))),
  );
}
