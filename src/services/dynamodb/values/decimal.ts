import { invalidValues, validation } from "../errors.ts";

/** A number as DynamoDB has them: sign × d.ddd × 10^exponent. Digits have no zero at either end; zero has none. */
export interface Decimal {
  readonly sign: -1 | 0 | 1;
  readonly digits: string;
  readonly exponent: number;
}

const zero: Decimal = { sign: 0, digits: "", exponent: 0 };
const pattern = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,9}))?$/;
const plainInteger = /^(?:0|-?[1-9]\d{0,14})$/;

const digitsMax = 38;
const exponentMax = 125;
const exponentMin = -130;

/** @throws {ValidationException} for what is no number, or is out of range. */
export function parseDecimal(text: string): Decimal {
  const match = pattern.exec(text);
  const [, sign, whole = "", fraction = "", power = "0"] = match ?? [];
  if (!match || whole.length + fraction.length === 0) {
    throw validation(`The parameter cannot be converted to a numeric value${text === "" ? "" : `: ${text}`}`);
  }
  const all = whole + fraction;
  const from = all.search(/[1-9]/);
  if (from < 0) return zero;
  const decimal: Decimal = {
    sign: sign === "-" ? -1 : 1,
    digits: all.slice(from).replace(/0+$/, ""),
    exponent: whole.length - 1 - from + Number(power),
  };
  checkRange(decimal);
  return decimal;
}

function checkRange({ digits, exponent }: Decimal): void {
  if (exponent > exponentMax) {
    throw validation("Number overflow. Attempting to store a number with magnitude larger than supported range");
  }
  if (exponent < exponentMin) {
    throw validation("Number underflow. Attempting to store a number with magnitude smaller than supported range");
  }
  if (digits.length > digitsMax) {
    throw validation("Attempting to store more than 38 significant digits in a Number");
  }
}

/** The number's text as DynamoDB answers it: without an exponent, and without zeros that say nothing. */
export function toCanonicalNumber(text: string): string {
  return plainInteger.test(text) ? text : formatDecimal(parseDecimal(text));
}

export function formatDecimal({ sign, digits, exponent }: Decimal): string {
  if (sign === 0) return "0";
  const minus = sign < 0 ? "-" : "";
  if (exponent < 0) return `${minus}0.${"0".repeat(-exponent - 1)}${digits}`;
  if (exponent >= digits.length - 1) return minus + digits + "0".repeat(exponent - digits.length + 1);
  return `${minus}${digits.slice(0, exponent + 1)}.${digits.slice(exponent + 1)}`;
}

/** Both texts canonical. */
export function compareNumbers(a: string, b: string): number {
  if (a === b) return 0;
  if (plainInteger.test(a) && plainInteger.test(b)) return Number(a) < Number(b) ? -1 : 1;
  return compareDecimals(parseDecimal(a), parseDecimal(b));
}

function compareDecimals(a: Decimal, b: Decimal): number {
  if (a.sign !== b.sign) return a.sign < b.sign ? -1 : 1;
  if (a.sign === 0) return 0;
  const larger = a.exponent === b.exponent ? compareText(a.digits, b.digits) : a.exponent < b.exponent ? -1 : 1;
  return larger * a.sign;
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** `a + b` or `a - b`, exact. @throws {ValidationException} when the result has no place in a Number. */
export function addNumbers(a: string, b: string, operator: "+" | "-"): string {
  if (plainInteger.test(a) && plainInteger.test(b)) {
    const sum = operator === "+" ? Number(a) + Number(b) : Number(a) - Number(b);
    // Two numbers of 15 digits have an exact sum.
    return String(sum === 0 ? 0 : sum);
  }
  const [first, second] = [parseDecimal(a), parseDecimal(b)];
  const low = Math.min(lowestPower(first), lowestPower(second));
  const [x, y] = [toScaled(first, low), toScaled(second, low)];
  const sum = operator === "+" ? x + y : x - y;
  return toCanonicalNumber(`${sum}E${low}`);
}

function lowestPower({ digits, exponent }: Decimal): number {
  return exponent - Math.max(0, digits.length - 1);
}

function toScaled(decimal: Decimal, low: number): bigint {
  if (decimal.sign === 0) return 0n;
  return BigInt(decimal.sign) * BigInt(decimal.digits) * 10n ** BigInt(lowestPower(decimal) - low);
}

/** How many bytes a number is reckoned with: one for two digits, one more, and one for a sign. */
export function numberBytes(text: string): number {
  const start = text.startsWith("-") ? 1 : 0;
  const digits = text.slice(start).replace(".", "").replace(/^0+/, "").replace(/0+$/, "");
  if (digits === "") return 1;
  // Pairs of digits lie where powers of 100 do: one that straddles a pair takes another byte.
  const { exponent } = parseDecimal(text);
  const odd = (exponent & 1) === 0 ? 1 : 0;
  return 1 + Math.ceil((digits.length + odd) / 2) + start;
}

/**
 * A text of ASCII characters above NUL whose order is that of the numbers. A sign, the exponent in two characters, digits in
 * pairs; negative numbers have all of it turned round, and a last character that is above any pair.
 */
export function encodeNumberKey(text: string): string {
  const { sign, digits, exponent } = parseDecimal(text);
  if (sign === 0) return "2";
  const power = exponent + 160;
  let encoded = sign > 0 ? "3" : "1";
  const high = power >> 7;
  const low = power & 127;
  encoded += sign > 0 ? String.fromCharCode(1 + high) : String.fromCharCode(126 - high);
  encoded += pairOf(low >> 3, sign) + pairOf(low & 7, sign);
  for (let at = 0; at < digits.length; at += 2) {
    const pair = Number(digits.slice(at, at + 2).padEnd(2, "0"));
    encoded += pairOf(pair, sign);
  }
  return sign > 0 ? encoded : `${encoded}\x7f`;
}

function pairOf(value: number, sign: number): string {
  return String.fromCharCode(sign > 0 ? value + 1 : 101 - value);
}

/** @throws {ValidationException} where a whole set holds a number twice. */
export function assertDistinct(values: readonly string[], quoted: () => string): void {
  if (new Set(values).size !== values.length) {
    throw invalidValues(`Input collection ${quoted()} contains duplicates.`);
  }
}
