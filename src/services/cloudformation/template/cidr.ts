import { templateError } from "./template-error.ts";

/** `Fn::Cidr`: `count` blocks of `2 ** hostBits` addresses from the start of `block`. IPv4 and IPv6. */
export function cidrBlocks(block: string, count: number, hostBits: number): string[] {
  const [address = "", prefixText = ""] = block.split("/");
  const wide = address.includes(":");
  const bits = wide ? 128 : 32;
  const prefix = /^\d{1,3}$/.test(prefixText) ? Number(prefixText) : Number.NaN;
  const start = wide ? parseIpv6(address) : parseIpv4(address);
  if (start === undefined || !(prefix >= 0 && prefix <= bits)) {
    throw templateError(`Fn::Cidr ${block} is not a valid CIDR block`);
  }
  if (!Number.isInteger(count) || count < 1 || count > 256) {
    throw templateError("Fn::Cidr the number of CIDRs to generate must be between 1 and 256");
  }
  if (!Number.isInteger(hostBits) || hostBits < 1 || hostBits > bits) {
    throw templateError(`Fn::Cidr the number of subnet bits must be between 1 and ${bits}`);
  }
  const base = (start >> BigInt(bits - prefix)) << BigInt(bits - prefix);
  const size = 1n << BigInt(hostBits);
  if (BigInt(count) * size > 1n << BigInt(bits - prefix)) {
    throw templateError(`Fn::Cidr the block ${block} cannot hold ${count} blocks of ${hostBits} bits`);
  }
  const text = wide ? ipv6Text : ipv4Text;
  return Array.from({ length: count }, (_, index) => `${text(base + BigInt(index) * size)}/${bits - hostBits}`);
}

function parseIpv4(text: string): bigint | undefined {
  const parts = text.split(".");
  if (parts.length !== 4 || !parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) < 256)) return undefined;
  return parts.reduce((sum, part) => (sum << 8n) | BigInt(part), 0n);
}

const groups = (half: string | undefined) => (half ? half.split(":") : []);

function ipv4Text(value: bigint): string {
  return [24n, 16n, 8n, 0n].map((shift) => String((value >> shift) & 255n)).join(".");
}

function parseIpv6(text: string): bigint | undefined {
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const head = groups(halves[0]);
  const tail = groups(halves[1]);
  const missing = 8 - head.length - tail.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined;
  const all = [...head, ...Array.from({ length: missing }, () => "0"), ...tail];
  if (!all.every((group) => /^[0-9a-fA-F]{1,4}$/.test(group))) return undefined;
  return all.reduce((sum, group) => (sum << 16n) | BigInt(`0x${group}`), 0n);
}

/** RFC 5952: lower case, the longest run of zero groups as `::`. */
function ipv6Text(value: bigint): string {
  const groups = Array.from({ length: 8 }, (_, index) => ((value >> BigInt(112 - index * 16)) & 0xffffn).toString(16));
  const runs = [
    ...groups
      .map((group) => (group === "0" ? "0" : "x"))
      .join("")
      .matchAll(/0{2,}/g),
  ];
  const longest = runs.toSorted((a, b) => b[0].length - a[0].length)[0];
  if (!longest) return groups.join(":");
  return `${groups.slice(0, longest.index).join(":")}::${groups.slice(longest.index + longest[0].length).join(":")}`;
}
