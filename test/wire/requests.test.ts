import { describe, expect, test } from "vitest";
import { parseContentEncoding } from "../../src/wire/content-encoding.ts";
import { createRouter } from "../../src/wire/routes.ts";
import { parseQuery } from "../../src/wire/protocols/rest-bindings.ts";
import { createProtocol } from "../../src/wire/protocols/protocols.ts";
import type { OperationModel, ProtocolName } from "../../src/wire/model.ts";
import {
  hasConformanceData,
  linkSuite,
  readSuites,
  toModelValue,
  type ProtocolCase,
  type Suite,
} from "./conformance-data.ts";

const files: Readonly<Record<string, ProtocolName>> = {
  "input-json": "json",
  "input-json_1_0": "json",
  "input-json_1_0-query-compatible": "json",
  "input-query": "query",
  "input-rest-json": "rest-json",
  "input-rest-xml": "rest-xml",
  "input-smithy-rpc-v2-cbor": "smithy-rpc-v2-cbor",
  "input-smithy-rpc-v2-cbor-query-compatible": "smithy-rpc-v2-cbor",
  "input-smithy-rpc-v2-cbor-non-query-compatible": "smithy-rpc-v2-cbor",
};

/** Where clients leave out what a server then cannot read: what it reads instead. */
const readable: Readonly<Record<string, Record<string, unknown>>> = {
  // An empty map or list has no form in a query.
  QueryEmptyQueryMaps: {},
  RestJsonOmitsEmptyListQueryValues: {},
  // A parameter that another member is bound to wins over the map's of the same name, on the client.
  RestJsonQueryPrecedence: { foo: "named", baz: { bar: "named", qux: "alsoFromMap" } },
  RestXmlQueryPrecedence: { foo: "named", baz: { bar: "named", qux: "alsoFromMap" } },
  // An absent structure payload is sent as an empty one.
  RestJsonHttpWithEmptyStructurePayload: { payloadConfig: {} },
  RestJsonHttpWithHeadersButNoPayload: { testId: "t-12345", payloadConfig: {} },
};

/** What SDKs fill in for an absent idempotency token, in these tests. */
const fixedToken = "00000000-0000-4000-8000-000000000000";

describe.skipIf(!hasConformanceData)("AWS's protocol tests: what clients send is what operations receive", () => {
  if (!hasConformanceData) return;
  for (const [file, protocol] of Object.entries(files)) {
    describe(file, () => {
      for (const suite of readSuites(file)) {
        for (const each of suite.cases) {
          test(each.id, async () => {
            await check(suite, each, protocol);
          });
        }
      }
    });
  }
});

async function check(suite: Suite, each: ProtocolCase, name: ProtocolName): Promise<void> {
  const model = linkSuite(suite, each.given);
  const operation = model.operations.get(each.given.name);
  const sent = each.serialized;
  if (!operation || !sent) throw new Error("The case has no operation or request");
  // A base path is the endpoint's: clients put it before the operation's.
  const basePath = /^[^/]*(\/.*)$/.exec(sent.host ?? "")?.[1] ?? "";
  const [path = "/", query = ""] = sent.uri.slice(basePath.length).split("?");
  const headers = Object.fromEntries(
    Object.entries(sent.headers ?? {}).map(([key, value]) => [key.toLowerCase(), value]),
  );
  const encoding = parseContentEncoding(headers["content-encoding"], false);
  if (encoding.rest === undefined) delete headers["content-encoding"];
  else headers["content-encoding"] = encoding.rest;
  if (name === "rest-json" || name === "rest-xml") {
    expect(createRouter(model).match(sent.method, path, parseQuery(query), headers)?.name).toBe(operation.name);
  }
  // The cases of compression give no body: any form of the parameters will do.
  const text = sent.body ?? (encoding.gzip ? toBodyText(name, each.params ?? {}) : "");
  const body = Buffer.from(text, name === "smithy-rpc-v2-cbor" ? "base64" : "utf8");
  const input = createProtocol(name, model).parse(operation, { method: sent.method, path, query, headers, body });
  const params = readable[each.id] ?? each.params ?? {};
  const token = operation.input?.members.find((member) => member.idempotencyToken);
  const filled =
    token && params[token.name] === undefined && JSON.stringify(sent).includes(fixedToken)
      ? { [token.name]: fixedToken }
      : {};
  const wanted = operation.input ? toModelValue(operation.input, { ...params, ...filled }) : {};
  expect(withoutBound(operation, await settle(input))).toEqual(
    withoutBound(operation, await settle(withoutNulls(wanted))),
  );
}

/**
 * A map of all parameters has those of other members as well on a server; some cases list them, some do not. They are
 * left out of both sides.
 */
function withoutBound(operation: OperationModel, input: unknown): unknown {
  const members = operation.input?.members.filter((member) => member.location === "querystring") ?? [];
  const map = members.find((member) => member.shape.type === "map");
  if (!map || typeof input !== "object" || input === null) return input;
  const bound = new Set(members.map((member) => member.locationName ?? member.name));
  const all = Object.entries(input);
  const kept = all.flatMap(([name, value]) => {
    if (name !== map.name || typeof value !== "object" || value === null) return [[name, value] as const];
    const others = Object.entries(value).filter(([key]) => !bound.has(key));
    return others.length > 0 ? [[name, Object.fromEntries(others)] as const] : [];
  });
  return Object.fromEntries(kept);
}

function toBodyText(protocol: ProtocolName, params: Record<string, unknown>): string {
  if (protocol === "query")
    return new URLSearchParams(Object.entries(params).map(([key, value]) => [key, String(value)])).toString();
  if (protocol === "rest-xml") return `<Input><data>${String(params["data"])}</data></Input>`;
  return JSON.stringify(params);
}

/** Streams as bytes, bytes as plain arrays. */
async function settle(value: unknown): Promise<unknown> {
  if (value instanceof Uint8Array) return Buffer.from(value).toString("latin1");
  if (value instanceof Date || typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return await Promise.all(value.map(settle));
  if (Symbol.asyncIterator in value) {
    const chunks: Uint8Array[] = [];
    for await (const chunk of value as AsyncIterable<Uint8Array>) chunks.push(chunk);
    return Buffer.concat(chunks).toString("latin1");
  }
  const entries = await Promise.all(
    Object.entries(value).map(async ([key, item]) => [key, await settle(item)] as const),
  );
  return Object.fromEntries(entries);
}

/** A member that is null is a member that is not sent. */
function withoutNulls(value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value) || value instanceof Date) return value;
  return Object.fromEntries(Object.entries(value).filter(([, item]) => item !== null));
}
