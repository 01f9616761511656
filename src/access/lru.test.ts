import fc from "fast-check";
import { expect, test } from "vitest";
import { createLru } from "./lru.ts";

test("what was used among the latest half is always there, whatever was used", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 12 }), { maxLength: 200 }), (uses) => {
      const lru = createLru<number>(8);
      const latest: number[] = [];
      for (const use of uses) {
        const found = lru.get(`k${use}`);
        if (latest.slice(-4).includes(use)) expect(found).toBe(use);
        else if (found !== undefined) expect(found).toBe(use);
        if (found === undefined) lru.set(`k${use}`, use);
        const before = latest.indexOf(use);
        if (before >= 0) latest.splice(before, 1);
        latest.push(use);
      }
    }),
  );
});

test("no more than its size are there, however many were set", () => {
  const lru = createLru<number>(64);
  for (let at = 0; at < 10_000; at += 1) lru.set(`k${at}`, at);
  let there = 0;
  for (let at = 0; at < 10_000; at += 1) if (lru.get(`k${at}`) !== undefined) there += 1;
  expect(there).toBeLessThanOrEqual(64);
});

test("a value that was replaced, deleted or cleared does not come back from what is older", () => {
  const lru = createLru<number>(4);
  lru.set("a", 1);
  lru.set("b", 2);
  lru.set("c", 3);
  lru.set("a", 4);
  expect(lru.get("a")).toBe(4);
  lru.delete("a");
  expect(lru.get("a")).toBeUndefined();
  lru.clear();
  expect([lru.get("b"), lru.get("c")]).toEqual([undefined, undefined]);
});
