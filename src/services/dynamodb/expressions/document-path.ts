import { attributeOf, type AttributeValue, type Item } from "../values/attribute-value.ts";
import type { BoundPath } from "./placeholders.ts";

/** What stands at a path; undefined where nothing does. */
export function findAt(item: Item, path: BoundPath): AttributeValue | undefined {
  const [first] = path;
  let found = typeof first === "string" ? attributeOf(item, first) : undefined;
  for (let at = 1; at < path.length && found !== undefined; at += 1) {
    const step = path[at];
    if (typeof step === "number") found = "L" in found ? found.L[step] : undefined;
    else found = step !== undefined && "M" in found ? attributeOf(found.M, step) : undefined;
  }
  return found;
}
