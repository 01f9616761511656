import { TemplateError } from "./errors.ts";
import { type Run, spend } from "./run.ts";
import { isNumber, isObject, toNumber, type Value } from "./values.ts";

/** `$value.name` and `$value[key]`. What does not exist is undefined; nothing of JavaScript's own is to be reached. */
export function getProperty(value: Value, key: Value, run: Run): Value {
  if (value instanceof Map) return value.get(key);
  if (typeof value === "string") return key === "empty" ? value.length === 0 : undefined;
  if (!isObject(value)) return undefined;
  switch (value.kind) {
    case "list":
      if (key === "empty") return value.items.length === 0;
      return isNumber(key) ? value.items[indexIn(value.items, key)] : undefined;
    case "host":
      return typeof key === "string" ? value.property(key, run) : undefined;
    case "entry":
      if (key === "key") return value.key;
      return key === "value" ? value.value : undefined;
    default:
      return undefined;
  }
}

/** `#set($owner.key = value)`. Throws a TemplateError where nothing can be set. */
export function setProperty(owner: Value, key: Value, value: Value, run: Run): void {
  spend(run);
  if (owner instanceof Map) {
    owner.set(key, value);
  } else if (isObject(owner) && owner.kind === "list" && isNumber(key)) {
    const index = indexIn(owner.items, key);
    if (index < 0 || index >= owner.items.length) throw new TemplateError(`Index ${index} is not in the list`);
    owner.items[index] = value;
  } else if (isObject(owner) && owner.kind === "host" && owner.set !== undefined && typeof key === "string") {
    owner.set(key, value);
  }
}

/** Below zero counts from the end, as in Velocity. */
function indexIn(items: readonly Value[], key: number | bigint | { kind: "double"; value: number }): number {
  const index = Math.trunc(toNumber(key));
  return index < 0 ? items.length + index : index;
}
