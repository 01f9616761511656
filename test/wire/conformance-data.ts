import { AwsError } from "../../src/aws/error.ts";
import { createProtocol } from "../../src/wire/protocols/protocols.ts";
import type { WireResponse } from "../../src/wire/protocols/protocol.ts";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { linkModel, type ProtocolName, type ServiceModel, type Shape } from "../../src/wire/model.ts";
import type { ServiceTable, TableOperation, TableShape } from "../../src/wire/tables/table.ts";

/** AWS's published protocol tests, beside the checkout or where `CUMULET_CONFORMANCE_DATA` says. */
const folder = process.env["CUMULET_CONFORMANCE_DATA"] ?? join(import.meta.dirname, "../../../shared/data");

export const hasConformanceData = existsSync(join(folder, "protocols"));

export interface Suite {
  readonly description: string;
  readonly metadata: ServiceTable["metadata"];
  readonly shapes: Readonly<Record<string, TableShape>>;
  readonly cases: readonly ProtocolCase[];
}

export interface ProtocolCase {
  readonly id: string;
  readonly description?: string;
  readonly given: TableOperation & { readonly name: string };
  readonly params?: Record<string, unknown>;
  readonly serialized?: {
    readonly method: string;
    readonly uri: string;
    /** With the endpoint's base path, where it has one. */
    readonly host?: string;
    readonly body?: string;
    readonly headers?: Record<string, string>;
  };
  readonly result?: Record<string, unknown>;
  readonly error?: Record<string, unknown>;
  readonly errorCode?: string;
  readonly errorMessage?: string;
  readonly response?: {
    readonly status_code: number;
    readonly headers?: Record<string, string>;
    readonly body?: string;
  };
}

export function readSuites(file: string): readonly Suite[] {
  return JSON.parse(readFileSync(join(folder, "protocols", `${file}.json`), "utf8")) as Suite[];
}

/** The model of one case: the same code that links the tables of real services. */
export function linkSuite(suite: Suite, given: ProtocolCase["given"]): ServiceModel {
  return linkModel("conformance", {
    metadata: suite.metadata,
    operations: { [given.name]: given },
    shapes: suite.shapes,
  });
}

/** A value as the tests write it → as services see it: dates, bytes, the numbers that JSON cannot say. */
export function toModelValue(shape: Shape, value: unknown): unknown {
  if (value === null || value === undefined) return value;
  switch (shape.type) {
    case "structure":
      if (shape.document) return value;
      return Object.fromEntries(
        Object.entries(value).map(([name, item]) => {
          const member = shape.memberByName.get(name);
          return [name, member ? toModelValue(member.shape, item) : item];
        }),
      );
    case "list":
      return Array.isArray(value) ? value.map((item) => toModelValue(shape.member.shape, item)) : value;
    case "map":
      return Object.fromEntries(
        Object.entries(value).map(([key, item]) => [key, toModelValue(shape.value.shape, item)]),
      );
    case "timestamp":
      return typeof value === "number" ? new Date(value * 1000) : value;
    case "blob":
      return typeof value === "string" ? new Uint8Array(Buffer.from(value, "utf8")) : value;
    case "float":
    case "double":
      return typeof value === "string" ? Number(value) : value;
    default:
      return value;
  }
}

const requestId = "foo-id";

/** Our answer to the case: of its result, or of its error. */
export function encodeCase(model: ServiceModel, each: ProtocolCase, name: ProtocolName): WireResponse {
  const protocol = createProtocol(name, model);
  const operation = model.operations.get(each.given.name);
  if (!operation) throw new Error("The case has no operation");
  if (each.errorCode !== undefined) {
    const shape = model.errors.get(each.errorCode);
    const members = shape ? toModelValue(shape, each.error ?? {}) : each.error;
    return protocol.encodeError(
      new AwsError(each.errorCode, each.response?.status_code ?? 400, each.errorMessage ?? "", {
        members: { ...Object(members) },
      }),
      requestId,
    );
  }
  const output = operation.output ? toModelValue(operation.output, each.result ?? {}) : {};
  return protocol.encode(operation, { ...Object(output) }, requestId);
}

export async function toBytes(body: WireResponse["body"]): Promise<Uint8Array> {
  if (typeof body === "string") return Buffer.from(body, "utf8");
  if (body instanceof Uint8Array) return body;
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks);
}

export const responseFiles: Readonly<Record<string, ProtocolName>> = {
  "output-json": "json",
  "output-json_1_0": "json",
  "output-json_1_0-query-compatible": "json",
  "output-query": "query",
  "output-rest-json": "rest-json",
  "output-rest-xml": "rest-xml",
  "output-smithy-rpc-v2-cbor": "smithy-rpc-v2-cbor",
  "output-smithy-rpc-v2-cbor-query-compatible": "smithy-rpc-v2-cbor",
};
