import { once } from "node:events";
import { createServer, type Server, type ServerResponse } from "node:http";
import { connect } from "node:net";
import { afterEach, expect, test } from "vitest";
import { sendLent } from "./send-lent.ts";

let server: Server | undefined;
afterEach(() => server?.close());

async function serve(answer: (response: ServerResponse) => void): Promise<number> {
  server = createServer((_request, response) => answer(response));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  return typeof address === "object" ? (address?.port ?? 0) : 0;
}

test("memory that is used again is sent as it was when it was lent", async () => {
  const port = await serve((response) => {
    const memory = Buffer.alloc(300_000);
    response.writeHead(200, { "content-length": memory.length * 20 });
    void sendLent(
      (async function* () {
        for (let at = 0; at < 20; at += 1) yield memory.fill(at);
      })(),
      response,
    );
  });
  const body = Buffer.from(await (await fetch(`http://127.0.0.1:${port}/`)).arrayBuffer());
  const expected = Buffer.concat(Array.from({ length: 20 }, (_, at) => Buffer.alloc(300_000, at)));
  expect(body.equals(expected)).toBe(true);
});

test("a client that goes ends it, and the content is closed", async () => {
  let closed = false;
  const outcome = new Promise<unknown>((resolve) => {
    void serve((response) => {
      response.writeHead(200);
      const content = (async function* () {
        try {
          for (;;) yield Buffer.alloc(300_000);
        } finally {
          closed = true;
        }
      })();
      sendLent(content, response).then(resolve, resolve);
    }).then((port) => {
      const socket = connect(port, "127.0.0.1", () => socket.write("GET / HTTP/1.1\r\nhost: a\r\n\r\n"));
      socket.once("data", () => socket.destroy());
    });
  });
  expect(await outcome).toMatchObject({ code: "ERR_STREAM_PREMATURE_CLOSE" });
  expect(closed).toBe(true);
});

test("content that fails, or ends too soon, is told", async () => {
  const outcomes: unknown[] = [];
  const port = await serve((response) => {
    response.strictContentLength = true;
    response.writeHead(200, { "content-length": 10 });
    const content = (async function* () {
      yield Buffer.from("12345");
      if (outcomes.length === 0) throw new Error("the disk");
    })();
    sendLent(content, response)
      .catch((error: unknown) => outcomes.push(error))
      .finally(() => response.destroy());
  });
  for (let time = 0; time < 2; time += 1) {
    await expect(fetch(`http://127.0.0.1:${port}/`).then((answer) => answer.arrayBuffer())).rejects.toThrow();
  }
  expect(outcomes).toMatchObject([{ message: "the disk" }, { code: "ERR_HTTP_CONTENT_LENGTH_MISMATCH" }]);
});
