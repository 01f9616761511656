import fc from "fast-check";

/** What a client writes on one connection, and how it goes on. */
export interface RawConversation {
  /** Byte for byte, as latin1. */
  readonly bytes: string;
  /** How the client ends: with its half closed, by waiting for answers, or by breaking off at once. */
  readonly ending: "half-close" | "wait" | "destroy";
  /** Whether everything that was begun is there: then there must be an answer. */
  readonly isWhole: boolean;
  readonly requests: readonly { readonly verb: string; readonly target: string }[];
}

/** Where requests go: paths of stages that are there, as `/_cumulet/api/ID/prod`, and hosts. */
interface RawTargets {
  readonly bases: readonly string[];
  readonly paths: readonly string[];
  /** Paths with whatever is below them. */
  readonly openPaths: readonly string[];
  readonly hosts: readonly string[];
  readonly secrets: readonly string[];
}

const token = fc.string({ unit: fc.constantFrom(..."abcXYZ09-_!#$%&'*+.^`|~"), minLength: 1, maxLength: 12 });
const anyByte = fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code));
const fieldByte = fc.integer({ min: 0x20, max: 0xff }).map((code) => String.fromCharCode(code));

const segment = fc.oneof(
  fc.constantFrom(
    "a", "%2F", "%2f..%2f", "%zz", "%", "%00", "+", "a+b", "a%20b", "%C3%A9", "%ff", "..", ".", "", "a;b=c", "{id}",
    "$default", "@connections", "~", "'", "%25", "%0d%0aX-Injected:%20yes", "*", ":", "a=b", "\u00e9", "a|b", "[x]",
  ), // prettier-ignore
  fc.string({ unit: fc.constantFrom(...'ab/%2F?&=+"\\<>{}$@:;,.~'), maxLength: 12 }),
  fc.constant("x".repeat(3_000)),
);
const query = fc.oneof(
  { weight: 3, arbitrary: fc.constant("") },
  {
    weight: 2,
    arbitrary: fc
      .array(fc.tuple(fc.constantFrom("q", "who", "a", "__proto__", "%zz", "a[]", ""), segment), { maxLength: 6 })
      .map((pairs) => `?${pairs.map(([name, value]) => `${name}=${value}`).join("&")}`),
  },
  {
    weight: 1,
    arbitrary: fc.string({ unit: fc.constantFrom(..."a&=+%?#/;"), maxLength: 30 }).map((text) => `?${text}`),
  },
);

const jsonBody = fc.oneof(
  fc.json({ maxDepth: 3 }),
  fc.constantFrom(
    `{"a":"abc","list":[1,null]}`, `{"a":"ABC"}`, `{"a":1e400}`, `{"__proto__":{"a":1}}`, `[`, `"`, `{"a":"\\ud800"}`, "nul",
    `{"statusCode":200,"headers":{"a\\r\\nb":"c\\r\\nd"},"body":"x"}`, `{"statusCode":99}`, `{"statusCode":"204","body":"x"}`,
    `{"statusCode":200,"multiValueHeaders":{"x":[1,null,"\u00e9"]},"isBase64Encoded":true,"body":"@@"}`,
    `{"statusCode":304,"headers":{"content-length":"999","transfer-encoding":"chunked","connection":"close"},"body":"xyz"}`,
    `{"statusCode":200,"cookies":["a=b\\r\\nx: y", 1],"body":{}}`, `{"a":${"[".repeat(2_000)}${"]".repeat(2_000)}}`,
  ), // prettier-ignore
);
const body = fc.oneof(
  { weight: 3, arbitrary: jsonBody },
  { weight: 1, arbitrary: fc.string({ unit: anyByte, maxLength: 200 }) },
  { weight: 1, arbitrary: fc.constant("GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n") },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 60_000 }).map((length) => "y".repeat(length)) },
);

