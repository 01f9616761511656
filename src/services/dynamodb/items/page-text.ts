import type { Key, Reader } from "../../../kernel/store/store.ts";
import { dynamoLimits } from "../limits.ts";
import { createItemsText, type ItemsText } from "./items-text.ts";
import type { PageTotals } from "./read-page.ts";
import { sizeAt, textAt, toItem } from "./stored-item.ts";

/** A page whose items are answered as they are stored: nobody looks into them. */
export interface PageText extends PageTotals {
  readonly text: ItemsText;
}

/** Reads until the range, the limit or 1 MB ends, as `readPage` does. */
export function readPageText(
  scan: NonNullable<Reader["scan"]>,
  request: {
    readonly start: Key;
    readonly end: Key;
    readonly reverse: boolean;
    readonly limit: number | undefined;
    /** Of items that are only counted, none is kept but the last. */
    readonly isCount: boolean;
  },
): PageText {
  const { start, end, reverse, limit, isCount } = request;
  const text = createItemsText();
  let [scanned, bytes, lastAt] = [0, 0, 0];
  let isCut = false;
  scan({ start, end }, { reverse }, (source, from, to) => {
    const size = sizeAt(source, from);
    isCut = scanned > 0 && bytes + size > dynamoLimits.pageBytesMax;
    if (isCut) return false;
    if (isCount) text.clear();
    lastAt = text.append(source, textAt(from), to);
    bytes += size;
    scanned += 1;
    isCut = scanned === limit;
    return !isCut;
  });
  const last = isCut ? { item: toItem(text.textFrom(lastAt)) } : undefined;
  return { text, count: scanned, scanned, bytes, fetchedBytes: [], last };
}
