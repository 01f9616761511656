import { connect, type Socket } from "node:net";
import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { systemClock } from "../../../kernel/clock.ts";
import { type FakeGateway, startFakeGateway } from "../fake-gateway.ts";
import { connectClient } from "./client.ts";

let gateway: FakeGateway;
beforeAll(async () => {
  gateway = await startFakeGateway(systemClock);
  await gateway.publish({
    kind: "websocket",
    version: 1,
    account: "000000000000",
    region: "us-east-1",
    apiId: "api",
    stageName: "prod",
    deploymentId: "d",
    variables: {},
    disableExecuteApiEndpoint: false,
    routeSelectionExpression: "$request.body.action",
    routes: [],
  });
});
afterAll(() => gateway.stop());

/** What a server answers to bytes, until it ends the connection or says nothing more for a moment. */
function exchange(bytes: readonly (string | Buffer)[], quietMs = 5_000): Promise<string> {
  return new Promise((resolve) => {
    const socket: Socket = connect(gateway.port, "127.0.0.1");
    let got = "";
    const end = () => {
      socket.destroy();
      resolve(got);
    };
    socket.setTimeout(quietMs, end);
    socket.on("data", (chunk) => {
      got += chunk.toString("latin1");
      // A frame that closes, or one with an answer.
      if (/\r\n\r\n(?:\x88|\x81[^]*\})/.test(got)) end();
    });
    socket.on("error", end);
    socket.on("close", end);
    for (const part of bytes) socket.write(part);
  });
}

const handshake = (more: string) =>
  `GET /api/prod HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n${more}\r\n`;
const good = handshake("Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n");

test.each([
  ["without a key", "Sec-WebSocket-Version: 13\r\n"],
  ["with a short key", "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AA==\r\n"],
  ["of another version", "Sec-WebSocket-Version: 12\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"],
  [
    "with a subprotocol that is no token",
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: a b\r\n",
  ],
])("A handshake %s is a Bad Request", async (_what, more) => {
  expect(await exchange([handshake(more)])).toMatch(/^HTTP\/1\.1 400 [\s\S]*"message": "Bad Request"/);
});

test("A frame that is sent with the handshake is served", async () => {
  // A masked text frame with one character.
  const frame = Buffer.from([0x81, 0x81, 0, 0, 0, 0, 0x78]);
  expect(await exchange([Buffer.concat([Buffer.from(good), frame])])).toMatch(/101 [\s\S]*"message": "Forbidden"/);
});

test.each([
  ["without a mask", Buffer.from([0x81, 0x01, 0x78]), 1002],
  ["with a reserved bit", Buffer.from([0xc1, 0x80, 0, 0, 0, 0]), 1002],
  ["of an unknown kind", Buffer.from([0x83, 0x80, 0, 0, 0, 0]), 1002],
  ["that goes on with nothing", Buffer.from([0x80, 0x80, 0, 0, 0, 0]), 1002],
  ["that is no UTF-8", Buffer.from([0x81, 0x81, 0, 0, 0, 0, 0xff]), 1007],
  ["of 2^63 bytes", Buffer.from([0x81, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]), 1009],
])("A frame %s closes the connection", async (_what, frame, code) => {
  const got = Buffer.from(await exchange([good, frame]), "latin1");
  const close = got.subarray(got.indexOf("\r\n\r\n") + 4);
  expect([close[0], close.readUInt16BE(2)]).toEqual([0x88, code]);
});

test("Random bytes harm nobody", async () => {
  const others = Array.from({ length: 100 }, () =>
    exchange([good, randomBytes(1 + Math.floor(Math.random() * 400))], 200),
  );
  await Promise.all(others);
  const client = await connectClient(`ws://127.0.0.1:${gateway.port}/api/prod`);
  client.send("x");
  expect(JSON.parse(await client.next())).toMatchObject({ message: "Forbidden" });
  client.socket.terminate();
});
