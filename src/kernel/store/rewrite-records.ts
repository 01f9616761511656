import type { Key, Store } from "./store.ts";

/**
 * Rewrite what an earlier version has written below a prefix, once for a store: when it is done that is marked, and later
 * starts read the mark alone. Processes may do it at the same time.
 *
 * @param rewrite gives what is to be kept instead; undefined for what stays
 */
export async function rewriteRecordsOnce(
  store: Store,
  mark: Key,
  prefix: Key,
  rewrite: (key: Key, value: unknown) => unknown,
): Promise<void> {
  if ((await store.read((reader) => reader.get<true>(mark))) === true) return;
  let after: Key | undefined;
  for (;;) {
    const page = await store.read((reader) =>
      reader.range({ prefix, ...(after === undefined ? {} : { after }) }, { limit: pageEntries }),
    );
    const old = page.filter(({ key, value }) => rewrite(key, value) !== undefined);
    if (old.length > 0) {
      await store.transact(async (tx) => {
        for (const { key } of old) {
          const next = rewrite(key, await tx.get(key));
          if (next !== undefined) tx.set(key, next);
        }
      });
    }
    if (page.length < pageEntries) break;
    after = page.at(-1)?.key;
  }
  await store.transact(async (tx) => tx.set(mark, true));
}

const pageEntries = 200;
