import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { pipeline } from "node:stream/promises";
import { Readable } from "node:stream";
import { afterEach, describe, expect, test } from "vitest";
import type { HttpRequest, HttpResponse } from "../../proxy/http-exchange.ts";
import type { Http1Needs } from "./server.ts";
import { connectRaw, startHttp1, type TestHttp1 } from "./testing.ts";

let server: TestHttp1;
afterEach(() => server.stop());

const start = async (needs: Partial<Http1Needs> | Http1Needs["onRequest"] = {}) => {
  server = await startHttp1(typeof needs === "function" ? { onRequest: needs } : needs);
  return connectRaw(server.port);
};

const get = (target: string, more = "") => `GET ${target} HTTP/1.1\r\nHost: x\r\n${more}\r\n`;
const bodyOf = (heard: string) => heard.slice(heard.indexOf("\r\n\r\n") + 4);
const statusesOf = (heard: string) => [...heard.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status]) => Number(status));

const echo = async (request: HttpRequest, response: HttpResponse) => {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece);
  response.end(Buffer.concat(pieces));
};

describe("requests", () => {
  test("have their headers as Node joins and drops them", async () => {
    const client = await start(
      (request, response) => void response.end(JSON.stringify([request.headers, request.rawHeaders])),
    );
    client.write(
      "GET /a?b HTTP/1.1\r\nHoSt: x\r\nCookie: a=1\r\nX-A: 1\r\ncookie: b=2\r\nx-a:  2 \t\r\nContent-Type: a\r\ncontent-type: b\r\nSet-Cookie: q\r\nEmpty:\r\n\r\n",
    );
    const [headers, raw] = JSON.parse(bodyOf(await client.until("]]"))) as [object, string[]];
    expect(headers).toEqual({
      host: "x",
      cookie: "a=1; b=2",
      "x-a": "1, 2",
      "content-type": "a",
      "set-cookie": ["q"],
      empty: "",
    });
    expect(raw.slice(0, 4)).toEqual(["HoSt", "x", "Cookie", "a=1"]);
  });

  test("are read byte by byte as at once", async () => {
    const client = await start((request, response) => void echo(request, response));
    for (const each of "\r\nPOST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3;a=b\r\nabc\r\n2\r\nde\r\n0\r\nT: v\r\n\r\n") {
      client.write(each);
      await delay(0);
    }
    expect(bodyOf(await client.until("abcde"))).toBe("abcde");
  });

  test("may come behind an empty line, however that comes", async () => {
    const client = await start((request, response) => void echo(request, response));
    await once(client.socket, "connect");
    for (const each of ["\r", "\n", "\r", "\n" + get("/1")]) {
      client.write(each);
      await delay(5);
    }
    expect(statusesOf(await client.until("\r\n\r\n"))).toEqual([200]);
    client.write("\r");
    await delay(5);
    client.write("x");
    expect(statusesOf(await client.untilEnd())).toEqual([200, 400]);
  });

  test("that are sent ahead are answered in their order, one after the other", async () => {
    const order: string[] = [];
    const client = await start((request, response) => {
      order.push(`asked ${request.url}`);
      setTimeout(
        () => {
          order.push(`answered ${request.url}`);
          response.end(request.url ?? "");
        },
        request.url === "/1" ? 30 : 0,
      );
    });
    client.write(get("/1") + get("/2") + get("/3", "Connection: close\r\n"));
    const heard = await client.untilEnd();
    expect(order).toEqual(["asked /1", "answered /1", "asked /2", "answered /2", "asked /3", "answered /3"]);
    expect(heard.match(/\/\d$|\/\d(?=HTTP)/g)).toEqual(["/1", "/2", "/3"]);
  });

  test("behind one that ends the connection are not read", async () => {
    const asked: string[] = [];
    const client = await start((request, response) => {
      asked.push(request.url ?? "");
      response.end("ok");
    });
    client.write(get("/1", "Connection: close\r\n") + get("/2"));
    expect(statusesOf(await client.untilEnd())).toEqual([200]);
    expect(asked).toEqual(["/1"]);
  });

  test("come with their body, which is taken at once", async () => {
    const client = await start((request, response) => void response.end(request.takeWhole?.()));
    client.write("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello");
    expect(bodyOf(await client.until("hello"))).toBe("hello");
  });

  test("whose body is not whole cannot be taken, and are read as a stream", async () => {
    const client = await start((request, response) => {
      const whole = request.takeWhole?.();
      if (whole === undefined) void echo(request, response);
      else response.end(whole);
    });
    client.write("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhello");
    await delay(10);
    client.write("world" + get("/"));
    expect(await client.until("\r\n\r\n", 2)).toContain("helloworldHTTP/1.1 200 OK");
  });

  test("whose answer does not wait for the body are followed by the next request all the same", async () => {
    const client = await start((request, response) => void response.end(request.url ?? ""));
    client.write("POST /1 HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n" + "x".repeat(50_000));
    await client.until("/1");
    client.write("x".repeat(50_000) + get("/2"));
    expect(statusesOf(await client.until("/2"))).toEqual([200, 200]);
  });

  test("of HTTP/1.0 need no host, and end their connection unless they ask to keep it", async () => {
    const client = await start();
    client.write("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    await client.until("ok");
    client.write("GET / HTTP/1.0\r\n\r\n");
    const heard = await client.untilEnd();
    expect(heard.match(/Connection: [a-z-]+/g)).toEqual(["Connection: keep-alive", "Connection: close"]);
  });

  test("that stop halfway fail for who reads them", async () => {
    let failed: Error | undefined;
    const client = await start((request) => {
      request.on("error", (error) => (failed = error)).resume();
    });
    client.write("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhello");
    await delay(10);
    client.socket.destroy();
    await expect.poll(() => failed?.message).toBe("aborted");
  });

  test("that end halfway are refused", async () => {
    const client = await start((request, response) => void echo(request, response).catch(() => undefined));
    client.write("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhello");
    client.socket.end();
    expect(statusesOf(await client.untilEnd())).toEqual([400]);
  });

  test("of a client that sends no more are answered where that can be done at once, and are over where not", async () => {
    const over = Promise.withResolvers<boolean>();
    const client = await start((request, response) => {
      if (request.url === "/1") response.end("at once");
      else response.on("close", () => over.resolve(response.writableFinished));
    });
    client.write(get("/1") + get("/2"));
    client.socket.end();
    expect((await client.untilEnd()).match(/at once/g)).toHaveLength(1);
    expect(await over.promise).toBe(false);
  });

  test("that are not read hold no more than a little", async () => {
    let held: HttpRequest | undefined;
    const client = await start((request) => {
      held = request;
      request.on("data", () => undefined).pause();
    });
    client.write("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000000\r\n\r\n");
    let sent = 0;
    while (client.socket.writableLength < 1024 * 1024 && sent < 64 * 1024 * 1024) {
      client.write(Buffer.alloc(65_536));
      sent += 65_536;
      await delay(0);
    }
    expect(sent).toBeLessThan(40 * 1024 * 1024);
    expect(held?.socket.isPaused()).toBe(true);
    held?.resume();
    await expect.poll(() => client.socket.writableLength).toBe(0);
  });
});

describe("answers", () => {
  test("are one piece with their length, date and what becomes of the connection", async () => {
    const client = await start((_request, response) => void response.writeHead(201, ["X-A", "1", "x-a", "2"]).end("é"));
    client.write(get("/"));
    expect(await client.until("\xc3\xa9")).toMatch(
      /^HTTP\/1\.1 201 Created\r\nX-A: 1\r\nx-a: 2\r\nDate: [^\r]+ GMT\r\nContent-Length: 2\r\nConnection: keep-alive\r\nKeep-Alive: timeout=65\r\n\r\nÃ©$/,
    );
  });

  test("of unknown length come in chunks, and to HTTP/1.0 until the connection ends", async () => {
    const client = await start((_request, response) => {
      response.write("abc");
      response.write(Buffer.from("de"));
      response.end("f");
    });
    client.write(get("/"));
    expect(bodyOf(await client.until("0\r\n\r\n"))).toBe("3\r\nabc\r\n2\r\nde\r\n1\r\nf\r\n0\r\n\r\n");
    const old = connectRaw(server.port);
    old.write("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    expect(bodyOf(await old.untilEnd())).toBe("abcdef");
  });

  test.each([
    ["HEAD", 200, "Content-Length: 3"],
    ["GET", 204, ""],
    ["GET", 304, ""],
  ])("to %s with %i have no body", async (method, status, header) => {
    const client = await start((_request, response) => {
      response.writeHead(status, header === "" ? {} : { "Content-Length": 3 }).end("abc");
    });
    client.write(`${method} / HTTP/1.1\r\nHost: x\r\n\r\n` + get("/2", "Connection: close\r\n"));
    const heard = await client.untilEnd();
    expect(statusesOf(heard)).toEqual([status, status]);
    expect(heard).toContain(header);
    expect(heard.split("HTTP/1.1")[1]).toMatch(/\r\n\r\n$/);
  });

  test.each([
    ["an iterator", () => ["abc"].values()],
    [
      "an asynchronous one",
      async function* () {
        await delay(1);
        yield "abc";
      },
    ],
    ["a stream", () => Readable.from([Buffer.from("abc")])],
  ])("are piped into from %s", async (_what, content) => {
    const piped = Promise.withResolvers<void>();
    const client = await start((_request, response) => {
      pipeline(content(), response).then(piped.resolve, piped.reject);
    });
    client.write(get("/", "Connection: close\r\n"));
    expect(await client.untilEnd()).toContain("abc");
    await piped.promise;
  });

  test("are streamed with back-pressure", async () => {
    let made = 0;
    const client = await start((_request, response) => {
      void pipeline(
        Readable.from(
          (function* () {
            for (; made < 2_000; made += 1) yield Buffer.alloc(16_384, 97);
          })(),
          { objectMode: false },
        ),
        response,
      );
    });
    client.socket.pause();
    client.write(get("/", "Connection: close\r\n"));
    await delay(100);
    const before = made;
    expect(before).toBeLessThan(1_500);
    client.socket.resume();
    const heard = await client.untilEnd();
    expect(heard.length).toBeGreaterThan(2_000 * 16_384);
    expect(heard).toMatch(/0\r\n\r\n$/);
  });

  test("that end short of what they promised break the connection", async () => {
    const client = await start((_request, response) => {
      response.strictContentLength = true;
      response.writeHead(200, { "content-length": 10 });
      pipeline(Readable.from([Buffer.from("abc")]), response).catch(() => undefined);
    });
    client.write(get("/"));
    expect("abc").toContain(bodyOf(await client.untilEnd()));
  });

  test.each([
    ["a name", { "a b": "1" }],
    ["a value", { a: "1\r\nb: 2" }],
    ["one of several values", { a: ["1", "\n"] }],
    ["what is not Latin 1", { a: "€" }],
    ["a length", { "content-length": "1, 2" }],
    ["nothing", { a: undefined }],
  ])("cannot be sent with %s that would end the header or mean another thing", async (_what, headers) => {
    let thrown: unknown;
    const client = await start((_request, response) => {
      try {
        response.writeHead(200, headers);
      } catch (error) {
        thrown = error;
      }
      response.end("refused");
    });
    client.write(get("/"));
    expect(await client.until("refused")).not.toContain("b: 2");
    expect(thrown).toBeInstanceOf(TypeError);
  });

  test("tell who asks when they are sent, and that they are over, once", async () => {
    const events: string[] = [];
    const client = await start((_request, response) => {
      for (const event of ["finish", "close"])
        response.on(event, () => events.push(`${event} ${response.writableFinished}`));
      response.end("ok");
    });
    client.write(get("/"));
    await client.until("ok");
    await expect.poll(() => events).toEqual(["finish true", "close true"]);
    client.socket.destroy();
    await delay(10);
    expect(events).toHaveLength(2);
  });

  test("to a client that has gone are over without having been sent", async () => {
    const over = Promise.withResolvers<boolean>();
    const client = await start((_request, response) => {
      response.on("close", () => over.resolve(response.writableFinished));
      client.socket.destroy();
    });
    client.write(get("/"));
    expect(await over.promise).toBe(false);
  });

  test("may be cut", async () => {
    const client = await start((_request, response) => {
      response.write("a");
      setTimeout(() => response.destroy(), 10);
    });
    client.write(get("/"));
    expect(bodyOf(await client.untilEnd())).toBe("1\r\na\r\n");
  });

  test("have headers that were set before, unless others are given", async () => {
    const client = await start((_request, response) => {
      response.setHeader("X-A", "1");
      response.setHeader("X-B", ["1", "2"]);
      response.writeHead(200, { "x-a": "3" }).end();
    });
    client.write(get("/", "Connection: close\r\n"));
    expect((await client.untilEnd()).match(/^x-[^\r]+/gim)).toEqual(["X-B: 1", "X-B: 2", "x-a: 3"]);
  });
});

describe("clients that wait to be told to send their body", () => {
  const expecting = "POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n";

  test("are told", async () => {
    const client = await start((request, response) => void echo(request, response));
    client.write(expecting);
    await client.until("100 Continue\r\n\r\n");
    client.write("hello");
    expect(await client.until("hello")).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK\r\n/);
  });

  test("are refused without it, and their connection ends: nobody knows what comes next on it", async () => {
    const client = await start({ onExpectContinue: (_request, response) => void response.writeHead(403).end("no") });
    client.write(expecting);
    await client.until("no");
    client.write(get("/hidden"));
    expect(statusesOf(await client.untilEnd())).toEqual([403]);
    expect(client.heard()).toContain("Connection: close");
  });

  test("for anything else are refused", async () => {
    const client = await start();
    client.write(get("/", "Expect: more\r\n"));
    expect(statusesOf(await client.untilEnd())).toEqual([417]);
  });
});

describe("connections", () => {
  test("are handed over with what has come, when what the client offers is taken up", async () => {
    const client = await start({
      shouldUpgrade: (request) => request.headers.upgrade === "echo",
      onUpgrade: (message, socket, head) => {
        socket.write(`${message.method} ${message.url} ${message.headers.host} ${head.toString()}`);
        socket.on("end", () => socket.end());
        setTimeout(() => socket.on("data", (data) => socket.write(data)), 20);
      },
    });
    client.write(get("/up", "Connection: keep-alive, Upgrade\r\nUpgrade: echo\r\n") + "first");
    await client.until("GET /up x first");
    client.write("second");
    await client.until("second");
    client.socket.destroy();
  });

  test("go on when what the client offers is declined", async () => {
    const client = await start();
    client.write(get("/", "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\n") + get("/"));
    expect(statusesOf(await client.until("ok", 2))).toEqual([200, 200]);
  });

  test.each([
    ["nothing", "", 408],
    ["a part of a head", "GET / HT", 408],
    ["a part of a body", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhe", 408],
  ])("on which only %s comes in time end", async (_what, text, status) => {
    const client = await start({
      headersMsMax: 40,
      requestMsMax: 40,
      lookMs: 10,
      onRequest: (request, response) => void echo(request, response).catch(() => undefined),
    });
    client.write(text);
    expect(statusesOf(await client.untilEnd())).toEqual([status]);
  });

  test("that are idle end without a word, and those that answer do not", async () => {
    const client = await start({
      keepAliveMs: -980,
      headersMsMax: 40,
      requestMsMax: 40,
      lookMs: 10,
      onRequest: (_request, response) => void setTimeout(() => response.end("ok"), 150),
    });
    client.write(get("/"));
    expect(statusesOf(await client.untilEnd())).toEqual([200]);
  });

  test("of clients that were refused and go on sending end after a while", async () => {
    const client = await start({ lookMs: 1 });
    client.write("nonsense\r\n\r\n");
    await client.untilEnd();
    client.write("x".repeat(100_000));
    expect(statusesOf(client.heard())).toEqual([400]);
  });

  test("that are idle or unused can be let go of; those that answer stay", async () => {
    const idle = await start(
      (request, response) => void setTimeout(() => response.end("ok"), request.url === "/" ? 0 : 60),
    );
    const unused = connectRaw(server.port);
    const busy = connectRaw(server.port);
    idle.write(get("/"));
    busy.write(get("/slow"));
    await idle.until("ok");
    await delay(10);
    server.closeIdle("unused");
    await unused.untilEnd();
    server.closeIdle();
    await idle.untilEnd();
    expect(await busy.until("ok")).toContain("200");
  });

  test("on which much is sent ahead are not read meanwhile", async () => {
    const client = await start((_request, response) => void setTimeout(() => response.end("ok"), 100));
    client.write(get("/"));
    let sent = 0;
    while (client.socket.writableLength < 256 * 1024 && sent < 64 * 1024 * 1024) {
      client.write(get("/", `X: ${"x".repeat(16_000)}\r\n`).repeat(8));
      sent += 128_000;
      await delay(0);
    }
    expect(sent).toBeLessThan(40 * 1024 * 1024);
    client.socket.destroy();
  });
});
