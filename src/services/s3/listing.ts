import type { Entry, Key, Reader } from "../../kernel/store/store.ts";
import { s3Limits } from "./limits.ts";

export interface ListRequest {
  /** Where the entries are: the object key is the part that follows. */
  readonly base: Key;
  readonly prefix: string;
  readonly delimiter: string | undefined;
  /** List only what comes after this. */
  readonly after: Position | undefined;
  readonly limit: number;
}

/** A place in a listing: after a key (or after some of its versions), or after all that a common prefix stands for. */
export type Position =
  | { readonly kind: "key"; readonly key: string; readonly rest?: Key }
  | { readonly kind: "group"; readonly prefix: string };

export interface Listed<V> {
  readonly items: readonly { readonly key: string; readonly entry: Entry<V> }[];
  readonly commonPrefixes: readonly string[];
  /** The last thing listed, when there is more. */
  readonly next: Position | undefined;
}

/** One page in the order of UTF-8. What shares a prefix up to the delimiter is listed once, as that prefix. */
export async function list<V>(reader: Reader, request: ListRequest): Promise<Listed<V>> {
  const { base, prefix, delimiter, limit } = request;
  const items: { key: string; entry: Entry<V> }[] = [];
  const commonPrefixes: string[] = [];
  let last: Position | undefined;
  let start = startOf(request);
  // AWS: `max-keys=0` lists nothing and says that nothing is left.
  if (limit === 0) return { items, commonPrefixes, next: undefined };
  // One more than is listed tells whether that is all. What a delimiter folds is skipped from page to page: they begin small.
  const folds = delimiter !== undefined && delimiter !== "";
  let pageLimit = firstPage;
  for (;;) {
    pageLimit = Math.min(folds ? pageLimit : limit + 1 - items.length, s3Limits.storePageMax);
    const page = await reader.range<V>({ start, end: endOf(base) }, { limit: pageLimit });
    for (const entry of page) {
      const key = String(entry.key[base.length]);
      if (!key.startsWith(prefix)) return { items, commonPrefixes, next: undefined };
      const group = groupOf(key, prefix, delimiter);
      if (group !== undefined && isBehind(group, commonPrefixes, request.after)) continue;
      if (items.length + commonPrefixes.length === limit) return { items, commonPrefixes, next: last };
      if (group === undefined) {
        items.push({ key, entry });
        last = { kind: "key", key, rest: entry.key.slice(base.length + 1) };
      } else {
        commonPrefixes.push(group);
        last = { kind: "group", prefix: group };
      }
    }
    const end = page.at(-1)?.key;
    if (!end || page.length < pageLimit) return { items, commonPrefixes, next: undefined };
    const group = groupOf(String(end[base.length]), prefix, delimiter);
    start = group === undefined ? [...end, true] : afterGroup(base, group);
    pageLimit = group === undefined ? pageLimit * 4 : firstPage;
  }
}

const firstPage = 50;

function groupOf(key: string, prefix: string, delimiter: string | undefined): string | undefined {
  if (delimiter === undefined || delimiter === "") return undefined;
  const at = key.indexOf(delimiter, prefix.length);
  return at === -1 ? undefined : key.slice(0, at + delimiter.length);
}

function isBehind(group: string, listed: readonly string[], after: Position | undefined): boolean {
  if (listed.at(-1) === group) return true;
  return after !== undefined && (after.kind === "group" ? after.prefix : after.key) === group;
}

function startOf({ base, prefix, after }: ListRequest): Key {
  const fromPrefix = [...base, prefix];
  if (!after) return fromPrefix;
  const name = after.kind === "group" ? after.prefix : after.key;
  if (Buffer.compare(Buffer.from(name), Buffer.from(prefix)) < 0) return fromPrefix;
  if (after.kind === "group") return afterGroup(base, after.prefix);
  // Directly behind the key, or behind what is named of it.
  return after.rest && after.rest.length > 0
    ? [...base, after.key, ...after.rest, true]
    : [...base, `${after.key}\x00`];
}

/** Behind (nearly) every key that begins with the group: nothing sorts above the last code point but itself. */
function afterGroup(base: Key, group: string): Key {
  return [...base, `${group}\u{10FFFF}`];
}

/** Behind every text. */
function endOf(base: Key): Key {
  return [...base, Number.NEGATIVE_INFINITY];
}
