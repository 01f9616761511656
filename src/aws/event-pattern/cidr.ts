import { BlockList, isIPv4, isIPv6 } from "node:net";
import { EventPatternError } from "./error.ts";

/** Whether a text is an address within a block, as `10.0.0.0/24` or `2001:db8::/32`. */
export function compileCidr(block: string): (text: string) => boolean {
  const [address = "", bits = "", ...more] = block.split("/");
  const family = isIPv4(address) ? "ipv4" : isIPv6(address) ? "ipv6" : undefined;
  const most = family === "ipv4" ? 32 : 128;
  if (family === undefined || more.length > 0 || !/^\d{1,3}$/.test(bits) || Number(bits) > most) {
    throw new EventPatternError(`Malformed CIDR, one '/' required: ${block}`);
  }
  const list = new BlockList();
  list.addSubnet(address, Number(bits), family);
  const isAddress = family === "ipv4" ? isIPv4 : isIPv6;
  return (text) => isAddress(text) && list.check(text, family);
}
