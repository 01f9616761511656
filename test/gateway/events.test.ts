import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type EchoingApis, type RawRequest, startEchoingApis } from "./echoing-apis.ts";

/**
 * What functions are told of a request, by each way to call them. Sources: "Lambda proxy integrations in API Gateway" and its
 * example of an input; "AWS Lambda integrations for HTTP APIs", which prints both formats and says how they differ; "Invoking
 * Lambda function URLs". Members as such are compared with AWS's published documents beside the code; here are their values.
 */
let apis: EchoingApis;
beforeAll(async () => {
  apis = await startEchoingApis();
}, 30_000);
afterAll(() => apis.stop());

type Members = Readonly<Record<string, unknown>>;

/** By each way, what the event has; `url` is as `http2` where it is not given, without the stage in paths. */
interface Row {
  readonly request: RawRequest;
  readonly rest?: Members;
  readonly http1?: Members;
  readonly http2?: Members;
  readonly url?: Members;
}

async function told(kind: "rest" | "http1" | "http2" | "url", request: RawRequest): Promise<Members> {
  const { status, event, text } = await apis.ask(kind, request);
  expect(status, text).toBe(200);
  const context = event?.["requestContext"];
  return { ...event, context };
}

async function expectRow({ request, ...expected }: Row): Promise<void> {
  for (const kind of ["rest", "http1", "http2", "url"] as const) {
    const members = expected[kind];
    if (members !== undefined) expect(await told(kind, request), kind).toMatchObject(members);
  }
}

/** REST APIs tell the path as sent and parameters decoded; HTTP APIs and URLs tell both decoded, with the stage where it has a name. */
describe("a path", () => {
  test.each([
    // as sent, decoded
    ["/a%20b/c+d", "/a b/c+d"],
    ["/a%2Fb", "/a/b"],
    ["/%C3%A9/%e2%82%ac", "/é/€"],
    ["/%F0%9F%98%80", "/😀"],
    ["/%zz/%", "/%zz/%"],
    ["/a;b=c,d@e:f!$&'()*~", "/a;b=c,d@e:f!$&'()*~"],
    ["/%25%32%46", "/%2F"],
    ["/a/../b", "/a/../b"],
  ])("%s", async (sent, decoded) => {
    const proxy = decoded.slice(1);
    await expectRow({
      request: { target: sent },
      rest: {
        resource: "/{proxy+}",
        path: sent,
        pathParameters: { proxy },
        context: { path: `/prod${sent}`, resourcePath: "/{proxy+}", stage: "prod" },
      },
      http1: {
        resource: "/{proxy+}",
        path: `/prod${decoded}`,
        pathParameters: { proxy },
        context: { path: `/prod${decoded}`, resourcePath: "/{proxy+}", stage: "prod" },
      },
      http2: {
        routeKey: "ANY /{proxy+}",
        rawPath: `/prod${decoded}`,
        pathParameters: { proxy },
        context: { http: { path: `/prod${decoded}` }, routeKey: "ANY /{proxy+}", stage: "prod" },
      },
      url: {
        routeKey: "$default",
        rawPath: decoded,
        context: { http: { path: decoded }, routeKey: "$default", stage: "$default" },
      },
    });
  });

  test("with a slash at its end: one resource of a REST API, another value of an HTTP API's variable", () =>
    expectRow({
      request: { target: "/a/" },
      rest: { path: "/a/", pathParameters: { proxy: "a" } },
      http1: { path: "/prod/a/", pathParameters: { proxy: "a/" } },
      http2: { rawPath: "/prod/a/", pathParameters: { proxy: "a/" } },
      url: { rawPath: "/a/" },
    }));

  test("with slashes at its beginning keeps them", () =>
    expectRow({
      request: { target: "//a//b" },
      http1: { path: "/prod//a//b", resource: "$default" },
      http2: { rawPath: "/prod//a//b", routeKey: "$default" },
      url: { rawPath: "//a//b" },
    }));

  test("that is empty is /", async () => {
    await expectRow({
      request: { target: "/" },
      rest: { path: "/", resource: "/", pathParameters: null, context: { path: "/prod/" } },
      http1: { path: "/prod/", resource: "$default", pathParameters: null },
      http2: { rawPath: "/prod/", routeKey: "$default" },
      url: { rawPath: "/" },
    });
    expect(await told("http2", { target: "/" })).not.toHaveProperty("pathParameters");
  });
});

