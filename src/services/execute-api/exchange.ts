import type { IncomingMessage, ServerResponse } from "node:http";
import type { RequestHeaders } from "./request-headers.ts";

/** One request being answered, after the stage was found. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly method: string;
  /** Below the stage, as sent: what routes are matched with. Starts with `/`. */
  readonly path: string;
  /** As sent, with the stage where the client named it. */
  readonly fullPath: string;
  /** Without the question mark. */
  readonly query: string;
  readonly headers: RequestHeaders;
  /** Epoch milliseconds. */
  readonly now: number;
  /** The gateway's id of this request. */
  readonly requestId: string;
  readonly extendedId: string;
  /** `1-…-…`, or what the client sent. */
  readonly trace: string;
}

/** A stage made ready: answers every request it is given, once. */
export interface CompiledStage {
  answer(request: IncomingMessage, response: ServerResponse, paths: RequestPaths): void;
}

export interface RequestPaths {
  readonly path: string;
  readonly fullPath: string;
  readonly query: string;
}

/** The client's address; IPv4 is written as such. */
export function sourceIp(request: IncomingMessage): string {
  const address = request.socket.remoteAddress ?? "";
  return address.startsWith("::ffff:") ? address.slice(7) : address;
}

/** What AWS appends to `X-Forwarded-For`. */
export function forwardedFor(headers: RequestHeaders, ip: string): string {
  return headers.forwardedFor === "" ? ip : `${headers.forwardedFor}, ${ip}`;
}

export function forwardedProto(request: IncomingMessage): "https" | "http" {
  return "encrypted" in request.socket ? "https" : "http";
}

export function forwardedPort(request: IncomingMessage): string {
  return String(request.socket.localPort ?? "");
}
