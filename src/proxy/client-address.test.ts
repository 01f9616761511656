import { createServer, IncomingMessage } from "node:http";
import { type AddressInfo, Socket } from "node:net";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createProxyTrust, forwardedPort, isEncrypted, parseNetworks, sourceIp } from "./client-address.ts";

/** A request as it comes from that address. */
function requestFrom(remoteAddress: string, headers: Readonly<Record<string, string | readonly string[]>>) {
  const socket = new Socket();
  Object.defineProperty(socket, "remoteAddress", { value: remoteAddress });
  Object.defineProperty(socket, "localPort", { value: 4566 });
  const request = new IncomingMessage(socket);
  for (const [name, values] of Object.entries(headers))
    for (const value of [values].flat()) request.rawHeaders.push(name, value);
  return request;
}

const trust = createProxyTrust(["10.0.0.0/8", "192.0.2.7", "fd00::/8", "127.0.0.1"]);

const seen = (remote: string, headers: Readonly<Record<string, string | readonly string[]>>) => {
  const request = requestFrom(remote, headers);
  trust(request);
  const at = request.rawHeaders.indexOf("X-Forwarded-For");
  return { ip: sourceIp(request), sent: at < 0 ? undefined : request.rawHeaders[at + 1] };
};

describe("the client's address", () => {
  test.each([
    ["10.1.2.3", "203.0.113.9", "203.0.113.9", undefined],
    ["::ffff:10.1.2.3", "203.0.113.9", "203.0.113.9", undefined],
    ["fd00::1", "2001:db8::5", "2001:db8::5", undefined],
    // Proxies behind proxies.
    ["10.1.2.3", "203.0.113.9, 192.0.2.7, 10.9.9.9", "203.0.113.9", undefined],
    // What the client has written itself is not believed, and stays what it has sent.
    ["10.1.2.3", "1.1.1.1, 203.0.113.9", "203.0.113.9", "1.1.1.1"],
    ["10.1.2.3", "10.0.0.1, 203.0.113.9, 10.9.9.9", "203.0.113.9", "10.0.0.1"],
    // All are ours: the first of them is the client.
    ["10.1.2.3", "10.4.4.4", "10.4.4.4", undefined],
    ["10.1.2.3", "203.0.113.9:5555", "203.0.113.9", undefined],
    ["10.1.2.3", "[2001:db8::5]:5555", "2001:db8::5", undefined],
    ["10.1.2.3", "unknown", "10.1.2.3", "unknown"],
    ["10.1.2.3", "203.0.113.9, <script>", "10.1.2.3", "203.0.113.9, <script>"],
    ["10.1.2.3", "", "10.1.2.3", undefined],
  ])("from %s with %j is %s, and the client sent %j", (remote, forwarded, ip, sent) => {
    expect(seen(remote, { "x-forwarded-for": forwarded })).toEqual({ ip, sent });
  });

  test("is that of the connection when it does not come from a trusted proxy, and nothing is changed", () => {
    const request = requestFrom("203.0.113.1", { "X-Forwarded-For": "10.0.0.1", "X-Forwarded-Proto": "https" });
    trust(request);
    expect(sourceIp(request)).toBe("203.0.113.1");
    expect(isEncrypted(request)).toBe(false);
    expect(request.rawHeaders).toEqual(["X-Forwarded-For", "10.0.0.1", "X-Forwarded-Proto", "https"]);
  });

  test("is read from several headers as from one", () => {
    expect(seen("10.1.2.3", { "X-Forwarded-For": ["1.1.1.1", "203.0.113.9"] })).toEqual({
      ip: "203.0.113.9",
      sent: "1.1.1.1",
    });
  });

  test("is not that of a client who writes what a proxy would, however long", () => {
    const entry = fc.oneof(fc.ipV4(), fc.ipV6(), fc.string(), fc.constantFrom("10.0.0.1", "127.0.0.1", ""));
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 20 }), (written) => {
        const before = written.map((text) => text.replaceAll(/[^\x20-\x7e]/g, ""));
        const { ip } = seen("10.1.2.3", { "X-Forwarded-For": [...before, "203.0.113.9"].join(", ") });
        expect(ip).toBe("203.0.113.9");
      }),
    );
  });

  test("headers that were read before say the same as those that were not", async () => {
    const server = createServer((request, response) => {
      const before = request.headers["x-forwarded-for"];
      trust(request);
      response.end(JSON.stringify([before, request.headers["x-forwarded-for"], sourceIp(request)]));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const answer = await fetch(`http://127.0.0.1:${port}`, { headers: { "x-forwarded-for": "1.1.1.1, 203.0.113.9" } });
    expect(await answer.json()).toEqual(["1.1.1.1, 203.0.113.9", "1.1.1.1", "203.0.113.9"]);
    await new Promise((resolve) => server.close(resolve));
  });
});

test("whether the client speaks TLS, and to which port, is what the proxy says last", () => {
  const request = requestFrom("10.1.2.3", { "X-Forwarded-Proto": "http, https", "X-Forwarded-Port": "443" });
  trust(request);
  expect([isEncrypted(request), forwardedPort(request)]).toEqual([true, "443"]);
  const plain = requestFrom("10.1.2.3", { "X-Forwarded-Proto": "https,http", "X-Forwarded-Port": "x" });
  trust(plain);
  expect([isEncrypted(plain), forwardedPort(plain)]).toEqual([false, "4566"]);
});

test.each(["10.0.0.0/33", "10.0.0", "fd00::/129", "proxy.example", "10.0.0.0/8/8", "10.0.0.0/", ""])(
  "%j is no address and no network",
  (text) => {
    expect(() => parseNetworks([text])).toThrow(TypeError);
  },
);