/** Format 1.0 has the last value and all of them, decoded; 2.0 joins them by commas and tells the query string as sent. */
describe("a query string", () => {
  test.each<[string, string, Readonly<Record<string, readonly string[]>>]>([
    ["decoded, plus signs too", "x=a%20b&y=a+b&z=a%2Bb", { x: ["a b"], y: ["a b"], z: ["a+b"] }],
    ["repeated", "x=1&y=3&x=2", { x: ["1", "2"], y: ["3"] }],
    ["without values", "x&y=&z", { x: [""], y: [""], z: [""] }],
    ["not ASCII", "%C3%A9=%e2%82%ac", { é: ["€"] }],
    ["with names of members of every object", "constructor=2&toString=3", { constructor: ["2"], toString: ["3"] }],
    ["with commas and equals signs", "x=a,b&y=c=d", { x: ["a,b"], y: ["c=d"] }],
  ])("%s: ?%s", async (_name, query, values) => {
    const every = Object.entries(values);
    const last = Object.fromEntries(every.map(([name, all]) => [name, all.at(-1)]));
    const joined = Object.fromEntries(every.map(([name, all]) => [name, all.join(",")]));
    const format1 = { queryStringParameters: last, multiValueQueryStringParameters: values };
    const format2 = { rawQueryString: query, queryStringParameters: joined };
    await expectRow({
      request: { target: `/a?${query}` },
      rest: format1,
      http1: format1,
      http2: format2,
      url: format2,
    });
  });

  test("that is not there or empty is null in format 1.0, and empty and absent in 2.0", async () => {
    for (const target of ["/a", "/a?"]) {
      const none = { queryStringParameters: null, multiValueQueryStringParameters: null };
      await expectRow({ request: { target }, rest: none, http1: none, http2: { rawQueryString: "" } });
      expect(await told("http2", { target })).not.toHaveProperty("queryStringParameters");
    }
  });
});

/** "AWS Lambda integrations for HTTP APIs": 2.0 has no multiValueHeaders, duplicate headers are joined by commas, cookies apart. */
describe("headers", () => {
  test("that come twice: the last and all in format 1.0, joined in 2.0, where names are in lower case", () =>
    expectRow({
      request: { target: "/a", headers: ["X-Own: 1", "x-own: 2", "X-Empty: "] },
      rest: { headers: { "X-Own": "2", "X-Empty": "" }, multiValueHeaders: { "X-Own": ["1", "2"], "X-Empty": [""] } },
      http1: { headers: { "X-Own": "2", "X-Empty": "" }, multiValueHeaders: { "X-Own": ["1", "2"], "X-Empty": [""] } },
      http2: { headers: { "x-own": "1,2", "x-empty": "" } },
      url: { headers: { "x-own": "1,2", "x-empty": "" } },
    }));

  test("with cookies: headers in format 1.0, a list in 2.0", async () => {
    const request = { target: "/a", headers: ["Cookie: a=1; b=2", "cookie: c=3"] };
    await expectRow({
      request,
      rest: { multiValueHeaders: { Cookie: ["a=1; b=2", "c=3"] } },
      http1: { multiValueHeaders: { Cookie: ["a=1; b=2", "c=3"] } },
      http2: { cookies: ["a=1", "b=2", "c=3"] },
      url: { cookies: ["a=1", "b=2", "c=3"] },
    });
    expect((await told("http2", { target: "/a" }))["cookies"]).toBeUndefined();
  });

  test("that are of the connection alone do not reach functions", async () => {
    const headers = ["Keep-Alive: 5", "Proxy-Connection: x", "TE: trailers", "Connection: x-mine", "X-Mine: 1"];
    for (const kind of ["rest", "http1", "http2", "url"] as const) {
      const event = await told(kind, { target: "/a", headers });
      const names = Object.keys(Object(event["headers"])).map((name) => name.toLowerCase());
      expect(names, kind).not.toContain("connection");
      expect(names, kind).not.toContain("keep-alive");
      expect(names, kind).toContain("x-mine");
    }
  });

  test("of the client's address: the gateway adds its own to what proxies said, and believes none of it", () =>
    expectRow({
      request: {
        target: "/a",
        headers: ["X-Forwarded-For: 192.0.2.7", "X-Forwarded-Proto: https", "X-Forwarded-Port: 1"],
      },
      rest: {
        headers: { "X-Forwarded-For": "192.0.2.7, 127.0.0.1", "X-Forwarded-Proto": "http" },
        context: { identity: { sourceIp: "127.0.0.1" } },
      },
      http1: {
        headers: { "X-Forwarded-For": "192.0.2.7, 127.0.0.1", "X-Forwarded-Proto": "http" },
        context: { identity: { sourceIp: "127.0.0.1" } },
      },
      http2: {
        headers: { "x-forwarded-for": "192.0.2.7, 127.0.0.1", "x-forwarded-proto": "http" },
        context: { http: { sourceIp: "127.0.0.1" } },
      },
      url: { context: { http: { sourceIp: "127.0.0.1" } } },
    }));

  test("of the client's program", async () => {
    const request = { target: "/a", headers: ["User-Agent: Mozilla/5.0 (é)"] };
    for (const kind of ["rest", "http1"] as const) {
      expect(await told(kind, request)).toMatchObject({ context: { identity: { userAgent: "Mozilla/5.0 (é)" } } });
    }
    expect(await told("http2", request)).toMatchObject({ context: { http: { userAgent: "Mozilla/5.0 (é)" } } });
    expect(await told("rest", { target: "/a" })).toMatchObject({ context: { identity: { userAgent: null } } });
  });
});

