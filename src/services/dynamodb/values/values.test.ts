import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { encodeKey } from "../../../kernel/store/keys.ts";
import { parseItem, parseValue, type AttributeValue } from "./attribute-value.ts";
import { compareValues } from "./compare.ts";
import { addNumbers, compareNumbers, numberBytes, parseDecimal, toCanonicalNumber } from "./decimal.ts";
import { afterPart, compareKeys, prefixInterval, toKeyPart } from "./key-encoding.ts";
import { itemBytes } from "./size.ts";

const digits = fc.stringMatching(/^[1-9][0-9]{0,37}$/);
const number = fc
  .tuple(fc.constantFrom("", "-"), digits, fc.integer({ min: -120, max: 80 }))
  .map(([sign, text, power]) => toCanonicalNumber(`${sign}${text}E${power}`));
const someNumber = fc.oneof(number, fc.integer().map(String), fc.constant("0"));

/** What a number is, in units of 10^-260. */
function exact(text: string): bigint {
  const { sign, digits: all, exponent } = parseDecimal(text);
  return sign === 0 ? 0n : BigInt(sign) * BigInt(all) * 10n ** BigInt(exponent - all.length + 1 + 260);
}

describe("numbers", () => {
  test.each([
    ["0", "0"],
    ["-0", "0"],
    ["007.50", "7.5"],
    ["1E3", "1000"],
    [".5", "0.5"],
    ["+1.", "1"],
    ["1e-3", "0.001"],
    ["123456789012345678901234567890.12345678", "123456789012345678901234567890.12345678"],
    ["100000000000000000000000000000000000000000", "100000000000000000000000000000000000000000"],
  ])("%s is kept as %s", (given, kept) => {
    expect(toCanonicalNumber(given)).toBe(kept);
  });

  test.each([
    ["", "The parameter cannot be converted to a numeric value"],
    ["a", "The parameter cannot be converted to a numeric value: a"],
    ["1 ", "The parameter cannot be converted to a numeric value: 1 "],
    ["NaN", "The parameter cannot be converted to a numeric value: NaN"],
    ["1E126", "Number overflow. Attempting to store a number with magnitude larger than supported range"],
    ["1E-131", "Number underflow. Attempting to store a number with magnitude smaller than supported range"],
    ["1".repeat(39), "Attempting to store more than 38 significant digits in a Number"],
  ])("%s is refused", (given, message) => {
    expect(() => toCanonicalNumber(given)).toThrow(message);
  });

  test("are in the order of their values, as numbers and as keys", () => {
    fc.assert(
      fc.property(someNumber, someNumber, (a, b) => {
        const [x, y] = [exact(a), exact(b)];
        const order = x < y ? -1 : x > y ? 1 : 0;
        expect(compareNumbers(a, b)).toBe(order);
        const [first, second] = [encodeKey([toKeyPart({ N: a })]), encodeKey([toKeyPart({ N: b })])];
        expect(first < second ? -1 : first > second ? 1 : 0).toBe(order);
      }),
      { numRuns: 2_000 },
    );
  });

  test("are added exactly, or refused", () => {
    fc.assert(
      fc.property(someNumber, someNumber, fc.constantFrom("+" as const, "-" as const), (a, b, operator) => {
        const sum = operator === "+" ? exact(a) + exact(b) : exact(a) - exact(b);
        const significant = sum.toString().replace("-", "").replace(/0+$/, "").length;
        if (significant > 38) expect(() => addNumbers(a, b, operator)).toThrow(/38 significant|magnitude/);
        else expect(exact(addNumbers(a, b, operator))).toBe(sum);
      }),
      { numRuns: 1_000 },
    );
  });

  test.each([
    ["0", 1],
    ["1", 2],
    ["-1", 3],
    ["27", 2],
    ["100", 2],
    ["123", 3],
    ["-27", 3],
  ])("%s is reckoned with %i bytes", (text, bytes) => {
    expect(numberBytes(text)).toBe(bytes);
  });
});

const key: fc.Arbitrary<AttributeValue> = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 6 }).map((S) => ({ S })),
  fc
    .string({ unit: fc.constantFrom("\x00", "a", "\uffff", "\u{10000}", "\u{10ffff}"), maxLength: 4 })
    .map((S) => ({ S })),
  fc.uint8Array({ maxLength: 12 }).map((bytes) => ({ B: Buffer.from(bytes).toString("base64") })),
);

function bytes(each: AttributeValue): Buffer {
  return "B" in each ? Buffer.from(each.B, "base64") : Buffer.from("S" in each ? each.S : "");
}

