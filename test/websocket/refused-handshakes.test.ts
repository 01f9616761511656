import { connect, type Socket } from "node:net";
import { afterEach, expect, test } from "vitest";
import { startTestPlatform, type TestPlatform } from "../../src/testing/platform.ts";

const handshake = (more = "") =>
  `GET /_cumulet/api/none/prod HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n` +
  `Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n${more}\r\n`;
let platform: TestPlatform;
let socket: Socket;

afterEach(() => socket.destroy());

/** Whoever is refused and stays holds nothing: neither a connection beyond a while, nor the end of the server. */
test.each<[string, (client: Socket) => void]>([
  ["stays", (client) => void client.write(handshake())],
  ["announces a body", (client) => void client.write(handshake("Content-Length: 100\r\n"))],
  ["goes on talking", (client) => void client.write(handshake() + "x".repeat(100_000))],
  ["does not listen", (client) => void client.pause().write(handshake())],
])("A client that is refused and %s keeps no server from stopping", async (_name, talk) => {
  platform = await startTestPlatform({ sandbox: "process" });
  socket = connect(platform.port, "127.0.0.1").on("error", () => undefined);
  const answered = new Promise((resolve) => void socket.once("data", resolve));
  talk(socket);
  if (!socket.isPaused()) await answered;
  await platform.stop();
});

test("A handshake behind a request that has no answer yet is a request as any other, and ends nothing", async () => {
  platform = await startTestPlatform({ sandbox: "process" });
  const health = "GET /_cumulet/api/none/x HTTP/1.1\r\nHost: x\r\n\r\n";
  for (const before of [health, health + health]) {
    socket = connect(platform.port, "127.0.0.1").on("error", () => undefined);
    let heard = "";
    socket.on("data", (bytes: Buffer) => (heard += bytes.toString("latin1")));
    socket.write(before + handshake());
    const answers = before.length / health.length + 1;
    await expect.poll(() => heard.split("HTTP/1.1 ").length - 1).toBe(answers);
    socket.destroy();
  }
  await platform.stop();
});

test("A client that is refused and stays is let go of", async () => {
  platform = await startTestPlatform({ sandbox: "process" });
  socket = connect({ port: platform.port, host: "127.0.0.1", allowHalfOpen: true });
  socket.on("error", () => undefined).resume();
  socket.write(handshake());
  await new Promise((resolve) => void socket.once("end", resolve));
  // Its half is still open: what it writes is answered by the end of the connection.
  const closed = new Promise((resolve) => void socket.once("close", resolve));
  const talking = setInterval(() => socket.write("x"), 50);
  await closed;
  clearInterval(talking);
  await platform.stop();
});
