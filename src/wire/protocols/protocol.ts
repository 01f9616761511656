import { AwsError } from "../../aws/error.ts";
import type { OperationModel, ServiceModel } from "../model.ts";

/** What a protocol reads of an HTTP request. */
export interface WireRequest {
  readonly method: string;
  /** As sent, percent-encoded, without the query. */
  readonly path: string;
  /** As sent, without the `?`. */
  readonly query: string;
  /** Lower-case names; repeated ones joined with `, `. */
  readonly headers: Readonly<Record<string, string>>;
  /** The whole body; empty where the operation's input streams. */
  readonly body: Uint8Array;
  /** The body of an operation whose input streams. */
  readonly stream?: AsyncIterable<Uint8Array>;
}

export interface WireResponse {
  readonly status: number;
  /** Lower-case names. */
  readonly headers: Record<string, string>;
  readonly body: Uint8Array | string | AsyncIterable<Uint8Array>;
}

/** One protocol over one service's model: bytes ↔ an operation's input, output and errors. */
export interface Protocol {
  /** Throws the `AwsError` that AWS answers to what cannot be parsed. */
  parse(operation: OperationModel, request: WireRequest): Record<string, unknown>;
  encode(operation: OperationModel, output: Record<string, unknown>, requestId: string): WireResponse;
  /** The error's members, code and message in the protocol's shape. Headers of the error are included. */
  encodeError(error: AwsError, requestId: string): WireResponse;
}

export type ProtocolFactory = (model: ServiceModel) => Protocol;

/** Input that cannot be parsed: the code is the JSON protocols'; others translate it to their own. */
export function malformed(message: string): AwsError {
  return new AwsError("SerializationException", 400, message);
}

/** Deepest nesting accepted in any body. DynamoDB's 32 levels of attributes are about 70 levels of JSON. */
export const bodyDepthMax = 128;

/** Assign without ever reaching the prototype. */
export function setOwn(target: Record<string, unknown>, key: string, value: unknown): void {
  if (key === "__proto__") {
    Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true });
  } else {
    target[key] = value;
  }
}

/** A structure, list or map that a service handed out, as something to look members up in. */
export function asRecord(value: unknown): Record<string, unknown> {
  if (typeof value !== "object" || value === null) throw new TypeError(`Expected an object, got ${typeof value}`);
  // A structure of a service's output: whatever its type, it is read member by member.
  return value as Record<string, unknown>;
}
