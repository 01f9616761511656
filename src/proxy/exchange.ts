import type { Clock } from "../kernel/clock.ts";
import type { HttpRequest, HttpResponse } from "./http-exchange.ts";
import { isEncrypted } from "./client-address.ts";
import { readHeaders, type RequestHeaders } from "./request-headers.ts";
import type { RequestIdentities } from "./request-identity.ts";

/** One request being answered, after the stage was found. */
export interface Exchange {
  readonly request: HttpRequest;
  readonly response: HttpResponse;
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
  readonly meter: ExchangeMeter | undefined;
  /** Is told the answer of an integration before it is sent, where somebody keeps it; it may add headers. */
  capture: AnswerCapture | undefined;
  /** Makes another body of an integration's, as the client asks for it; undefined where bodies are sent as they are. */
  encode: AnswerEncoding | undefined;
  /** How the request came, where it came by a custom domain name. */
  readonly domain: RequestDomain | undefined;
}

/** A custom domain name that a request came by. */
export interface RequestDomain {
  /** The host that the client named, in lower case and without a port. */
  readonly name: string;
  /** The certificate that the client showed, where the domain demands one. */
  readonly clientCertificate: ClientCertificate | undefined;
  /** The base path of the mapping that sent the request to its stage; empty for the one that takes every path. */
  readonly basePathMatched?: string;
  /** The routing rule that did, where it was a rule. */
  readonly routingRuleIdMatched?: string;
}

/** A client's certificate, as events and `$context.identity.clientCert` tell it. */
export interface ClientCertificate {
  readonly clientCertPem: string;
  readonly subjectDN: string;
  readonly issuerDN: string;
  readonly serialNumber: string;
  /** As `May 28 12:30:02 2019 GMT`. */
  readonly validity: { readonly notBefore: string; readonly notAfter: string };
}

/** @param headers names and values in turn, without those that tell of the request itself */
export type AnswerCapture = (status: number, headers: string[], body: string | Buffer) => void;

/** @param send called once, with what is sent as the body; headers of its own have been added by then */
export type AnswerEncoding = (
  status: number,
  headers: string[],
  body: string | Buffer,
  send: (body: string | Buffer) => void,
) => void;

export type DetailMeter = (status: number, latencyMs: number, integrationLatencyMs: number | undefined) => void;

/** Counts requests, as they are answered. */
export interface ExchangeMeter {
  /** @param startedAt epoch milliseconds */
  answered(status: number, startedAt: number): void;
  /** An integration has answered, after so long. */
  integrated?(latencyMs: number): void;
  /** Bytes of bodies that an HTTP API has passed on. */
  processed?(bytes: number): void;
  /** Of one method of a REST API, where its metrics are told beside the stage's. */
  ofMethod?(path: string, httpMethod: string): DetailMeter;
  /** Of one route of an HTTP API. */
  ofRoute?(routeKey: string): DetailMeter;
  /** A request whose answer may be cached: whether it was. */
  cached?(hit: boolean): void;
}

export interface RequestPaths {
  readonly path: string;
  readonly fullPath: string;
  readonly query: string;
  readonly domain?: RequestDomain;
}

export interface ExchangeNeeds {
  readonly clock: Clock;
  readonly identities: RequestIdentities;
  readonly meter?: ExchangeMeter;
}

/** What is known of a request before anything is decided. */
export function startExchange(
  needs: ExchangeNeeds,
  request: HttpRequest,
  response: HttpResponse,
  paths: RequestPaths,
): Exchange {
  const headers = readHeaders(request);
  const now = needs.clock.now();
  return {
    request,
    response,
    method: request.method ?? "GET",
    path: paths.path,
    fullPath: paths.fullPath,
    query: paths.query,
    headers,
    now,
    requestId: needs.identities.uuid(),
    extendedId: needs.identities.extendedId(),
    trace: traceRoot(headers, () => needs.identities.traceRoot(now)),
    meter: needs.meter,
    capture: undefined,
    encode: undefined,
    domain: paths.domain,
  };
}

/** What AWS appends to `X-Forwarded-For`. */
export function forwardedFor(headers: RequestHeaders, ip: string): string {
  return headers.forwardedFor === "" ? ip : `${headers.forwardedFor}, ${ip}`;
}

export function forwardedProto(request: HttpRequest): "https" | "http" {
  return isEncrypted(request) ? "https" : "http";
}

function traceRoot(headers: RequestHeaders, make: () => string): string {
  if (headers.trace === "") return make();
  const root = headers.trace.split(";").find((part) => part.trim().startsWith("Root="));
  const sent = root?.trim().slice("Root=".length) ?? "";
  return /^1-[0-9a-f]{8}-[0-9a-f]{24}$/i.test(sent) ? sent : make();
}
