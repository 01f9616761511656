import { typeOf, type AttributeValue } from "./attribute-value.ts";
import { compareNumbers } from "./decimal.ts";

/** Order of two values of one type that has an order (strings by UTF-8 bytes, numbers, bytes); undefined for others. */
export function compareValues(a: AttributeValue, b: AttributeValue): number | undefined {
  if ("S" in a && "S" in b) return compareTexts(a.S, b.S);
  if ("N" in a && "N" in b) return compareNumbers(a.N, b.N);
  if ("B" in a && "B" in b) return Buffer.compare(Buffer.from(a.B, "base64"), Buffer.from(b.B, "base64"));
  return undefined;
}

// oxlint-disable-next-line no-control-regex -- every character of one unit that orders as its bytes do
const belowSurrogates = /^[\x00-\ud7ff]*$/;

/** As UTF-8 bytes order; UTF-16 differs where there are surrogates. */
export function compareTexts(a: string, b: string): number {
  if (a === b) return 0;
  if (belowSurrogates.test(a) && belowSurrogates.test(b)) return a < b ? -1 : 1;
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

/** Equal as DynamoDB has it: same type, sets whatever their order, documents member by member. */
export function equalValues(a: AttributeValue, b: AttributeValue): boolean {
  if (typeOf(a) !== typeOf(b)) return false;
  if ("S" in a && "S" in b) return a.S === b.S;
  if ("N" in a && "N" in b) return a.N === b.N;
  if ("B" in a && "B" in b) return a.B === b.B;
  if ("BOOL" in a && "BOOL" in b) return a.BOOL === b.BOOL;
  if ("SS" in a && "SS" in b) return equalSets(a.SS, b.SS);
  if ("NS" in a && "NS" in b) return equalSets(a.NS, b.NS);
  if ("BS" in a && "BS" in b) return equalSets(a.BS, b.BS);
  if ("L" in a && "L" in b) {
    const other = b.L;
    return (
      a.L.length === other.length && a.L.every((each, at) => other[at] !== undefined && equalValues(each, other[at]))
    );
  }
  if ("M" in a && "M" in b) {
    const [first, second] = [a.M, b.M];
    const names = Object.keys(first);
    return (
      names.length === Object.keys(second).length &&
      names.every((name) => {
        const [mine, other] = [first[name], Object.hasOwn(second, name) ? second[name] : undefined];
        return mine !== undefined && other !== undefined && equalValues(mine, other);
      })
    );
  }
  return true;
}

function equalSets(a: readonly string[], b: readonly string[]): boolean {
  if (a.length !== b.length) return false;
  const set = new Set(a);
  return b.every((each) => set.has(each));
}
