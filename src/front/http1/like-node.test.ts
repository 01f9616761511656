import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { HttpRequest, HttpResponse } from "../../proxy/http-exchange.ts";
import { connectRaw, startHttp1, type TestHttp1 } from "./testing.ts";

/** Tells what it was asked, once it has all of it. */
const tell = (request: HttpRequest, response: HttpResponse) => {
  const pieces: Buffer[] = [];
  request.on("data", (piece) => void pieces.push(piece));
  request.on("error", () => undefined);
  request.on("end", () => {
    const { method, url, httpVersion, headers, rawHeaders } = request;
    response.end(
      Buffer.from(
        JSON.stringify([method, url, httpVersion, headers, rawHeaders, Buffer.concat(pieces).toString("base64")]),
      ),
    );
  });
};

let ours: TestHttp1;
let nodes: Server;
let nodesPort: number;
beforeAll(async () => {
  ours = await startHttp1({ onRequest: tell });
  nodes = createServer({ maxHeaderSize: 32 * 1024, shouldUpgradeCallback: () => false }, tell);
  nodes.on("clientError", (_error, socket) => {
    // Behind the answers to what came before, which are given in the next turn.
    setImmediate(() => {
      if (socket.writable) socket.end("HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n");
      else socket.destroy();
    });
  });
  await new Promise<void>((resolve) => nodes.listen(0, "127.0.0.1", resolve));
  nodesPort = (nodes.address() as AddressInfo).port;
});
afterAll(async () => {
  nodes.closeAllConnections();
  await Promise.all([ours.stop(), new Promise((resolve) => nodes.close(resolve))]);
});

/** What is answered to these bytes: what the requests were taken for, and `refused`. */
async function ask(port: number, text: string, cuts: readonly number[] = []): Promise<readonly string[]> {
  const client = connectRaw(port);
  let from = 0;
  for (const at of [...new Set(cuts)].toSorted((one, other) => one - other)) {
    if (at <= from || at >= text.length) continue;
    client.write(text.slice(from, at));
    from = at;
    // oxlint-disable-next-line no-await-in-loop -- one piece after the other
    await new Promise((resolve) => setImmediate(resolve));
  }
  client.write(text.slice(from));
  client.socket.end();
  const heard = await client.untilEnd();
  client.socket.destroy();
  return heard
    .split("HTTP/1.1 ")
    .slice(1)
    .map((answer) =>
      answer.startsWith("200")
        ? answer.slice(answer.indexOf("\r\n\r\n") + 4)
        : answer.startsWith("400")
          ? "refused"
          : answer.slice(0, 3),
    );
}

const both = async (text: string, cuts?: readonly number[]) => ({
  ours: await ask(ours.port, text, cuts),
  nodes: await ask(nodesPort, text),
});

const head = "POST / HTTP/1.1\r\nHost: x\r\n";
const chunked = `${head}Transfer-Encoding: chunked\r\n\r\n`;
const hidden = "GET /hidden HTTP/1.1\r\nHost: x\r\n\r\n";

describe("is taken for the same as by Node", () => {
  test.each([
    ["GET / HTTP/1.1\r\nHost: x\r\n\r\n"],
    ["GET / HTTP/1.1\r\nHost:\r\n\r\n"],
    ["GET /?a=b#c HTTP/1.1\r\nHost: x\r\n\r\n"],
    ['GET /"<>\\^`{|}~%zz HTTP/1.1\r\nHost: x\r\n\r\n'],
    ["GET http://other/path?q HTTP/1.1\r\nHost: x\r\n\r\n"],
    ["OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n"],
    ["QUERY / HTTP/1.1\r\nHost: x\r\n\r\n"],
    ["\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n"],
    ["GET / HTTP/1.0\r\n\r\n"],
    ["GET / HTTP/1.1\r\nHost: x\r\nA:\t b c \t\r\nB: \xe9\xff\r\n__proto__: p\r\nconstructor: q\r\n\r\n"],
    [
      "GET / HTTP/1.1\r\nHost: x\r\nA: 1\r\na: 2\r\nCookie: a\r\ncookie: b\r\nEtag: 1\r\nETAG: 2\r\nSet-Cookie: 1\r\nset-cookie: 2\r\n\r\n",
    ],
    [`${head}Content-Length: 5\r\n\r\nhello${hidden}`],
    [`${head}Content-Length: 0005\r\n\r\nhello`],
    [`${head}content-length:5 \r\n\r\nhello`],
    [`${chunked}5\r\nhello\r\n0\r\n\r\n${hidden}`],
    [`${chunked}05;a=b;c="d"\r\nhello\r\n000\r\nTrailer: x\r\n\r\n${hidden}`],
    [`${chunked}5;a="b;\\"c";d;e=f\r\nhello\r\n0;g\r\n\r\n${hidden}`],
    [`${chunked}A\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n`],
    [`${head}Transfer-Encoding: CHUNKED\r\n\r\n0\r\n\r\n`],
    ["GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"],
    [`GET / HTTP/1.1\r\nHost: x\r\nX: ${"x".repeat(30_000)}\r\n\r\n`],
  ])("%j", async (text) => {
    const seen = await both(text);
    expect(seen.ours).toEqual(seen.nodes);
    expect(seen.ours).not.toContain("refused");
  });
});

