/** Template values: what YAML or JSON parses to. The transform works on a private copy whose maps have no prototype. */
export type Dict = Record<string, unknown>;

export function isDict(value: unknown): value is Dict {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function isList(value: unknown): value is unknown[] {
  return Array.isArray(value);
}

export function isString(value: unknown): value is string {
  return typeof value === "string";
}

/** `null` in a template means the same as absence. */
export function isAbsent(value: unknown): value is null | undefined {
  return value === undefined || value === null;
}

/** AWS's transform treats empty strings, lists, maps, zero and false as "not given" in many places. */
export function isGiven(value: unknown): boolean {
  if (isAbsent(value) || value === false || value === 0 || value === "") return false;
  if (isList(value)) return value.length > 0;
  if (isDict(value)) return Object.keys(value).length > 0;
  return true;
}

export function asDict(value: unknown): Dict {
  return isDict(value) ? value : emptyDict();
}

export function asList(value: unknown): unknown[] {
  return isList(value) ? value : [value];
}

export function emptyDict(): Dict {
  const empty: Dict = Object.create(null);
  return empty;
}

/** A map whose keys a template may choose freely: no key of it is ever an inherited one. */
export function dictOf(entries: Dict): Dict {
  return Object.assign(emptyDict(), entries);
}

/** A deep copy in prototype-less maps. */
export function copy(value: unknown): unknown {
  if (isList(value)) return value.map(copy);
  if (isDict(value)) return copyDict(value);
  return value;
}

export function copyDict(value: Dict): Dict {
  const result = emptyDict();
  for (const [key, item] of Object.entries(value)) result[key] = copy(item);
  return result;
}

/** A deep copy in ordinary objects, for whoever called the transform; what is left open is left out. */
export function toPlain(value: unknown): unknown {
  if (isList(value)) return value.map(toPlain);
  if (isDict(value)) return toPlainDict(value);
  return value;
}

export function toPlainDict(value: Dict): Dict {
  const entries = Object.entries(value).filter(([, item]) => item !== undefined);
  return Object.fromEntries(entries.map(([key, item]) => [key, toPlain(item)]));
}

export function isSame(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (isList(a) && isList(b)) return a.length === b.length && a.every((item, index) => isSame(item, b[index]));
  if (!isDict(a) || !isDict(b)) return false;
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && isSame(a[key], b[key]));
}

export function includesSame(list: readonly unknown[], value: unknown): boolean {
  return list.some((item) => isSame(item, value));
}

/** Compact JSON with sorted keys and ASCII escapes: the text that AWS's transform hashes into logical ids. */
export function canonicalJson(value: unknown): string {
  if (isList(value)) return `[${value.map(canonicalJson).join(",")}]`;
  if (isDict(value)) {
    const keys = Object.keys(value).toSorted(byCodePoint);
    return `{${keys.map((key) => `${asciiJson(key)}:${canonicalJson(value[key])}`).join(",")}}`;
  }
  return asciiJson(value ?? null);
}

export function byCodePoint(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function asciiJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /[\u007f-\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** How values read in AWS's messages: `['a', 'b']`, `{'k': 1}`, `None`, `True`; a string alone stands bare. */
export function display(value: unknown): string {
  return isString(value) ? value : quoted(value);
}

function quoted(value: unknown): string {
  if (isAbsent(value)) return "None";
  if (value === true) return "True";
  if (value === false) return "False";
  if (isString(value))
    return value.includes("'") && !value.includes('"') ? `"${value}"` : `'${value.replaceAll("'", "\\'")}'`;
  if (isList(value)) return `[${value.map(quoted).join(", ")}]`;
  if (isDict(value)) {
    return `{${Object.entries(value)
      .map(([key, item]) => `${quoted(key)}: ${quoted(item)}`)
      .join(", ")}}`;
  }
  return String(value);
}
