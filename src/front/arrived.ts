import { TLSSocket } from "node:tls";
import { isLoopbackAddress } from "../access/loopback.ts";
import { createLru } from "../access/lru.ts";
import type { HeaderValues } from "../access/sigv4/canonical-request.ts";
import { isEncrypted, sourceIp as sourceIpOf } from "../proxy/client-address.ts";
import type { HttpRequest } from "../proxy/http-exchange.ts";
import type { ConnectionsStage } from "../services/execute-api/port.ts";
import type { HttpFacts } from "../wire/service.ts";
import type { AwsDestination } from "./classify.ts";
import type { RequestFacts } from "./detect.ts";
import { frontLimits } from "./limits.ts";

/** What a request says before its body. */
export interface Arrived {
  readonly facts: RequestFacts;
  readonly http: HttpFacts & {
    /** Of a body in chunks: set when it is known. */
    trailers?: () => Readonly<Record<string, string>>;
  };
  readonly endpoint: string;
  readonly headerValues: HeaderValues;
  readonly target: string;
  readonly sourceIp: string;
  readonly expectsContinue: boolean;
}

/** Reads what comes before the body, each part of it once. */
type RequestReader = (destination: AwsDestination, request: HttpRequest) => Arrived;

export function createRequestReader(): RequestReader {
  const toEndpoint = createEndpoints();
  return (destination, request) => {
    const target = request.url ?? "/";
    const queryAt = target.indexOf("?");
    const path = queryAt < 0 ? target : target.slice(0, queryAt);
    const query = queryAt < 0 ? "" : target.slice(queryAt + 1);
    const headerValues = new RequestHeaders(request.rawHeaders);
    const headers = headerValues.joined;
    const method = request.method ?? "GET";
    const { bucket, connections } = destination;
    const facts = {
      method,
      path: connections?.path ?? (bucket === undefined ? path : `/${encodeURIComponent(bucket)}${path}`),
      query,
      headers,
    };
    const http = new RequestHttp(request, { method, path, query, headers }, connections);
    return {
      facts,
      http,
      endpoint: toEndpoint(headers["host"], request),
      headerValues,
      target,
      sourceIp: http.sourceIp,
      expectsContinue: headers["expect"]?.toLowerCase() === "100-continue",
    };
  };
}

/** Headers by name in lower case. */
class RequestHeaders implements HeaderValues {
  /** Of those that were repeated all values, with `, ` between them. */
  readonly joined: Record<string, string> = Object.create(null);
  readonly #names: string[] = [];
  #repeated: Map<string, string[]> | undefined;

  constructor(raw: readonly string[]) {
    for (let at = 0; at + 1 < raw.length; at += 2) {
      const name = (raw[at] ?? "").toLowerCase();
      const value = raw[at + 1] ?? "";
      const before = this.joined[name];
      if (before === undefined) {
        this.joined[name] = value;
        this.#names.push(name);
      } else this.#repeat(name, before, value);
    }
  }

  #repeat(name: string, before: string, value: string): void {
    this.#repeated ??= new Map();
    const values = this.#repeated.get(name);
    if (values) values.push(value);
    else this.#repeated.set(name, [before, value]);
    this.joined[name] = `${before}, ${value}`;
  }

  get(name: string): string | readonly string[] | undefined {
    return this.#repeated?.get(name) ?? this.joined[name];
  }

  keys(): readonly string[] {
    return this.#names;
  }
}

/** The HTTP request behind a call. A class, for an accessor of an object of its own is dear to make. */
class RequestHttp implements HttpFacts {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly sourceIp: string;
  readonly secure: boolean;
  readonly connections?: ConnectionsStage;
  trailers?: () => Readonly<Record<string, string>>;
  readonly #request: HttpRequest;
  readonly #query: string;
  #parameters: URLSearchParams | undefined;

  constructor(request: HttpRequest, facts: RequestFacts, connections: ConnectionsStage | undefined) {
    this.method = facts.method;
    this.path = facts.path;
    this.headers = facts.headers;
    this.sourceIp = sourceIpOf(request);
    // What does not leave the machine is as safe as TLS makes it: policies that ask for `aws:SecureTransport` hold.
    this.secure = isEncrypted(request) || isLoopbackAddress(this.sourceIp);
    if (connections) this.connections = connections;
    this.#request = request;
    this.#query = facts.query;
  }

  get query(): URLSearchParams {
    return (this.#parameters ??= new URLSearchParams(this.#query));
  }

  /** Of the connection that came here: what a proxy has agreed on with its client is not known. */
  readonly tlsVersion = (): string | undefined => {
    const { socket } = this.#request;
    return socket instanceof TLSSocket ? (socket.getProtocol() ?? "").replace(/^TLSv/, "") || undefined : undefined;
  };
}

/** The platform's address, without the labels that named a service or bucket. Remembers those of the latest hosts. */
function createEndpoints(): (host: string | undefined, request: HttpRequest) => string {
  const known = { http: createLru<string>(frontLimits.hostsKept), https: createLru<string>(frontLimits.hostsKept) };
  return (host, request) => {
    const scheme = isEncrypted(request) ? "https" : "http";
    const found = host === undefined ? undefined : known[scheme].get(host);
    if (found !== undefined) return found;
    const match = /^([a-zA-Z0-9.-]{1,253}|\[[\da-fA-F:]{2,45}\])(:\d{1,5})?$/.exec(host ?? "");
    if (host === undefined || !match) return `${scheme}://127.0.0.1:${request.socket.localPort ?? 0}`;
    const [, name = "", portText = ""] = match;
    const local = /(?:^|\.)(localhost(?:\.localstack\.cloud)?)$/i.exec(name);
    const endpoint = `${scheme}://${local?.[1] ?? name}${portText}`;
    known[scheme].set(host, endpoint);
    return endpoint;
  };
}
