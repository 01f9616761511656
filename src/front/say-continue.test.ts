import { createServer } from "node:http";
import { connect, type AddressInfo } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import { sayContinue } from "./say-continue.ts";

const answer = async (url: string | undefined, respond: (body: Buffer) => void) => {
  if (url === "/slow") await delay(20);
  respond(Buffer.from(`body of ${url}`));
};
const ask = (url: string, more = "") => `POST ${url} HTTP/1.1\r\nHost: x\r\n${more}Content-Length: 0\r\n\r\n`;

test("an answer that waits for its turn is whole, whether or not its client was told to continue", async () => {
  const server = createServer();
  server.on("request", (request, response) => void answer(request.url, (body) => response.end(body)));
  server.on("checkContinue", (request, response) => {
    sayContinue(response);
    void answer(request.url, (body) => response.end(body));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const heard = await new Promise<string>((resolve) => {
    let text = "";
    const socket = connect(port, "127.0.0.1", () =>
      socket.write(ask("/slow") + ask("/next", "Expect: 100-continue\r\n")),
    );
    socket.on("data", (chunk: Buffer) => (text += chunk.toString("latin1")));
    socket.on("close", () => resolve(text));
  });
  server.close();
  expect(heard.split("HTTP/1.1").map((part) => part.slice(0, 4))).toEqual(["", " 200", " 200"]);
  expect(heard).toMatch(/body of \/slow[\s\S]*\r\n\r\nbody of \/next$/);
});

test("a client that waits is told to continue when its turn has come", async () => {
  const server = createServer((_request, response) => void delay(20).then(() => response.end("first")));
  server.on("checkContinue", (request, response) => {
    sayContinue(response);
    request.resume().on("end", () => response.end("second"));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const heard = await new Promise<string>((resolve) => {
    let text = "";
    const socket = connect(port, "127.0.0.1", () =>
      socket.write(
        "GET / HTTP/1.1\r\nHost: x\r\n\r\n" +
          "POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nConnection: close\r\nContent-Length: 4\r\n\r\n",
      ),
    );
    socket.on("data", (chunk: Buffer) => {
      text += chunk.toString("latin1");
      if (text.endsWith("100 Continue\r\n\r\n")) socket.write("body");
    });
    socket.on("close", () => resolve(text));
  });
  server.close();
  expect(heard).toMatch(/first[\s\S]*100 Continue[\s\S]*second$/);
});
