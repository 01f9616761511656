import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeKey, encodeKey, encodePrefix, toInterval } from "./keys.ts";
import type { Key, KeyPart } from "./store.ts";

const part: fc.Arbitrary<KeyPart> = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 8 }),
  fc.string({ unit: fc.constantFrom("\x00", "\x01", "a", "\xff", "é", "\u{10000}", "\uffff"), maxLength: 5 }),
  fc.double({ noNaN: true }).map((value) => value + 0),
  fc.integer(),
  fc.boolean(),
  fc.uint8Array({ maxLength: 6 }),
);
const key = fc.array(part, { minLength: 1, maxLength: 4 });

describe("encodeKey", () => {
  test("orders as the tuples do", () => {
    fc.assert(
      fc.property(key, key, (a, b) => {
        const [first, second] = [encodeKey(a), encodeKey(b)];
        expect(first < second ? -1 : first > second ? 1 : 0).toBe(compareKeys(a, b));
      }),
      { numRuns: 2000 },
    );
  });

  test("loses nothing", () => {
    fc.assert(
      fc.property(key, (each) => {
        expect(decodeKey(encodeKey(each))).toEqual(each);
      }),
      { numRuns: 1000 },
    );
  });

  test("encodes each character to one byte", () => {
    fc.assert(
      fc.property(key, (each) => {
        const encoded = encodeKey(each);
        // oxlint-disable-next-line no-control-regex -- every byte is meant
        expect(encoded).toMatch(/^[\x00-\xff]*$/);
      }),
    );
  });

  test("takes zero and minus zero for one number", () => {
    expect(encodeKey([-0])).toBe(encodeKey([0]));
  });

  test.each([
    ["an empty key", []],
    ["a key that is too long", ["x".repeat(1900)]],
    ["NaN", [Number.NaN]],
    ["half a surrogate pair", ["\ud800"]],
  ])("refuses %s", (_name, refused) => {
    expect(() => encodeKey(refused)).toThrow(/key|NaN/u);
  });
});

describe("toInterval", () => {
  test("has exactly the keys below a prefix", () => {
    fc.assert(
      fc.property(fc.array(part, { maxLength: 2 }), key, (prefix, each) => {
        const { start, end } = toInterval({ prefix }, false);
        const encoded = encodeKey(each);
        const below =
          each.length > prefix.length && encodePrefix(each.slice(0, prefix.length)) === encodePrefix(prefix);
        expect(encoded >= start && encoded < end).toBe(below);
      }),
    );
    const { start, end } = toInterval({ prefix: ["a"] }, false);
    const within = (each: Key) => encodeKey(each) >= start && encodeKey(each) < end;
    expect([within(["a"]), within(["a", ""]), within(["a", true]), within(["a\x00"]), within(["b"])]).toEqual([
      false,
      true,
      true,
      false,
      false,
    ]);
  });

  test("begins after the last key of the page before", () => {
    fc.assert(
      fc.property(key, key, (after, each) => {
        const { start, end } = toInterval({ prefix: [], after }, false);
        const encoded = encodeKey(each);
        expect(encoded >= start && encoded < end).toBe(encoded > encodeKey(after));
      }),
    );
  });
});

function compareKeys(a: Key, b: Key): number {
  for (let at = 0; at < Math.min(a.length, b.length); at += 1) {
    const order = compareParts(a[at] ?? 0, b[at] ?? 0);
    if (order !== 0) return order;
  }
  return Math.sign(a.length - b.length);
}

function compareParts(a: KeyPart, b: KeyPart): number {
  if (kind(a) !== kind(b)) return Math.sign(kind(a) - kind(b));
  if (a instanceof Uint8Array && b instanceof Uint8Array) return Buffer.compare(a, b);
  if (typeof a === "string" && typeof b === "string") return Buffer.compare(Buffer.from(a), Buffer.from(b));
  return Math.sign(Number(a) > Number(b) ? 1 : Number(a) < Number(b) ? -1 : 0);
}

function kind(part: KeyPart): number {
  return part instanceof Uint8Array ? 0 : ["string", "number", "boolean"].indexOf(typeof part) + 1;
}