describe("keys", () => {
  test("strings and bytes order in the store as they do in DynamoDB", () => {
    fc.assert(
      fc.property(key, key, (a, b) => {
        const order = compareValues(a, b);
        if (order === undefined) return;
        const [first, second] = [[toKeyPart(a)], [toKeyPart(b)]];
        expect(Math.sign(compareKeys(first, second))).toBe(Math.sign(order));
        const [x, y] = [encodeKey(first), encodeKey(second)];
        expect(x < y ? -1 : x > y ? 1 : 0).toBe(Math.sign(order));
      }),
      { numRuns: 2_000 },
    );
  });

  test("what begins with a prefix is exactly what lies in its interval", () => {
    fc.assert(
      fc.property(key, key, (prefix, value) => {
        if (compareValues(prefix, value) === undefined) return;
        const [from, to] = prefixInterval(prefix);
        const part = encodeKey([toKeyPart(value), "more"]);
        const within = part >= encodeKey([from]) && (to === undefined || part < encodeKey([to]));
        const begins = bytes(value).subarray(0, bytes(prefix).length).equals(bytes(prefix));
        expect(within).toBe(begins);
      }),
      { numRuns: 2_000 },
    );
  });

  test("what follows a key lies before all greater ones", () => {
    fc.assert(
      fc.property(key, key, (a, b) => {
        const order = compareValues(a, b);
        if (order === undefined) return;
        const below = encodeKey([toKeyPart(b), "x"]);
        expect(below < encodeKey([afterPart(toKeyPart(a))])).toBe(order >= 0);
      }),
    );
  });

  test("bytes of the greatest length fit the store", () => {
    const B = Buffer.alloc(1024).toString("base64");
    expect(encodeKey(["dynamodb", "item", "0123456789", new Uint8Array(16), toKeyPart({ B })]).length).toBeLessThan(
      1400,
    );
  });
});

describe("values", () => {
  test.each([
    [{}, "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"],
    [
      { S: "a", N: "1" },
      "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes",
    ],
    [
      { NULL: false },
      "One or more parameter values were invalid: Null attribute value types must have the value of true",
    ],
    [{ SS: [] }, "One or more parameter values were invalid: An string set  may not be empty"],
    [{ NS: [] }, "One or more parameter values were invalid: An number set  may not be empty"],
    [{ BS: [] }, "One or more parameter values were invalid: Binary sets should not be empty"],
    [{ SS: ["a", "a"] }, "One or more parameter values were invalid: Input collection [a, a] contains duplicates."],
    [{ NS: ["1", "1.0"] }, "Input collection contains duplicates"],
    [
      { BS: ["AA==", "AA=="] },
      "One or more parameter values were invalid: Input collection [AA==, AA==]of type BS contains duplicates.",
    ],
    [{ S: 1 }, "NUMBER_VALUE cannot be converted to String"],
    [{ S: 1.5 }, "DECIMAL_VALUE cannot be converted to String"],
    [{ N: true }, "TRUE_VALUE cannot be converted to String"],
    [{ BOOL: "x" }, "STRING_VALUE cannot be converted to Boolean"],
    [{ B: 1 }, "only base-64-encoded strings are convertible to bytes"],
    [{ B: "abc" }, "Base64 encoded length is expected a multiple of 4 bytes but found: 3"],
    [{ L: {} }, "Start of structure or map found where not expected"],
    [{ M: 1 }, "Unexpected field type"],
    ["x", "Unexpected value type in payload"],
  ])("%j is refused", (value, message) => {
    expect(() => parseValue(value, 0)).toThrow(message);
  });

  test("nest 32 levels deep, and no deeper", () => {
    const nest = (levels: number): unknown => (levels === 0 ? { S: "x" } : { L: [nest(levels - 1)] });
    expect(() => parseValue(nest(32), 0)).not.toThrow();
    expect(() => parseValue(nest(33), 0)).toThrow("Nesting Levels have exceeded supported limits");
  });

  test("an attribute may have any name", () => {
    const item = parseItem(JSON.parse('{"__proto__":{"N":"1.0"},"constructor":{"S":"x"}}'));
    expect(JSON.stringify(item)).toBe('{"__proto__":{"N":"1"},"constructor":{"S":"x"}}');
  });

  test("an item's size is that of its names and values", () => {
    expect(itemBytes({ a: { S: "é" } })).toBe(3);
    expect(itemBytes({ ab: { B: "AAEC" }, c: { BOOL: true }, d: { NULL: true } })).toBe(2 + 3 + 2 + 2);
    expect(itemBytes({ l: { L: [{ S: "a" }, { N: "1" }] } })).toBe(1 + 3 + (1 + 1) + (1 + 2));
    expect(itemBytes({ m: { M: { k: { S: "v" } } } })).toBe(1 + 3 + 1 + 1 + 1);
  });
});
