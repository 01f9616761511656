import { BlockList, isIP } from "node:net";
import { compileArnPattern, compilePattern, type Context } from "./pattern.ts";

/** Every condition operator of the policy language. Those that begin with `Not`, or have `Not` inside, negate. */
export const operators = [
  "StringEquals",
  "StringNotEquals",
  "StringEqualsIgnoreCase",
  "StringNotEqualsIgnoreCase",
  "StringLike",
  "StringNotLike",
  "NumericEquals",
  "NumericNotEquals",
  "NumericLessThan",
  "NumericLessThanEquals",
  "NumericGreaterThan",
  "NumericGreaterThanEquals",
  "DateEquals",
  "DateNotEquals",
  "DateLessThan",
  "DateLessThanEquals",
  "DateGreaterThan",
  "DateGreaterThanEquals",
  "Bool",
  "BinaryEquals",
  "IpAddress",
  "NotIpAddress",
  "ArnEquals",
  "ArnLike",
  "ArnNotEquals",
  "ArnNotLike",
  "Null",
] as const;

export type Operator = (typeof operators)[number];

/** Whether one value of a context key is what one value of the policy says, negation left aside. */
export type ValueTest = (given: string, context: Context) => boolean;

export function isNegated(operator: Operator): boolean {
  return operator.includes("Not");
}

/** Compile one value of a policy for an operator. A value that is none of the operator's type matches nothing. */
export function compileValue(operator: Operator, value: string, variables: boolean): ValueTest {
  switch (operator) {
    case "StringEquals":
    case "StringNotEquals":
      return pattern(value, { variables, wildcards: false });
    case "StringEqualsIgnoreCase":
    case "StringNotEqualsIgnoreCase":
      return pattern(value, { variables, wildcards: false, ignoreCase: true });
    case "StringLike":
    case "StringNotLike":
      return pattern(value, { variables });
    case "ArnEquals":
    case "ArnLike":
    case "ArnNotEquals":
    case "ArnNotLike": {
      const arn = compileArnPattern(value, { variables });
      return (given, context) => arn.matches(given, context);
    }
    case "NumericEquals":
    case "NumericNotEquals":
    case "NumericLessThan":
    case "NumericLessThanEquals":
    case "NumericGreaterThan":
    case "NumericGreaterThanEquals":
      return compared(operator.slice("Numeric".length), toNumber(value), toNumber);
    case "DateEquals":
    case "DateNotEquals":
    case "DateLessThan":
    case "DateLessThanEquals":
    case "DateGreaterThan":
    case "DateGreaterThanEquals":
      return compared(operator.slice("Date".length), toTime(value), toTime);
    case "Bool":
      return (given) => given.toLowerCase() === value.toLowerCase();
    case "BinaryEquals":
      return (given) => Buffer.from(given, "base64").equals(Buffer.from(value, "base64"));
    case "IpAddress":
    case "NotIpAddress":
      return addressTest(value);
    case "Null":
      throw new Error("Null looks at the key, not at its values");
    default:
      return operator satisfies never;
  }
}

function pattern(value: string, options: Parameters<typeof compilePattern>[1]): ValueTest {
  const compiled = compilePattern(value, options);
  return (given, context) => compiled.matches(given, context);
}

function compared(comparison: string, wanted: number, read: (text: string) => number): ValueTest {
  return (text) => {
    const given = read(text);
    if (Number.isNaN(given) || Number.isNaN(wanted)) return false;
    if (comparison === "LessThan") return given < wanted;
    if (comparison === "LessThanEquals") return given <= wanted;
    if (comparison === "GreaterThan") return given > wanted;
    if (comparison === "GreaterThanEquals") return given >= wanted;
    return given === wanted;
  };
}

function toNumber(text: string): number {
  return /^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i.test(text.trim()) ? Number(text) : Number.NaN;
}

/** ISO 8601 in the forms W3C names, or seconds since 1970. */
function toTime(text: string): number {
  if (/^\d+$/.test(text) && text.length > 4) return Number(text) * 1000;
  return /^\d{4}(-\d{2}(-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})?)?)?)?$/.test(text)
    ? Date.parse(text.includes("T") && !/(Z|[+-]\d{2}:\d{2})$/.test(text) ? `${text}Z` : text)
    : Number.NaN;
}

function addressTest(value: string): ValueTest {
  const [address = "", prefix] = value.split("/");
  const version = isIP(address);
  const bits = prefix === undefined ? (version === 6 ? 128 : 32) : Number(prefix);
  if (version === 0 || !/^\d{1,3}$/.test(String(bits)) || bits > (version === 6 ? 128 : 32)) return () => false;
  const block = new BlockList();
  block.addSubnet(address, bits, version === 6 ? "ipv6" : "ipv4");
  return (given) => {
    const plain = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(given)?.[1] ?? given;
    const family = isIP(plain);
    return family === version && block.check(plain, family === 6 ? "ipv6" : "ipv4");
  };
}
