import { setImmediate } from "node:timers/promises";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { storeLimits } from "../limits.ts";
import { encodeKey } from "./keys.ts";
import { type Key, type Range, type Store, StoreConflictError } from "./store.ts";

/** What every driver of the store must do. `open` gives a new, empty store and how to remove it. */
export function storeCases(open: () => Promise<{ readonly store: Store; readonly remove: () => Promise<void> }>): void {
  let store: Store;
  let remove: () => Promise<void>;
  beforeEach(async () => {
    ({ store, remove } = await open());
  });
  afterEach(async () => {
    await store.close();
    await remove();
  });

  const put = (...entries: [Key, unknown][]) =>
    store.transact(async (tx) => {
      for (const [key, value] of entries) tx.set(key, value);
    });
  const get = (key: Key) => store.read((reader) => reader.get(key));
  const keysOf = (range: Range, options: { limit?: number; reverse?: boolean } = {}) =>
    store.read(async (reader) =>
      (await reader.range(range, { limit: 100, ...options })).map((entry) => entry.key.join("/")),
    );

  const increment = () =>
    store.transact(async (tx) => {
      const value = Number((await tx.get(["n"])) ?? 0);
      await setImmediate();
      tx.set(["n"], value + 1);
    });
  const leave = (who: string) =>
    store.transact(async (tx) => {
      const on = await tx.range({ prefix: ["on"] }, { limit: 10 });
      await setImmediate();
      if (on.length > 1) tx.delete(["on", who]);
    });
  const claim = (who: string) =>
    store.transact(async (tx) => {
      const taken = await tx.range({ prefix: ["claim"] }, { limit: 1 });
      await setImmediate();
      if (taken.length === 0) tx.set(["claim", who], who);
    });

  describe("values", () => {
    test.each([
      ["text", "é\u0000😀"],
      ["a number", -1.5e300],
      ["null", null],
      ["false", false],
      ["an empty object", {}],
      ["bytes", new Uint8Array([0, 255])],
      ["a bigint", 2n ** 80n],
      ["nested data", { list: [1, { bytes: new Uint8Array([1]), big: -5n }], $b: "no bytes", $$: { $i: 1 } }],
      ["half a surrogate pair", "\ud800"],
    ])("come back as they were: %s", async (_name, value) => {
      await put([["k"], value]);
      expect(await get(["k"])).toStrictEqual(value);
    });

    test("keep a member called __proto__", async () => {
      await put([["k"], JSON.parse('{"__proto__":{"polluted":true}}')]);
      expect(JSON.stringify(await get(["k"]))).toBe('{"__proto__":{"polluted":true}}');
    });

    test("drop undefined members", async () => {
      await put([["k"], { a: undefined, b: 1 }]);
      expect(await get(["k"])).toStrictEqual({ b: 1 });
    });

    test("belong to the caller", async () => {
      const value = { list: [1] };
      await put([["k"], value]);
      value.list.push(2);
      const read = await store.read((reader) => reader.get<typeof value>(["k"]));
      read?.list.push(3);
      expect(await get(["k"])).toStrictEqual({ list: [1] });
    });

    test.each([
      ["a Date", new Date(0)],
      ["a Map", { map: new Map() }],
      ["NaN", [Number.NaN]],
      ["a function", { run: () => 1 }],
      ["undefined", undefined],
      ["an undefined item", [undefined]],
    ])("are refused when they are no plain data: %s", async (_name, value) => {
      await expect(put([["k"], value])).rejects.toThrow("cannot be stored");
    });

    test("are refused when they are too large", async () => {
      await expect(put([["k"], "x".repeat(storeLimits.valueBytesMax)])).rejects.toThrow(RangeError);
      expect(await get(["k"])).toBeUndefined();
    });

    test("may be as large as the limit, under a key as long as the limit", async () => {
      const key = ["k".repeat(storeLimits.keyBytesMax - 2)];
      await put([key, new Uint8Array(storeLimits.valueBytesMax - 1).fill(7)]);
      expect((await store.read((reader) => reader.get<Uint8Array>(key)))?.length).toBe(storeLimits.valueBytesMax - 1);
    });
  });

  describe("ranges", () => {
    beforeEach(() =>
      put([["a"], 0], [["a", 1], 1], [["a", 2], 2], [["a", 2, "x"], 3], [["a", 10], 4], [["ab"], 5], [["b", 1], 6]),
    );

    test("give all below a prefix, in order, without the prefix itself", async () => {
      expect(await keysOf({ prefix: ["a"] })).toEqual(["a/1", "a/2", "a/2/x", "a/10"]);
    });

    test("give the last first when reversed", async () => {
      expect(await keysOf({ prefix: ["a"] }, { reverse: true, limit: 2 })).toEqual(["a/10", "a/2/x"]);
    });

    test("go on after a key", async () => {
      expect(await keysOf({ prefix: ["a"], after: ["a", 1] }, { limit: 2 })).toEqual(["a/2", "a/2/x"]);
      expect(await keysOf({ prefix: ["a"], after: ["a", 10] })).toEqual([]);
      expect(await keysOf({ prefix: ["a"], after: ["a", 2, "x"] }, { reverse: true })).toEqual(["a/2", "a/1"]);
    });

    test("do not leave the prefix, whatever key they are to begin after", async () => {
      expect(await keysOf({ prefix: ["a"], after: ["0"] })).toHaveLength(4);
      expect(await keysOf({ prefix: ["a"], after: ["c"] })).toEqual([]);
      expect(await keysOf({ prefix: ["a"], after: ["c"] }, { reverse: true })).toHaveLength(4);
    });

    test("take an interval, its end excluded", async () => {
      expect(await keysOf({ start: ["a", 2], end: ["b", 1] })).toEqual(["a/2", "a/2/x", "a/10", "ab"]);
      expect(await keysOf({ start: ["b"], end: ["a"] })).toEqual([]);
    });

    test("give large values, each its own", async () => {
      await put(...[1, 2, 3, 4].map((n): [Key, unknown] => [["large", n], new Uint8Array(n * 50_000).fill(n)]));
      const found = await store.read((reader) => reader.range<Uint8Array>({ prefix: ["large"] }, { limit: 10 }));
      expect(found.map(({ value }) => [value.length, value.every((byte) => byte === value[0])])).toEqual([
        [50_000, true],
        [100_000, true],
        [150_000, true],
        [200_000, true],
      ]);
    });

    test("show the same values one after another, where the store can, until the visitor has enough", async () => {
      const texts = ["a", "b".repeat(5_000), "", "c".repeat(70_000), "d"];
      await put(...texts.map((text, at): [Key, unknown] => [["s", at], Buffer.from(text)]), [["t"], "no bytes"]);
      await store.read(async (reader) => {
        const { scan } = reader;
        if (!scan) return;
        const shown = (range: Range, options: { reverse: boolean; most?: number }) => {
          const found: string[] = [];
          scan(range, options, (bytes, from, to) => {
            found.push(bytes.toString("utf8", from, to));
            // What is read meanwhile is nothing to it.
            void reader.get(["t"]);
            return found.length < (options.most ?? 100);
          });
          return found;
        };
        expect(shown({ prefix: ["s"] }, { reverse: false })).toEqual(texts);
        expect(shown({ prefix: ["s"] }, { reverse: true })).toEqual(texts.toReversed());
        expect(shown({ start: ["s", 1], end: ["s", 3] }, { reverse: false })).toEqual(texts.slice(1, 3));
        expect(shown({ start: ["s", 1], end: ["s", 3] }, { reverse: true, most: 1 })).toEqual(texts.slice(2, 3));
        expect(shown({ start: ["s", 3], end: ["s", 1] }, { reverse: false })).toEqual([]);
        expect(() => shown({ prefix: [] }, { reverse: false })).toThrow(TypeError);
        expect(await reader.get(["s", 1])).toEqual(new Uint8Array(Buffer.from(texts[1] ?? "")));
      });
    });

    test("see the transaction's own writes", async () => {
      await store.transact(async (tx) => {
        tx.delete(["a", 1]);
        tx.delete(["a", 2]);
        tx.set(["a", 2, "w"], 9);
        const seen = await tx.range({ prefix: ["a"] }, { limit: 2 });
        expect(seen).toEqual([
          { key: ["a", 2, "w"], value: 9 },
          { key: ["a", 2, "x"], value: 3 },
        ]);
      });
    });

    test.each([0, -1, 1.5, storeLimits.rangeEntriesMax + 1])("refuse the limit %s", async (limit) => {
      await expect(keysOf({ prefix: ["a"] }, { limit })).rejects.toThrow(RangeError);
    });
  });

  describe("transactions", () => {
    test("see their own writes", async () => {
      await put([["k"], 1]);
      await store.transact(async (tx) => {
        tx.set(["k"], 2);
        expect(await tx.get(["k"])).toBe(2);
        tx.delete(["k"]);
        expect(await tx.getMany([["k"], ["l"]])).toEqual([undefined, undefined]);
      });
      expect(await get(["k"])).toBeUndefined();
    });

    test("change nothing when the body throws", async () => {
      const failing = store.transact(async (tx) => {
        tx.set(["k"], 1);
        tx.afterCommit(() => expect.unreachable());
        throw new Error("no");
      });
      await expect(failing).rejects.toThrow("no");
      expect(await get(["k"])).toBeUndefined();
    });

    test("answer what the body answers, and then run what was to come after the commit, once", async () => {
      let calls = 0;
      const bump = () =>
        store.transact(async (tx) => {
          tx.set(["n"], Number((await tx.get(["n"])) ?? 0) + 1);
          tx.afterCommit(() => {
            calls += 1;
          });
          return "done";
        });
      expect(await Promise.all([bump(), bump(), bump()])).toEqual(["done", "done", "done"]);
      expect(calls).toBe(3);
    });

    test("cannot be used once the body has ended", async () => {
      let late: (() => void) | undefined;
      await store.transact(async (tx) => {
        late = () => tx.set(["k"], 1);
      });
      expect(() => late?.()).toThrow("after its body had ended");
    });

    test("lose no increment when many run at once", async () => {
      await Promise.all(Array.from({ length: 200 }, increment));
      expect(await get(["n"])).toBe(200);
    });

    test("do not skew: of two that each read what the other writes, one runs again", async () => {
      await put([["on", "a"], true], [["on", "b"], true]);
      await Promise.all([leave("a"), leave("b")]);
      expect(await keysOf({ prefix: ["on"] })).toHaveLength(1);
    });

    test("notice a key that comes into a range they found empty", async () => {
      await Promise.all(["a", "b", "c", "d"].map(claim));
      expect(await keysOf({ prefix: ["claim"] })).toHaveLength(1);
    });

    test("notice that an absent key has come, and that a key has gone and come back", async () => {
      await put([["back"], 1]);
      let runs = 0;
      await store.transact(async (tx) => {
        runs += 1;
        const seen = [await tx.get(["new"]), await tx.get(["back"])];
        if (runs === 1) {
          await put([["new"], 1]);
          await store.transact(async (other) => other.delete(["back"]));
          await put([["back"], 1]);
        }
        tx.set(
          ["seen"],
          seen.filter((each) => each !== undefined),
        );
      });
      expect(runs).toBe(2);
      expect(await get(["seen"])).toEqual([1, 1]);
    });

    test("read one moment, however long they take", async () => {
      await put([["a"], 1], [["b"], 1]);
      await store.read(async (reader) => {
        const before = await reader.get(["a"]);
        await put([["a"], 2], [["b"], 2], [["c"], 2]);
        await setImmediate();
        expect([before, await reader.get(["b"]), await reader.get(["c"])]).toEqual([1, 1, undefined]);
        expect(await reader.range({ prefix: [] }, { limit: 10 })).toHaveLength(2);
      });
      expect(await get(["b"])).toBe(2);
    });

    test("read what was acknowledged before they began", async () => {
      for (let round = 0; round < 50; round += 1) {
        await put([["k"], round]);
        expect(await get(["k"])).toBe(round);
      }
    });

    test("are given up when they conflict every time", async () => {
      const hopeless = store.transact(async (tx) => {
        tx.set(["k"], Number((await tx.get(["n"])) ?? 0));
        await put([["n"], Math.random()]);
      });
      await expect(hopeless).rejects.toThrow(StoreConflictError);
    });

    test("are refused when they write too much", async () => {
      const tooMuch = store.transact(async (tx) => {
        for (let n = 0; n <= storeLimits.transactionWritesMax; n += 1) tx.set([n], 0);
      });
      await expect(tooMuch).rejects.toThrow(RangeError);
      expect(await keysOf({ prefix: [] })).toEqual([]);
    });
  });

  describe("watch", () => {
    test("tells of a change below the prefix before the commit is acknowledged, and of no other", async () => {
      let told = 0;
      const stop = store.watch(["a"], () => {
        told += 1;
      });
      await put([["a", 1], 1]);
      expect(told).toBe(1);
      await put([["b", 1], 1]);
      expect(told).toBe(1);
      await store.transact(async (tx) => tx.delete(["a", 1]));
      expect(told).toBe(2);
      stop();
      await put([["a", 1], 1]);
      expect(told).toBe(2);
    });

    test("shows the change to a listener that reads at once", async () => {
      const seen: Promise<unknown>[] = [];
      store.watch(["a"], () => {
        seen.push(get(["a", 1]));
      });
      await put([["a", 1], "new"]);
      expect(await Promise.all(seen)).toEqual(["new"]);
    });
  });

  test("a closed store refuses", async () => {
    await store.close();
    await expect(get(["k"])).rejects.toThrow("closed");
    await expect(put([["k"], 1])).rejects.toThrow("closed");
  });

  test("does, whatever the order of operations, what a sorted map does", async () => {
    const keyPart = fc.constantFrom<Key[number][]>("a", "a\x00", "b", 1, 2, true);
    const key = fc.array(keyPart, { minLength: 1, maxLength: 3 });
    const step = fc.oneof(
      fc.record({ do: fc.constant("set" as const), key, value: fc.nat() }),
      fc.record({ do: fc.constant("delete" as const), key }),
      fc.record({
        do: fc.constant("range" as const),
        key,
        after: fc.option(key, { nil: undefined }),
        limit: fc.integer({ min: 1, max: 4 }),
        reverse: fc.boolean(),
      }),
    );
    const transaction = fc.record({ steps: fc.array(step, { maxLength: 8 }), fails: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(fc.array(transaction, { maxLength: 12 }), async (transactions) => {
        await store.transact(async (tx) => {
          for (const entry of await tx.range({ prefix: [] }, { limit: 1000 })) tx.delete(entry.key);
        });
        let model = new Map<string, { key: Key; value: number }>();
        for (const { steps, fails } of transactions) {
          const next = new Map(model);
          const run = store.transact(async (tx) => {
            for (const each of steps) {
              if (each.do === "set") {
                tx.set(each.key, each.value);
                next.set(encodeKey(each.key), { key: each.key, value: each.value });
              } else if (each.do === "delete") {
                tx.delete(each.key);
                next.delete(encodeKey(each.key));
              } else {
                const range = each.after
                  ? { prefix: each.key.slice(1), after: each.after }
                  : { prefix: each.key.slice(1) };
                const { limit, reverse } = each;
                expect(await tx.range(range, { limit, reverse })).toEqual(rangeOf(next, range, limit, reverse));
              }
            }
            if (fails) throw new Error("given up");
          });
          if (fails) await expect(run).rejects.toThrow("given up");
          else {
            await run;
            model = next;
          }
        }
        const all = await store.read((reader) => reader.range({ prefix: [] }, { limit: 1000 }));
        expect(all).toEqual(rangeOf(model, { prefix: [] }, 1000, false));
      }),
      { numRuns: 60 },
    );
  });
}

function rangeOf(
  model: ReadonlyMap<string, { key: Key; value: number }>,
  range: { prefix: Key; after?: Key },
  limit: number,
  reverse: boolean,
): { key: Key; value: number }[] {
  const after = range.after && encodeKey(range.after);
  const entries = [...model.entries()]
    .filter(([, { key }]) => key.length > range.prefix.length && range.prefix.every((part, at) => part === key[at]))
    .filter(([encoded]) => after === undefined || (reverse ? encoded < after : encoded > after))
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([, entry]) => entry);
  return (reverse ? entries.toReversed() : entries).slice(0, limit);
}