const text = (body: string) => ({ body, isBase64Encoded: false });
const binary = (body: string) => ({ body: Buffer.from(body, "latin1").toString("base64"), isBase64Encoded: true });

/**
 * REST APIs: base 64 for binary media types alone ("Working with binary media types for REST APIs"). HTTP APIs and URLs: text for
 * text types, and base 64 for all others, forms among them.
 */
describe("a body", () => {
  test.each<[string, string, Members, Members]>([
    // content type, body, behind a REST API with image/*, behind HTTP APIs and URLs
    ["application/json", `{"a":1}`, text(`{"a":1}`), text(`{"a":1}`)],
    ["application/json; charset=utf-8", `{}`, text(`{}`), text(`{}`)],
    ["application/vnd.api+json", "{}", text("{}"), text("{}")],
    ["text/plain", "hé", text("hé"), text("hé")],
    ["application/xml", "<a/>", text("<a/>"), text("<a/>")],
    ["application/javascript", "a()", text("a()"), text("a()")],
    ["application/x-www-form-urlencoded", "a=1&b=%20", text("a=1&b=%20"), binary("a=1&b=%20")],
    ["image/png", "\u0000\u00ff", binary("\u0000\u00ff"), binary("\u0000\u00ff")],
    ["IMAGE/PNG", "\u0000\u00ff", binary("\u0000\u00ff"), binary("\u0000\u00ff")],
    ["application/octet-stream", "abc", text("abc"), binary("abc")],
  ])("of type %s", async (type, body, rest, http) => {
    const bytes = body === "hé" ? "h\u00c3\u00a9" : body;
    const request = { verb: "POST", target: "/a", headers: [`Content-Type: ${type}`], body: bytes };
    await expectRow({ request, rest, http1: http, http2: http, url: http });
  });

  test("without a type is text behind a REST API, and base 64 elsewhere", () =>
    expectRow({
      request: { verb: "POST", target: "/a", body: "hi" },
      rest: text("hi"),
      http1: binary("hi"),
      http2: binary("hi"),
      url: binary("hi"),
    }));

  test("in chunks is whole, and its length is told behind HTTP APIs", () =>
    expectRow({
      request: {
        verb: "POST",
        target: "/a",
        headers: ["Transfer-Encoding: chunked", "Content-Type: text/plain"],
        body: "2\r\nhi\r\n4\r\n all\r\n0\r\n\r\n",
      },
      rest: text("hi all"),
      http1: { ...text("hi all"), headers: { "Content-Length": "6" } },
      http2: { ...text("hi all"), headers: { "content-length": "6" } },
      url: { ...text("hi all"), headers: { "content-length": "6" } },
    }));

  test("that is empty is null in format 1.0, and absent in 2.0", async () => {
    const headers = ["Content-Length: 0", "Content-Type: application/json"];
    const request = { verb: "POST", target: "/a", headers };
    const none = { body: null, isBase64Encoded: false };
    await expectRow({
      request,
      rest: none,
      http1: none,
      http2: { isBase64Encoded: false },
      url: { isBase64Encoded: false },
    });
    for (const kind of ["http2", "url"] as const) expect(await told(kind, request)).not.toHaveProperty("body");
  });
});

test("stage variables, methods and addresses are told by each in its place", () =>
  expectRow({
    request: { verb: "PATCH", target: "/a" },
    rest: {
      httpMethod: "PATCH",
      stageVariables: { color: "blue" },
      context: { httpMethod: "PATCH", apiId: apis.restApiId, accountId: "000000000000", protocol: "HTTP/1.1" },
    },
    http1: { version: "1.0", httpMethod: "PATCH", stageVariables: { color: "blue" }, context: { httpMethod: "PATCH" } },
    http2: {
      version: "2.0",
      stageVariables: { color: "blue" },
      context: { http: { method: "PATCH", protocol: "HTTP/1.1" } },
    },
    url: { version: "2.0", context: { http: { method: "PATCH" }, accountId: "anonymous" } },
  }));