/** Headers by name with values that mean something to somebody, and some that mean nothing. */
function headersOf(secrets: readonly string[]) {
  const secret = fc.constantFrom(...secrets, "x", "bad", "nobody", "");
  const named: Readonly<Record<string, fc.Arbitrary<string>>> = {
    "Content-Type": fc.constantFrom(
      "application/json", "text/plain", "image/png", "application/x-www-form-urlencoded", "multipart/form-data", ";", "",
      "application/json; charset=utf-16", "application/octet-stream", "a/b/c", "\u00ff",
    ), // prettier-ignore
    Accept: fc.constantFrom("*/*", "image/png", "application/json, text/plain", "text/plain;q=0", ",", "image/*", ""),
    "Accept-Encoding": fc.constantFrom("gzip", "identity;q=0", "br, *;q=0", ";;;"),
    Authorization: fc.oneof(
      secret,
      secret.map((value) => `Bearer ${value}`),
      fc.constantFrom(
        "AWS4-HMAC-SHA256 Credential=a/20261122/us-east-1/execute-api/aws4_request, SignedHeaders=host, Signature=x",
        "AWS4-HMAC-SHA256 ",
        "Basic !!!",
        "Bearer",
        `Bearer ${"eyJ".repeat(3_000)}`,
      ),
    ),
    "x-api-key": secret,
    who: secret,
    Cookie: fc.constantFrom("a=b", "a=b; c=d; a=e", ";;;", "=", "\u00e9=\u00e9"),
    Origin: fc.constantFrom("https://a.example", "null", "*", "https://evil.example\u00ff"),
    "Access-Control-Request-Method": fc.constantFrom("GET", "", "GET, POST", "x y"),
    "Access-Control-Request-Headers": fc.constantFrom("x-b", "*", ",,"),
    "Cache-Control": fc.constantFrom("max-age=0", "no-cache", "max-age=-1, =,"),
    "X-Amzn-Trace-Id": fc.constantFrom(
      "Root=1-67891233-abcdef012345678912345678",
      "Root=\u00e9",
      "=;=",
      "Self=1;Root=",
    ),
    "X-Forwarded-For": fc.constantFrom("1.2.3.4, 5.6.7.8", "unknown", "::1", ",,,"),
    "X-Forwarded-Proto": fc.constantFrom("https", "javascript"),
    "X-Amz-Security-Token": secret,
    "X-Amz-Date": fc.constantFrom("20261122T000000Z", "never"),
    "X-B": fc.string({ unit: fieldByte, maxLength: 30 }),
    "User-Agent": fc.string({ unit: fieldByte, maxLength: 30 }),
    Expect: fc.constant("100-continue"),
    Connection: fc.constantFrom("close", "keep-alive", "upgrade", "x-b, content-type", "Upgrade, HTTP2-Settings"),
    Upgrade: fc.constantFrom("websocket", "h2c", "TLS/1.0"),
    "Sec-WebSocket-Key": fc.constantFrom("AAAAAAAAAAAAAAAAAAAAAA==", "x"),
    "Sec-WebSocket-Version": fc.constantFrom("13", "12"),
    TE: fc.constantFrom("trailers", "gzip"),
    Range: fc.constant("bytes=0-0"),
    "If-None-Match": fc.constant("*"),
    "Content-Encoding": fc.constantFrom("gzip", "deflate", "x"),
    "X-Large": fc.constantFrom("z", "z".repeat(9_000)),
  };
  const meant = fc
    .constantFrom(...Object.entries(named))
    .chain(([name, values]) => values.map((value) => `${name}: ${value}`));
  const odd = fc.oneof(
    fc.tuple(token, fc.string({ unit: fieldByte, maxLength: 40 })).map(([name, value]) => `${name}: ${value}`),
    fc.constantFrom(
      "X-Folded: a\r\n  b", "X-Tab:\ta", "No-Colon", ": no name", "Bad Name: x", "X-Nul: a\0b", "X-Cr: a\rb", "X-Space : a",
      `X-Huge: ${"z".repeat(40_000)}`, "__proto__: x", "constructor: y", "Host: twice.example", "\u00e9: x",
    ), // prettier-ignore
    fc.string({ unit: anyByte, maxLength: 30 }),
  );
  return fc.array(fc.oneof({ weight: 30, arbitrary: meant }, { weight: 1, arbitrary: odd }), { maxLength: 7 });
}

/** How a body is announced, and whether it is what it was announced as. */
const framing = fc.oneof(
  { weight: 4, arbitrary: fc.constant("none") },
  { weight: 6, arbitrary: fc.constant("length") },
  { weight: 3, arbitrary: fc.constant("chunked") },
  {
    weight: 3,
    arbitrary: fc.constantFrom(
      "trailers", "length-in-trailers", "too-short", "too-long", "both", "two-lengths", "same-lengths", "chunked-twice", "identity", "bad-size", "huge-size",
      "negative", "plus", "hex", "chunk-extension", "no-end", "obscured", "lf-only",
    ), // prettier-ignore
  },
);

function chunked(content: string, trailers = ""): string {
  const chunk = content === "" ? "" : `${content.length.toString(16)}\r\n${content}\r\n`;
  return `${chunk}0\r\n${trailers}\r\n`;
}

