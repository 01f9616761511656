import { createServer, connect as connectPlain } from "node:net";
import { connect, type ConnectionOptions } from "node:tls";
import fc from "fast-check";
import { expect, test } from "vitest";
import { readClientHello } from "./client-hello.ts";

/** The first bytes that a real client sends. */
function helloOf(options: ConnectionOptions): Promise<Buffer> {
  return new Promise((resolve) => {
    const server = createServer((socket) => {
      socket.once("data", (bytes) => {
        socket.destroy();
        server.close();
        resolve(bytes);
      });
    });
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      const port = typeof address === "object" && address !== null ? address.port : 0;
      const socket = connectPlain(port, "127.0.0.1");
      socket.on("error", () => {});
      connect({ socket, ...options }).on("error", () => {});
    });
  });
}

test("the name that a client asks for is read, in lower case", async () => {
  for (const maxVersion of ["TLSv1.2", "TLSv1.3"] as const) {
    const bytes = await helloOf({ servername: "Shop.Example.com", maxVersion });
    expect(readClientHello(bytes)).toEqual({ kind: "read", servername: "shop.example.com" });
  }
});

test("a client that names nothing has no name", async () => {
  expect(readClientHello(await helloOf({}))).toEqual({ kind: "read", servername: undefined });
});

/** A record of TLS that holds a part of a handshake. */
const recordOf = (part: Buffer) => Buffer.concat([Buffer.from([22, 3, 1, part.length >> 8, part.length & 255]), part]);

test("a message that comes in pieces is partial until it is whole, also over several records", async () => {
  const bytes = await helloOf({ servername: "shop.example.com" });
  for (let length = 0; length < bytes.length; length += 1) {
    expect(readClientHello(bytes.subarray(0, length)).kind).toBe("partial");
  }
  const content = bytes.subarray(5);
  const split = Buffer.concat([recordOf(content.subarray(0, 40)), recordOf(content.subarray(40))]);
  expect(readClientHello(split)).toEqual({ kind: "read", servername: "shop.example.com" });
});

test("nothing that is sent breaks it", async () => {
  const bytes = await helloOf({ servername: "shop.example.com" });
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (noise) => {
      readClientHello(Buffer.from(noise));
      readClientHello(Buffer.concat([Buffer.from([22, 3, 1, 1, 0, 1, 0, 0, 252]), Buffer.from(noise)]));
    }),
  );
  fc.assert(
    fc.property(fc.nat(bytes.length - 1), fc.nat(255), (at, value) => {
      const changed = Buffer.from(bytes);
      changed[at] = value;
      readClientHello(changed);
    }),
  );
});