/** Each is refused, and nothing behind it is ever taken for a request. */
describe("is refused, as by Node,", () => {
  test.each([
    ["an extension of a chunk without a name", `${chunked}1;"b"\r\nx\r\n0\r\n\r\n${hidden}`],
    ["an extension of a chunk whose value does not end", `${chunked}1;a="b\r\nx\r\n0\r\n\r\n${hidden}`],
    ["something behind an extension's value", `${chunked}1;a="b"c\r\nx\r\n0\r\n\r\n${hidden}`],
    ["no host", "GET / HTTP/1.1\r\n\r\n"],
    ["a line that ends in LF", "GET / HTTP/1.1\nHost: x\r\n\r\n"],
    ["a header that ends in LF", "GET / HTTP/1.1\r\nHost: x\nA: b\r\n\r\n"],
    ["a header that ends in CR", "GET / HTTP/1.1\r\nHost: x\rA: b\r\n\r\n"],
    ["CR within a value", "GET / HTTP/1.1\r\nHost: x\r\nA: b\rc\r\n\r\n"],
    ["NUL within a value", "GET / HTTP/1.1\r\nHost: x\r\nA: b\0c\r\n\r\n"],
    ["a control character within a value", "GET / HTTP/1.1\r\nHost: x\r\nA: b\x7fc\r\n\r\n"],
    ["a header that goes on in the next line", "GET / HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\n"],
    ["a first line that goes on", "GET / HTTP/1.1\r\n Host: x\r\n\r\n"],
    ["a space before the colon", "GET / HTTP/1.1\r\nHost : x\r\n\r\n"],
    ["a name with a space", "GET / HTTP/1.1\r\nHost: x\r\nA B: c\r\n\r\n"],
    ["no name", "GET / HTTP/1.1\r\nHost: x\r\n: c\r\n\r\n"],
    ["no colon", "GET / HTTP/1.1\r\nHost: x\r\nAb\r\n\r\n"],
    ["a name that is not ASCII", "GET / HTTP/1.1\r\nHost: x\r\n\xe9: c\r\n\r\n"],
    ["an unknown method", "GOT / HTTP/1.1\r\nHost: x\r\n\r\n"],
    ["a method in lower case", "get / HTTP/1.1\r\nHost: x\r\n\r\n"],
    ["a target that is not ASCII", "GET /\xe9 HTTP/1.1\r\nHost: x\r\n\r\n"],
    ["a tab within the target", "GET /a\tb HTTP/1.1\r\nHost: x\r\n\r\n"],
    ["a target that is neither", "GET a:b HTTP/1.1\r\nHost: x\r\n\r\n"],
    ["no target", "GET HTTP/1.1\r\nHost: x\r\n\r\n"],
    ["another version", "GET / HTTP/1.2\r\nHost: x\r\n\r\n"],
    ["more behind the version", "GET / HTTP/1.1 \r\nHost: x\r\n\r\n"],
    ["HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"],
    ["TLS", "\x16\x03\x01\x02\x00\x01\x00"],
    ["several lengths", `${head}Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello${hidden}`],
    ["lengths that differ", `${head}Content-Length: 0\r\nContent-Length: 5\r\n\r\n${hidden}`],
    ["a list of lengths", `${head}Content-Length: 5, 5\r\n\r\nhello${hidden}`],
    ["an empty length", `${head}Content-Length:\r\n\r\n${hidden}`],
    ["a length with a sign", `${head}Content-Length: +5\r\n\r\nhello${hidden}`],
    ["a negative length", `${head}Content-Length: -5\r\n\r\nhello${hidden}`],
    ["a hexadecimal length", `${head}Content-Length: 0x5\r\n\r\nhello${hidden}`],
    ["a length with a space", `${head}Content-Length: 1 0\r\n\r\nhello${hidden}`],
    ["a length that is too large", `${head}Content-Length: 99999999999999999999\r\n\r\n${hidden}`],
    ["a length and chunks", `${head}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${hidden}`],
    ["chunks and a length", `${head}Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n${hidden}`],
    ["a coding that is not chunked", `${head}Transfer-Encoding: gzip\r\n\r\n${hidden}`],
    ["chunked that is not last", `${head}Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n${hidden}`],
    ["a coding that begins like chunked", `${head}Transfer-Encoding: chunkedx\r\n\r\n0\r\n\r\n${hidden}`],
    ["a coding and a tab", `${head}Transfer-Encoding: chunked\t\r\n\r\n0\r\n\r\n${hidden}`],
    ["a coding behind a vertical tab", `${head}Transfer-Encoding: \vchunked\r\n\r\n0\r\n\r\n${hidden}`],
    ["a size that is none", `${chunked}x\r\n\r\n${hidden}`],
    ["a size with 0x", `${chunked}0x5\r\nhello\r\n0\r\n\r\n${hidden}`],
    ["a size with a sign", `${chunked}+5\r\nhello\r\n0\r\n\r\n${hidden}`],
    ["a size with a space before it", `${chunked} 5\r\nhello\r\n0\r\n\r\n${hidden}`],
    ["a size with a space behind it", `${chunked}5 \r\nhello\r\n0\r\n\r\n${hidden}`],
    ["a size that ends in LF", `${chunked}5\nhello\r\n0\r\n\r\n${hidden}`],
    ["an extension that ends in LF", `${chunked}5;a\nhello\r\n0\r\n\r\n${hidden}`],
    ["a chunk that is longer than its size", `${chunked}4\r\nhello\r\n0\r\n\r\n${hidden}`],
    ["a chunk that ends in LF", `${chunked}5\r\nhello\n0\r\n\r\n${hidden}`],
    ["a chunk without an end", `${chunked}5\r\nhello0\r\n\r\n${hidden}`],
    ["a last chunk that ends in LF", `${chunked}0\r\n\n${hidden}`],
    ["a size that is too large", `${chunked}ffffffffffffffffff\r\nhello\r\n0\r\n\r\n${hidden}`],
    ["trailers that are none", `${chunked}0\r\nA B: c\r\n\r\n${hidden}`],
    ["a trailer that goes on", `${chunked}0\r\nA: b\r\n c\r\n\r\n${hidden}`],
    ["extensions without an end", `${chunked}1;${"x".repeat(40_000)}\r\na\r\n0\r\n\r\n${hidden}`],
    ["nothing but half a head", "GET / HTTP/1.1\r\nHost: x\r\n"],
    ["half a body", `${head}Content-Length: 50\r\n\r\nhello`],
    ["half a chunk", `${chunked}50\r\nhello`],
  ])("%s", async (_what, text) => {
    const seen = await both(text);
    expect(seen).toEqual({ ours: ["refused"], nodes: ["refused"] });
  });
});

