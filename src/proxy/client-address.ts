import { BlockList, isIP } from "node:net";
import type { HttpRequest } from "./http-exchange.ts";

/** The client's address; IPv4 is written as such. */
export function sourceIp(request: HttpRequest): string {
  return request.forwarded?.address ?? plain(request.socket.remoteAddress ?? "");
}

/** Whether the client speaks TLS: to this program, or to a proxy that is trusted. */
export function isEncrypted(request: HttpRequest): boolean {
  return request.forwarded?.encrypted ?? "encrypted" in request.socket;
}

/** The port that the client has connected to. */
export function forwardedPort(request: HttpRequest): string {
  return request.forwarded?.port ?? String(request.socket.localPort ?? "");
}

/** Addresses and networks (CIDR) whose `X-Forwarded-For`, `-Proto` and `-Port` are believed. Throws a `TypeError` that names what is neither. */
export function parseNetworks(texts: readonly string[]): BlockList {
  const networks = new BlockList();
  for (const text of texts) {
    const [, address = "", prefix] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
    const version = isIP(address);
    const bits = version === 6 ? 128 : 32;
    if (version === 0 || Number(prefix ?? bits) > bits) throw new TypeError(`${text} is no address and no network`);
    networks.addSubnet(address, Number(prefix ?? bits), version === 6 ? "ipv6" : "ipv4");
  }
  return networks;
}

/**
 * Reads what a trusted proxy tells of the client, before anything else reads the request; once for each. The client is the last
 * address of `X-Forwarded-For` that is no trusted proxy's: what stands before it is what the client has sent itself, as the
 * header then says. What is no address is not believed.
 */
export function createProxyTrust(networks: readonly string[]): (request: HttpRequest) => void {
  const trusted = parseNetworks(networks);
  const isTrusted = (address: string) => trusted.check(address, isIP(address) === 6 ? "ipv6" : "ipv4");
  return (request) => {
    const peer = plain(request.socket.remoteAddress ?? "");
    if (isIP(peer) === 0 || !isTrusted(peer)) return;
    const told = valuesOf(request.rawHeaders, "x-forwarded-for");
    let address = peer;
    while (told.length > 0 && isTrusted(address)) {
      const before = withoutPort(told.at(-1) ?? "");
      if (isIP(before) === 0) break;
      address = before;
      told.pop();
    }
    replace(request, "x-forwarded-for", told.join(", "));
    const proto = valuesOf(request.rawHeaders, "x-forwarded-proto").at(-1);
    const port = valuesOf(request.rawHeaders, "x-forwarded-port").at(-1);
    request.forwarded = {
      address,
      encrypted: proto === undefined ? "encrypted" in request.socket : proto.toLowerCase() === "https",
      port: port !== undefined && /^\d{1,5}$/.test(port) ? port : undefined,
    };
  };
}

function plain(address: string): string {
  return address.startsWith("::ffff:") ? address.slice(7) : address;
}

/** Some proxies write a port as well. */
function withoutPort(text: string): string {
  return plain(/^\[([^\]]+)\](?::\d+)?$/.exec(text)?.[1] ?? /^([\d.]+):\d+$/.exec(text)?.[1] ?? text);
}

function valuesOf(raw: readonly string[], name: string): string[] {
  const values = raw.filter((_, at) => at % 2 === 1 && raw[at - 1]?.toLowerCase() === name);
  return values.flatMap((value) => value.split(",")).flatMap((value) => (value.trim() === "" ? [] : [value.trim()]));
}

/** The header with this value, or without it where that is empty. */
function replace(request: HttpRequest, name: string, value: string): void {
  const raw = request.rawHeaders;
  for (let at = raw.length - 2; at >= 0; at -= 2) if (raw[at]?.toLowerCase() === name) raw.splice(at, 2);
  if (value !== "") raw.push("X-Forwarded-For", value);
  // It may have been read from the raw ones already.
  if (value === "") delete request.headers[name];
  else request.headers[name] = value;
}
