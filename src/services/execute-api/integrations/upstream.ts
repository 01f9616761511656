import { Agent as HttpAgent, type ClientRequest, type IncomingMessage, request as httpRequest } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import { isIP } from "node:net";
import type { Clock } from "../../../kernel/clock.ts";
import { AddressRefusedError, type AddressRules } from "./addresses.ts";
import { integrationLimits as limits } from "./limits.ts";

/** A request to an HTTP endpoint. */
export interface UpstreamRequest {
  readonly protocol: "http:" | "https:";
  /** Without brackets. */
  readonly hostname: string;
  /** Empty for the protocol's own. */
  readonly port: string;
  /** Path and query, encoded. */
  readonly path: string;
  readonly method: string;
  /** Names and values in turn, with a Host and without a length. */
  readonly headers: readonly string[];
  readonly body: Buffer;
  readonly timeoutMs: number;
  /** The certificate is not verified. */
  readonly insecure: boolean;
  /** The name that the certificate must have, instead of the host's. */
  readonly serverName?: string;
  /** What the endpoint is shown where it asks for a certificate, in PEM. */
  readonly clientCertificate?: { readonly cert: string; readonly key: string };
}

export type UpstreamFailure =
  /** The time was over before the answer was whole; streamed: before it began. */
  | "late"
  /** No connection, or one that broke or was no HTTP. */
  | "broken"
  /** There is no such host, or nobody may connect to it from here. */
  | "no-endpoint"
  | "too-large";

export interface UpstreamAnswer {
  readonly status: number;
  /** Names and values in turn, as sent. */
  readonly headers: readonly string[];
  readonly body: Buffer;
}

export type UpstreamOutcome = UpstreamAnswer | { readonly failure: UpstreamFailure; readonly reason: string };

/** Calls HTTP endpoints, over connections that are kept. */
export interface Upstream {
  /** @param done called once */
  send(request: UpstreamRequest, done: (outcome: UpstreamOutcome) => void): void;
  /**
   * The answer's body as it comes. Once `begin` was called the stream tells of whatever happens.
   *
   * @returns what cuts the connection
   */
  stream(
    request: UpstreamRequest,
    begin: (head: IncomingMessage) => void,
    fail: (failure: UpstreamFailure, reason: string) => void,
  ): () => void;
  stop(): void;
}

/** Not made twice by a second try: where a kept connection turns out closed, these are sent again. */
const idempotent = new Set(["GET", "HEAD", "OPTIONS", "PUT", "DELETE"]);

export function createUpstream(clock: Clock, addresses: AddressRules): Upstream {
  const agentOptions = {
    keepAlive: true,
    maxSockets: limits.connectionsPerEndpointMax,
    maxFreeSockets: limits.idleConnectionsPerEndpointMax,
    scheduling: "lifo",
  } as const;
  const httpAgent = new HttpAgent(agentOptions);
  const httpsAgent = new HttpsAgent(agentOptions);

  const open = (
    request: UpstreamRequest,
    begin: (head: IncomingMessage) => void,
    fail: (failure: UpstreamFailure, reason: string) => void,
  ): (() => void) => {
    const { hostname } = request;
    if (isIP(hostname) !== 0 && !addresses.allows(hostname)) {
      fail("no-endpoint", new AddressRefusedError(hostname).message);
      return () => undefined;
    }
    let cut = false;
    let connection: ClientRequest;
    const attempt = (isLast: boolean): void => {
      let answered = false;
      connection = connect(request);
      connection.on("response", (head) => {
        answered = true;
        begin(head);
      });
      // A protocol switch that nobody asked for: there is no answer in it.
      connection.on("upgrade", (_head, socket) => {
        socket.destroy();
        if (!answered) fail("broken", "The endpoint switched protocols");
        answered = true;
      });
      connection.on("error", (error: Error & { readonly code?: string }) => {
        if (answered) return;
        answered = true;
        if (!cut && !isLast && connection.reusedSocket && error.code === "ECONNRESET" && idempotent.has(request.method))
          return attempt(true);
        const unknown =
          error.code === "ENOTFOUND" || error.code === "EAI_AGAIN" || error.code === "ERR_ADDRESS_REFUSED";
        fail(error.code === "HPE_HEADER_OVERFLOW" ? "too-large" : unknown ? "no-endpoint" : "broken", error.message);
      });
      connection.end(request.body.length === 0 ? undefined : request.body);
    };
    attempt(false);
    return () => {
      cut = true;
      connection.destroy();
    };
  };

  const connect = (request: UpstreamRequest): ClientRequest => {
    const { protocol, hostname, port, path, method, headers, body } = request;
    const hasLength = body.length > 0 || method === "POST" || method === "PUT" || method === "PATCH";
    const options = {
      protocol,
      hostname,
      path,
      method,
      lookup: addresses.lookup,
      setHost: false,
      headers: hasLength ? [...headers, "Content-Length", String(body.length)] : [...headers],
      maxHeaderSize: limits.responseHeaderBytesMax,
      insecureHTTPParser: false,
      ...(port === "" ? {} : { port }),
    };
    const connection =
      protocol === "http:"
        ? httpRequest({ ...options, agent: httpAgent })
        : httpsRequest({
            ...options,
            agent: httpsAgent,
            rejectUnauthorized: !request.insecure,
            ...request.clientCertificate,
            servername: request.serverName ?? (isIP(hostname) === 0 ? hostname : ""),
          });
    connection.once("socket", (socket) => {
      // Kept connections are closed by us before most endpoints do.
      socket.removeAllListeners("timeout");
      socket.setTimeout(0);
      socket.on("timeout", () => socket.destroy());
    });
    return connection;
  };
  for (const agent of [httpAgent, httpsAgent]) {
    agent.on("free", (socket) => socket.setTimeout(limits.idleConnectionMs));
  }

  return {
    send: (request, done) => {
      let ended = false;
      const end = (outcome: UpstreamOutcome) => {
        if (ended) return;
        ended = true;
        cancel();
        done(outcome);
        if ("failure" in outcome) cut();
      };
      let cut = noConnection;
      const cancel = clock.after(request.timeoutMs, () => end({ failure: "late", reason: "The endpoint is late" }));
      cut = open(
        request,
        (head) => collect(head, end),
        (failure, reason) => end({ failure, reason }),
      );
      if (ended) cut();
    },
    stream: (request, begin, fail) => {
      let ended = false;
      const cancel = clock.after(request.timeoutMs, () => {
        if (ended) return;
        ended = true;
        fail("late", "The endpoint is late");
        cut();
      });
      const cut = open(
        request,
        (head) => {
          if (ended) return;
          ended = true;
          cancel();
          begin(head);
        },
        (failure, reason) => {
          if (ended) return;
          ended = true;
          cancel();
          fail(failure, reason);
        },
      );
      return () => {
        ended = true;
        cancel();
        cut();
      };
    },
    stop: () => {
      httpAgent.destroy();
      httpsAgent.destroy();
    },
  };
}

function collect(head: IncomingMessage, end: (outcome: UpstreamOutcome) => void): void {
  const chunks: Buffer[] = [];
  let bytes = 0;
  head.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes <= limits.responseBytesMax) chunks.push(chunk);
    else end({ failure: "too-large", reason: `Integration response is larger than ${limits.responseBytesMax} bytes` });
  });
  head.on("end", () => end({ status: head.statusCode ?? 502, headers: head.rawHeaders, body: Buffer.concat(chunks) }));
  head.on("error", (error) => end({ failure: "broken", reason: error.message }));
  head.on("close", () => end({ failure: "broken", reason: "The endpoint's answer broke off" }));
}

function noConnection(): void {}