describe("is refused here, though Node takes it:", () => {
  test.each([
    ["no version", "GET /\r\nHost: x\r\n\r\n"],
    ["another protocol", "GET / RTSP/1.1\r\nHost: x\r\n\r\n"],
    ["many extensions", `${chunked}${`1;${"x".repeat(1_000)}\r\na\r\n`.repeat(40)}0\r\n\r\n${hidden}`],
    ["several hosts", "GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n"],
    ["HTTP/0.9 with headers", "GET / HTTP/0.9\r\nHost: x\r\n\r\n"],
    ["HTTP/2.0 without its preface", "GET / HTTP/2.0\r\nHost: x\r\n\r\n"],
    ["several spaces", "GET  / HTTP/1.1\r\nHost: x\r\n\r\n"],
    ["LF before the request", "\nGET / HTTP/1.1\r\nHost: x\r\n\r\n"],
    ["a target of another scheme", "GET ftp://a/b HTTP/1.1\r\nHost: x\r\n\r\n"],
    ["a coding before chunked", `${head}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`],
    ["chunks in HTTP/1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"],
    ["a size of more digits than count exactly", `${chunked}00000000000005\r\nhello\r\n0\r\n\r\n`],
  ])("%s", async (_what, text) => {
    const seen = await both(text);
    expect(seen.ours).toEqual(["refused"]);
    expect(seen.nodes).not.toContain("refused");
  });

  test("what is too large in its headers, with 431", async () => {
    expect(await ask(ours.port, `GET / HTTP/1.1\r\nHost: x\r\nX: ${"x".repeat(33_000)}\r\n\r\n`)).toEqual(["431"]);
    expect(await ask(ours.port, `GET /${"x".repeat(33_000)} HTTP/1.1\r\nHost: x\r\n\r\n`)).toEqual(["431"]);
    expect(await ask(ours.port, `GET / HTTP/1.1\r\nHost: x\r\n${"X:\r\n".repeat(2_001)}\r\n`)).toEqual(["431"]);
  });

  test("CONNECT, where Node closes the connection", async () => {
    expect(await both("CONNECT a:1 HTTP/1.1\r\nHost: x\r\n\r\n")).toEqual({ ours: ["refused"], nodes: [] });
  });
});