/** Headers that announce a body, and what follows them. */
function frame(kind: string, content: string): { readonly headers: string; readonly body: string } {
  const length = content.length;
  const transfer = "Transfer-Encoding: chunked\r\n";
  switch (kind) {
    case "length":
      return { headers: `Content-Length: ${length}\r\n`, body: content };
    case "chunked":
      return { headers: transfer, body: chunked(content) };
    case "trailers":
      return {
        headers: `${transfer}Trailer: x-b\r\n`,
        body: chunked(content, "X-B: trailing\r\n"),
      };
    case "length-in-trailers":
      return { headers: transfer, body: chunked(content, "Content-Length: 5\r\n") };
    case "too-short":
      return { headers: `Content-Length: ${length + 10}\r\n`, body: content };
    case "too-long":
      return { headers: `Content-Length: ${Math.floor(length / 2)}\r\n`, body: content };
    case "both":
      return { headers: `Content-Length: ${length}\r\n${transfer}`, body: chunked(content) };
    case "two-lengths":
      return { headers: `Content-Length: ${length}\r\nContent-Length: 0\r\n`, body: content };
    case "same-lengths":
      return { headers: `Content-Length: ${length}, ${length}\r\n`, body: content };
    case "chunked-twice":
      return { headers: "Transfer-Encoding: chunked, chunked\r\n", body: chunked(content) };
    case "identity":
      return { headers: `Transfer-Encoding: identity\r\nContent-Length: ${length}\r\n`, body: content };
    case "bad-size":
      return { headers: transfer, body: `zz\r\n${content}\r\n0\r\n\r\n` };
    case "huge-size":
      return { headers: transfer, body: `fffffffffffffffff\r\n${content}` };
    case "negative":
      return { headers: "Content-Length: -1\r\n", body: content };
    case "plus":
      return { headers: `Content-Length: +${length}\r\n`, body: content };
    case "hex":
      return { headers: "Content-Length: 0x10\r\n", body: content };
    case "chunk-extension":
      return { headers: transfer, body: `${length.toString(16)};${"e".repeat(20_000)}\r\n${content}\r\n0\r\n\r\n` };
    case "no-end":
      return { headers: transfer, body: `${length.toString(16)}\r\n${content}\r\n` };
    case "obscured":
      return { headers: `Transfer-Encoding:\x0bchunked\r\nContent-Length: ${length}\r\n`, body: content };
    case "lf-only":
      return { headers: `Content-Length: ${length}\n`, body: content };
    default:
      return { headers: "", body: "" };
  }
}

const wholeFramings = new Set(["none", "length", "chunked", "trailers"]);

/** Conversations of one to three requests, most of them of a form that reaches a route. */
export function rawConversations(targets: RawTargets): fc.Arbitrary<RawConversation> {
  const path = fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(...targets.paths) },
    {
      weight: 4,
      arbitrary: fc
        .tuple(fc.constantFrom(...targets.openPaths), fc.array(segment, { minLength: 1, maxLength: 3 }))
        .map(([known, more]) => `${known}/${more.join("/")}`),
    },
    { weight: 1, arbitrary: fc.array(segment, { maxLength: 4 }).map((parts) => `/${parts.join("/")}`) },
  );
  const method = fc.oneof(
    { weight: 8, arbitrary: fc.constantFrom("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD") },
    { weight: 1, arbitrary: fc.constantFrom("get", "QUERY", "PROPFIND", "CONNECT", "TRACE", "PRI", "G\u00e9T", "") },
  );
  const address = fc.oneof(
    {
      weight: 6,
      arbitrary: fc
        .tuple(fc.constantFrom(...targets.bases), path)
        .map(([base, rest]) => ["127.0.0.1", `${base}${rest}`]),
    },
    {
      weight: 2,
      arbitrary: fc.tuple(
        fc.constantFrom(...targets.hosts),
        path.map((rest) => `/prod${rest}`),
      ),
    },
    {
      weight: 1,
      arbitrary: fc.constantFrom(
        ["127.0.0.1", "*"], ["", "/"], ["x".repeat(300), "/"], ["127.0.0.1", "http://127.0.0.1/_cumulet/api/none/x"],
        ["a\u00e9.localhost", "/"], ["[::1", "/x"], ["..execute-api.us-east-1.localhost", "/x"], ["127.0.0.1", "//evil.example/x"],
      ), // prettier-ignore
    },
  );
  const request = fc
    .tuple(method, address, query, headersOf(targets.secrets), framing, body)
    .map(([verb, [host = "", target = ""], search, headers, kind, content]) => {
      const framed = frame(kind, content);
      const lines = headers.map((header) => `${header}\r\n`).join("");
      return {
        verb,
        target,
        text: `${verb} ${target}${search} HTTP/1.1\r\nHost: ${host}\r\n${lines}${framed.headers}\r\n${framed.body}`,
        isWhole: wholeFramings.has(kind) && verb !== "CONNECT",
        /** Node reads no further in what came with a request that offers another protocol: what follows is lost. */
        isLast: lines.includes("\nUpgrade:") || lines.startsWith("Upgrade:"),
      };
    });
  return fc
    .tuple(
      fc.array(request, { minLength: 1, maxLength: 3 }),
      fc.oneof(
        { weight: 5, arbitrary: fc.constant("wait" as const) },
        { weight: 4, arbitrary: fc.constant("half-close" as const) },
        { weight: 1, arbitrary: fc.constant("destroy" as const) },
      ),
    )
    .map(([several, ending]) => {
      const last = several.findIndex(({ isLast }) => isLast);
      return { ending, requests: last === -1 ? several : several.slice(0, last + 1) };
    })
    .map(({ requests, ending }) => ({
      bytes: requests.map(({ text }) => text).join(""),
      ending,
      isWhole: requests.every(({ isWhole }) => isWhole),
      requests,
    }));
}
