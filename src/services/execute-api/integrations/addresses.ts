import { lookup as systemLookup } from "node:dns";
import { BlockList, isIP, type LookupFunction } from "node:net";

/** Which addresses integrations may connect to. See docs/decisions: 0013. */
export interface AddressRules {
  /** Whether an address literal may be connected to. Host names are for `lookup`. */
  allows(address: string): boolean;
  /** Resolves a name to the addresses that may be connected to; fails with `ERR_ADDRESS_REFUSED` when it has no other. */
  readonly lookup: LookupFunction;
}

/** What an endpoint's address was refused as. */
export class AddressRefusedError extends Error {
  readonly code = "ERR_ADDRESS_REFUSED";

  constructor(host: string) {
    super(`Integrations may not connect to ${host}`);
    this.name = "AddressRefusedError";
  }
}

/** @param allowLoopback whether integrations reach what listens on this host alone */
export function createAddressRules(allowLoopback: boolean, lookup: LookupFunction = systemLookup): AddressRules {
  const refused = new BlockList();
  // Metadata services of clouds, with the credentials of the host's machine: link-local, and Amazon's and Alibaba's own.
  refused.addSubnet("169.254.0.0", 16, "ipv4");
  refused.addSubnet("fe80::", 10, "ipv6");
  refused.addAddress("fd00:ec2::254", "ipv6");
  refused.addAddress("fd20:ce::254", "ipv6");
  refused.addAddress("100.100.100.200", "ipv4");
  refused.addSubnet("224.0.0.0", 3, "ipv4");
  refused.addSubnet("ff00::", 8, "ipv6");
  const loopback = new BlockList();
  // On Linux, the unspecified address is this host as well.
  loopback.addSubnet("127.0.0.0", 8, "ipv4");
  loopback.addSubnet("0.0.0.0", 8, "ipv4");
  loopback.addAddress("::1", "ipv6");
  loopback.addAddress("::", "ipv6");

  const allows = (written: string): boolean => {
    const address = asIpv4(written.replace(/%.*$/, ""));
    const family = isIP(address);
    if (family === 0) return false;
    const type = family === 6 ? "ipv6" : "ipv4";
    return !refused.check(address, type) && (allowLoopback || !loopback.check(address, type));
  };
  return {
    allows,
    lookup: (hostname, options, callback) => {
      lookup(hostname, { ...options, all: true }, (error, found) => {
        if (error !== null) return callback(error, "");
        const addresses = (Array.isArray(found) ? found : []).filter(({ address }) => allows(address));
        const [first] = addresses;
        if (first === undefined) callback(new AddressRefusedError(hostname), "");
        else if (options.all === true) callback(null, addresses);
        else callback(null, first.address, first.family);
      });
    },
  };
}

/** An IPv4 address within IPv6 reaches the same host: mapped, translated (NAT64), or of 6to4. */
function asIpv4(address: string): string {
  const dotted = /^(?:::ffff:|::|64:ff9b::)(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (dotted !== undefined) return dotted;
  const [, high = "", low = ""] =
    /^(?:::ffff:|::|64:ff9b::)([\da-f]{1,4}):([\da-f]{1,4})$/i.exec(address) ??
    /^2002:([\da-f]{1,4}):([\da-f]{1,4}):/i.exec(address) ??
    [];
  if (high === "") return address;
  const bits = Number.parseInt(high, 16) * 0x10000 + Number.parseInt(low, 16);
  return [bits >>> 24, (bits >>> 16) & 255, (bits >>> 8) & 255, bits & 255].join(".");
}
