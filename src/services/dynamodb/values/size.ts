import { numberBytes } from "./decimal.ts";
import type { AttributeValue, Item } from "./attribute-value.ts";

/** An item's size: names and values. Source: developer guide, CapacityUnitCalculations. */
export function itemBytes(item: Item): number {
  let bytes = 0;
  for (const name of Object.keys(item)) {
    const value = item[name];
    if (value) bytes += textBytes(name) + valueBytes(value);
  }
  return bytes;
}

/** What a value adds to an item's size. */
export function valueBytes(value: AttributeValue): number {
  if ("S" in value) return textBytes(value.S);
  if ("N" in value) return numberBytes(value.N);
  if ("B" in value) return binaryBytes(value.B);
  if ("M" in value) return 3 + itemBytes(value.M) + Object.keys(value.M).length;
  if ("L" in value) {
    let bytes = 3;
    for (const each of value.L) bytes += 1 + valueBytes(each);
    return bytes;
  }
  if ("SS" in value) return sum(value.SS, textBytes);
  if ("NS" in value) return sum(value.NS, numberBytes);
  if ("BS" in value) return sum(value.BS, binaryBytes);
  return 1;
}

function sum(values: readonly string[], bytesOf: (value: string) => number): number {
  let bytes = 0;
  for (const each of values) bytes += bytesOf(each);
  return bytes;
}

export function textBytes(text: string): number {
  return Buffer.byteLength(text, "utf8");
}

export function binaryBytes(base64: string): number {
  const padding = base64.endsWith("==") ? 2 : base64.endsWith("=") ? 1 : 0;
  return (base64.length / 4) * 3 - padding;
}
