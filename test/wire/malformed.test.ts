import fc from "fast-check";
import { Agent, request as httpRequest } from "node:http";
import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { OperationModel, ProtocolName } from "../../src/wire/model.ts";
import { encodeCbor } from "../../src/wire/protocols/cbor.ts";
import { startEmptyPlatform, type FakePlatform } from "./fake-platform.ts";

/**
 * Nothing that a client sends may be answered with a 500, or break the listener. Each case is a request that is wrong
 * in one of many ways; those that happen to be right may succeed.
 */
const casesPerProtocol = 1_000;

const spoken: readonly (readonly [protocol: ProtocolName, service: string])[] = [
  ["json", "dynamodb"],
  ["json", "logs"],
  ["rest-json", "lambda"],
  ["rest-json", "apigateway"],
  ["rest-xml", "s3"],
  ["query", "iam"],
  ["query", "cloudformation"],
  ["smithy-rpc-v2-cbor", "cloudwatch"],
];

let platform: FakePlatform;
const agent = new Agent({ keepAlive: true, maxSockets: 4 });

beforeAll(async () => {
  platform = await startEmptyPlatform(spoken.map(([, service]) => service));
});

afterAll(async () => {
  agent.destroy();
  await platform.stop();
});

describe("malformed requests are the client's error", () => {
  for (const [protocol, service] of spoken) {
    test(`${service} over ${protocol}`, { timeout: 120_000 }, async () => {
      const { model } = await platform.models.load(service);
      // What streams events out has no empty answer.
      const operations = [...model.operations.values()].filter((operation) => !streamsEvents(operation));
      const signing = model.signingName;
      const wrong = fc.record({
        operation: fc.constantFrom(...operations),
        method: fc.oneof(
          { weight: 8, arbitrary: fc.constant(undefined) },
          { weight: 1, arbitrary: fc.constantFrom("PUT", "HEAD", "PATCH", "OPTIONS", "DELETE") },
        ),
        label: fc.oneof(
          fc.constant("a"),
          fc.string({ maxLength: 20 }).map(encodeLabel),
          fc.constant("%"),
          fc.constant("%ff%fe"),
        ),
        query: fc.oneof(
          fc.constant(""),
          fc.string({ maxLength: 40 }).map(encodeLabel),
          fc.constant("a=%&b"),
          queryOfNumbers,
        ),
        headers: fc.dictionary(
          fc.constantFrom(
            "content-type",
            "content-encoding",
            "x-amz-target",
            "x-amz-date",
            "if-match",
            "range",
            "x-amz-copy-source",
            "x-amz-meta-a",
            "x-amzn-trace-id",
            "content-md5",
            "x-amz-decoded-content-length",
            "x-amz-expected-bucket-owner",
            "x-amz-object-lock-retain-until-date",
          ),
          fc.string({ maxLength: 30 }).map(toHeader),
          { maxKeys: 2 },
        ),
        body: bodies(protocol, operations),
      });
      await fc.assert(
        fc.asyncProperty(wrong, async (each) => {
          const status = await send(protocol, signing, model.targetPrefix ?? "", model.apiVersion, each);
          expect(
            status === 200 || status === 201 || status === 202 || status === 204 || (status >= 400 && status < 500),
          ).toBe(true);
        }),
        { numRuns: casesPerProtocol, endOnFailure: true },
      );
      expect(platform.logged.splice(0)).toEqual([]);
    });
  }

  test("bytes that are no HTTP, huge headers and bad chunks", { timeout: 60_000 }, async () => {
    const raw = fc.oneof(
      fc
        .uint8Array({ minLength: 1, maxLength: 400 })
        .map((bytes) => Buffer.concat([Buffer.from(bytes), Buffer.from("\r\n\r\n")])),
      fc.string({ maxLength: 60 }).map((text) => Buffer.from(`GET /${text} HTTP/1.1\r\nhost: localhost\r\n\r\n`)),
      fc.string({ maxLength: 60 }).map((text) => Buffer.from(`GET / HTTP/1.1\r\nhost: ${text}\r\n\r\n`)),
      fc
        .integer({ min: 33_000, max: 120_000 })
        .map((size) => Buffer.from(`GET / HTTP/1.1\r\nhost: localhost\r\nx-long: ${"a".repeat(size)}\r\n\r\n`)),
      fc.string({ maxLength: 60 }).map((text) => Buffer.from(chunked(`${text}\r\n\r\n`))),
      fc.constant(Buffer.from(chunked("fffffffffffffffff\r\nabc\r\n"))),
      fc.constant(Buffer.from(chunked("5\r\nab\r\n0\r\n\r\n"))),
      fc.constant(
        Buffer.from("POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nabcdef"),
      ),
      fc.constant(
        Buffer.from(
          "POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        ),
      ),
      fc.constant(Buffer.from("POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: -1\r\n\r\n")),
    );
    await fc.assert(
      fc.asyncProperty(raw, async (bytes) => {
        const status = await sendRaw(bytes);
        // No answer at all is right where no request was ever made.
        expect(status === undefined || (status >= 200 && status < 500)).toBe(true);
      }),
      { numRuns: 300, endOnFailure: true },
    );
    expect(platform.logged.splice(0, 3)).toEqual([]);
    expect((await fetch(`${platform.endpoint}/_cumulet/health`)).status).toBe(200);
  });
});

function streamsEvents(operation: OperationModel): boolean {
  const shape =
    operation.output?.payload?.shape ??
    operation.output?.members.find((member) => member.shape.type === "structure" && member.shape.eventStream)?.shape;
  return shape?.type === "structure" && shape.eventStream;
}

interface Wrong {
  readonly operation: OperationModel;
  readonly method: string | undefined;
  readonly label: string;
  readonly query: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

const queryOfNumbers = fc
  .record({
    name: fc.constantFrom("MaxItems", "partNumber", "max-keys", "limit", "position", "uploadId", "versionId"),
    value: fc.constantFrom("x", "-1", "1e999", "99999999999999999999", "", "NaN"),
  })
  .map(({ name, value }) => `${name}=${value}`);

function encodeLabel(text: string): string {
  return encodeURIComponent(text.toWellFormed());
}

function toHeader(text: string): string {
  return text.replaceAll(/[^\x20-\x7e]/g, "?");
}

function chunked(body: string): string {
  return `PUT /b/k HTTP/1.1\r\nhost: s3.localhost\r\nauthorization: ${authorization("s3")}\r\ntransfer-encoding: chunked\r\n\r\n${body}`;
}

function authorization(service: string): string {
  return `AWS4-HMAC-SHA256 Credential=AKIA/20260101/us-east-1/${service}/aws4_request, SignedHeaders=host, Signature=0`;
}

/** Bodies: noise, nearly right documents with members of the operation's input, deep nests, cut ends. */
function bodies(protocol: ProtocolName, operations: readonly OperationModel[]): fc.Arbitrary<Uint8Array> {
  const names = [
    ...new Set(operations.flatMap((operation) => (operation.input?.members ?? []).map((member) => member.name))),
  ];
  const document = fc.dictionary(fc.constantFrom(...names, "__proto__", "x"), fc.jsonValue({ maxDepth: 4 }), {
    maxKeys: 6,
  });
  const toBytes = (value: unknown): Uint8Array => {
    if (protocol === "smithy-rpc-v2-cbor") return encodeCbor(value);
    if (protocol === "rest-xml") return Buffer.from(toXml("Root", value));
    if (protocol === "query") return Buffer.from(toForm(value));
    return Buffer.from(JSON.stringify(value));
  };
  const deep = protocol === "rest-xml" ? "<a>".repeat(5_000) : `{"Item":${'{"L":['.repeat(3_000)}`;
  return fc.oneof(
    { weight: 5, arbitrary: document.map(toBytes) },
    { weight: 2, arbitrary: fc.uint8Array({ maxLength: 200 }) },
    { weight: 1, arbitrary: fc.constant(Buffer.from(deep)) },
    {
      weight: 1,
      arbitrary: fc
        .constantFrom(
          "[]",
          "null",
          "1",
          '"',
          '{"a":',
          "<a",
          "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>",
          "a.1.b=1&a=2",
          "&&&=",
        )
        .map((text) => Buffer.from(text)),
    },
    {
      weight: 2,
      arbitrary: fc
        .tuple(document.map(toBytes), fc.nat(100))
        .map(([bytes, part]) => bytes.subarray(0, Math.floor((bytes.length * part) / 100))),
    },
  );
}

function toXml(name: string, value: unknown): string {
  const tag = /^\w+$/.test(name) ? name : "x";
  if (Array.isArray(value)) return `<${tag}>${value.map((item) => toXml("member", item)).join("")}</${tag}>`;
  if (typeof value === "object" && value !== null) {
    return `<${tag}>${Object.entries(value)
      .map(([key, item]) => toXml(key, item))
      .join("")}</${tag}>`;
  }
  return `<${tag}>${String(value).replaceAll("<", "&lt;")}</${tag}>`;
}

function toForm(value: unknown, prefix = ""): string {
  if (typeof value !== "object" || value === null) return `${encodeLabel(prefix)}=${encodeLabel(String(value))}`;
  return Object.entries(value)
    .map(([key, item]) =>
      toForm(item, prefix === "" ? key : `${prefix}.${Array.isArray(value) ? `member.${Number(key) + 1}` : key}`),
    )
    .join("&");
}

function send(protocol: ProtocolName, signing: string, prefix: string, version: string, each: Wrong): Promise<number> {
  const { operation } = each;
  const rest = protocol === "rest-json" || protocol === "rest-xml";
  const [template = "/", literal] = operation.uri.split("?");
  const path = rest
    ? `${template.replaceAll(/\{[^}]+\}/g, each.label === "" ? "a" : each.label)}?${[literal, each.query].filter(Boolean).join("&")}`
    : protocol === "smithy-rpc-v2-cbor"
      ? `/service/${prefix}/operation/${operation.name}`
      : `/?${each.query}`;
  const headers: Record<string, string> = {
    host: "localhost",
    authorization: authorization(signing),
    ...(protocol === "json" ? { "x-amz-target": `${prefix}.${operation.name}` } : {}),
    ...(protocol === "smithy-rpc-v2-cbor" ? { "smithy-protocol": "rpc-v2-cbor" } : {}),
    ...(protocol === "query" ? { "content-type": "application/x-www-form-urlencoded" } : {}),
    ...each.headers,
  };
  const method = each.method ?? operation.method;
  const body =
    protocol === "query"
      ? Buffer.concat([Buffer.from(`Action=${operation.name}&Version=${version}&`), each.body])
      : each.body;
  return new Promise((resolve, reject) => {
    const sent = httpRequest({ host: "127.0.0.1", port: platform.port, method, path, headers, agent }, (response) => {
      response.resume();
      response.on("end", () => resolve(response.statusCode ?? 0));
      response.on("error", reject);
    });
    sent.on("error", reject);
    if (method === "GET" || method === "HEAD") sent.end();
    else sent.end(body);
  });
}

function sendRaw(bytes: Uint8Array): Promise<number | undefined> {
  return new Promise((resolve) => {
    let text = "";
    const socket = connect(platform.port, "127.0.0.1");
    const finish = () => {
      socket.destroy();
      const match = /^HTTP\/1\.1 (\d{3})/.exec(text);
      resolve(match ? Number(match[1]) : undefined);
    };
    socket.on("data", (chunk) => {
      text += chunk.toString("latin1");
      if (text.includes("\r\n\r\n")) finish();
    });
    socket.on("error", finish);
    socket.on("close", finish);
    socket.end(bytes);
  });
}