const tokens = fc.constantFrom(
  "A",
  "a",
  "X-Amz-Date",
  "cookie",
  "Content-Type",
  "content-type",
  "Accept",
  "x!#$%&'*+.^_`|~9",
);
const values = fc.oneof(
  fc.constantFrom("", "a", "b c", "a, b", "é", "\t", "a: b; c=d"),
  fc.string({ maxLength: 12, unit: "grapheme-ascii" }),
);
const bytes = fc.string({
  maxLength: 40,
  unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)),
});
const chunksOf = (pieces: readonly string[], extension: string, trailer: string) =>
  `${pieces
    .filter((piece) => piece !== "")
    .map((piece) => `${piece.length.toString(16)}${extension}\r\n${piece}\r\n`)
    .join("")}0\r\n${trailer}\r\n`;
const bodies = fc.oneof(
  fc.constant(""),
  bytes.map((body) => `Content-Length: ${body.length}\r\n\r\n${body}`),
  fc
    .tuple(
      fc.array(bytes, { maxLength: 4 }),
      fc.constantFrom("", ";a", ";a=b", ';a="b"'),
      fc.constantFrom("", "T: v\r\n"),
    )
    .map(([pieces, extension, trailer]) => `Transfer-Encoding: chunked\r\n\r\n${chunksOf(pieces, extension, trailer)}`),
);
const requests = fc
  .record({
    method: fc.constantFrom("GET", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"),
    target: fc.constantFrom("/", "/a/b?c=d", "*", "/%20", "/a?b?c#d", "http://h/p"),
    headers: fc.array(fc.tuple(tokens, values), { maxLength: 6 }),
    body: bodies,
  })
  .map(
    ({ method, target, headers, body }) =>
      `${method} ${target} HTTP/1.1\r\nHost: x\r\n${headers.map(([name, value]) => `${name}: ${value}\r\n`).join("")}${body === "" ? "\r\n" : body}`,
  );
const cuts = fc.array(fc.integer({ min: 1, max: 400 }), { maxLength: 6 });

test("requests, cut anywhere, are what Node takes them for", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(requests, { minLength: 1, maxLength: 3 }), cuts, async (asked, at) => {
      const seen = await both(asked.join(""), at);
      expect(seen.ours).toEqual(seen.nodes);
      expect(seen.ours).toHaveLength(asked.length);
    }),
    { numRuns: 60 },
  );
});

test("requests that are changed anywhere are taken for what Node takes them for, or refused", async () => {
  const changes = fc.record({
    at: fc.nat({ max: 300 }),
    removed: fc.nat({ max: 2 }),
    added: fc.constantFrom(
      "",
      "\r",
      "\n",
      "\r\n",
      " ",
      "\t",
      ":",
      ",",
      "0",
      "\0",
      "\x7f",
      "\xff",
      "chunked",
      "\r\n\r\n",
    ),
  });
  await fc.assert(
    fc.asyncProperty(requests, changes, cuts, async (asked, { at, removed, added }, where) => {
      const text = asked.slice(0, at) + added + asked.slice(at + removed) + hidden;
      const seen = await both(text, where);
      const taken = seen.ours.filter((each) => each !== "refused");
      expect(seen.nodes.slice(0, taken.length)).toEqual(taken);
      // What was refused ends the connection.
      expect(seen.ours.indexOf("refused")).toBeOneOf([-1, seen.ours.length - 1]);
    }),
    { numRuns: 150 },
  );
});

test("bytes at random neither break the server nor are left without an end", async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), cuts, async (sent, at) => {
      const answered = await ask(ours.port, Buffer.from(sent).toString("latin1"), at);
      expect(answered.every((each) => each === "refused")).toBe(true);
    }),
    { numRuns: 60 },
  );
  expect((await ask(ours.port, hidden))[0]).toContain("/hidden");
});
