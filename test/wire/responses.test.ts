import { describe, expect, test } from "vitest";
import type { ProtocolName } from "../../src/wire/model.ts";
import { decodeCbor } from "../../src/wire/protocols/cbor.ts";
import { parseXml, type XmlNode } from "../../src/wire/protocols/xml.ts";
import {
  encodeCase,
  hasConformanceData,
  linkSuite,
  readSuites,
  responseFiles,
  toBytes,
  type ProtocolCase,
  type Suite,
} from "./conformance-data.ts";
import { borne, known } from "./response-exceptions.ts";

describe.skipIf(!hasConformanceData)("AWS's protocol tests: what operations answer is what clients expect", () => {
  if (!hasConformanceData) return;

  test("every case is compared here, or read by botocore, or both", () => {
    const ids = Object.keys(responseFiles).flatMap((file) =>
      readSuites(file).flatMap((suite) => suite.cases.map(({ id }) => id)),
    );
    expect(ids.length).toBeGreaterThan(300);
    expect(ids.filter((id) => known[id] !== undefined && borne.some(([pattern]) => pattern.test(id)))).toEqual([]);
  });

  for (const [file, protocol] of Object.entries(responseFiles)) {
    describe(file, () => {
      for (const suite of readSuites(file)) {
        for (const each of suite.cases) {
          const reason = borne.find(([ids]) => ids.test(each.id))?.[1];
          test.skipIf(reason !== undefined)(reason === undefined ? each.id : `${each.id}: ${reason}`, async () => {
            await check(suite, each, protocol);
          });
        }
      }
    });
  }
});

async function check(suite: Suite, each: ProtocolCase, name: ProtocolName): Promise<void> {
  const model = linkSuite(suite, each.given);
  const wanted = each.response;
  if (!wanted) throw new Error("The case has no response");
  const answer = encodeCase(model, each, name);
  expect(answer.status).toBe(wanted.status_code);
  const body = await toBytes(answer.body);
  answer.headers["content-length"] ??= String(body.length);
  for (const [header, value] of Object.entries(wanted.headers ?? {})) {
    expect(answer.headers[header.toLowerCase()], header).toBe(value);
  }
  expect(readBody(name, body)).toEqual(
    readBody(name, Buffer.from(wanted.body ?? "", name === "smithy-rpc-v2-cbor" ? "base64" : "utf8")),
  );
}

function readBody(name: ProtocolName, bytes: Uint8Array): unknown {
  const text = Buffer.from(bytes).toString("utf8");
  if (name === "smithy-rpc-v2-cbor") return bytes.length === 0 ? undefined : plain(decodeCbor(bytes));
  try {
    return name === "json" || name === "rest-json" ? plain(JSON.parse(text)) : plainXml(parseXml(text));
  } catch {
    return text;
  }
}

/** What clients read the same: an absent member and a null one, a date and the same date elsewhere, a name and its namespace. */
function plain(value: unknown, key = ""): unknown {
  if (Array.isArray(value)) return value.map((item) => plain(item));
  if (typeof value === "object" && value !== null && !(value instanceof Date) && !(value instanceof Uint8Array)) {
    return Object.fromEntries(
      Object.entries(value)
        .filter(([, item]) => item !== null)
        .map(([name, item]) => [name, plain(item, name)]),
    );
  }
  if (key === "__type" && typeof value === "string") return value.slice(value.indexOf("#") + 1);
  return typeof value === "string" ? plainText(value) : value;
}

function plainText(text: string): string {
  return /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[^ ]*$/.test(text) ? new Date(text).toISOString() : text;
}

function plainXml(node: XmlNode): unknown {
  return {
    name: node.name,
    attributes: Object.fromEntries(node.attributes),
    text: node.children.length > 0 ? "" : plainText(node.text.trim() === "" ? "" : node.text),
    // The request id is beside the answer in the one, and nowhere in the other.
    children: node.children.filter((child) => child.name !== "ResponseMetadata").map(plainXml),
  };
}
