import type { IncomingHttpHeaders, OutgoingHttpHeader, OutgoingHttpHeaders } from "node:http";
import type { Socket } from "node:net";
import { Readable } from "node:stream";

/** What a proxy that is trusted tells of the client at its other end. */
export interface ForwardedClient {
  readonly address: string;
  readonly encrypted: boolean;
  /** The port that the client has connected to, where the proxy tells it. */
  readonly port: string | undefined;
}

/** The body of a request, as it comes. What ends short of what was promised fails with an `error`. */
interface BodyEvents {
  on(event: "data", listener: (chunk: Buffer) => void): this;
  on(event: "end" | "close", listener: () => void): this;
  on(event: "error", listener: (error: Error) => void): this;
  once(event: "end" | "close", listener: () => void): this;
  once(event: "error", listener: (error: Error) => void): this;
  off(event: "data", listener: (chunk: Buffer) => void): this;
  off(event: "end" | "close", listener: () => void): this;
  off(event: "error", listener: (error: Error) => void): this;
}

/**
 * A request as the front door hands it on: what is used of Node's `IncomingMessage`, which is one. Whose connections these are
 * is the front's matter.
 */
export interface HttpRequest extends BodyEvents, AsyncIterable<Buffer> {
  readonly method?: string | undefined;
  /** The target, as sent. */
  readonly url?: string | undefined;
  /** `1.1` or `1.0`. */
  readonly httpVersion: string;
  /** By name in lower case; of several values as Node joins or drops them. Made when first asked for. */
  readonly headers: IncomingHttpHeaders;
  /** Names and values in turn, as sent. */
  readonly rawHeaders: string[];
  readonly socket: Socket;
  /** The whole of it has come. */
  readonly complete: boolean;
  readonly destroyed: boolean;
  readonly errored: Error | null;
  /** Set by who believes the proxy that the request came by. */
  forwarded?: ForwardedClient | undefined;
  /** The whole body, where it has come with the head, as most do, and nobody has begun to read it. It can be taken once. */
  takeWhole?(): Buffer | undefined;
  /** Null until somebody reads the body. */
  readonly readableFlowing: boolean | null;
  read(): unknown;
  pause(): this;
  resume(): this;
  /** The body for who needs a stream of Node's. */
  stream?(): Readable;
  iterator(options: { destroyOnReturn?: boolean }): AsyncIterator<Buffer> & AsyncIterable<Buffer>;
  /** Of a request that has not come whole: ends its connection. */
  destroy(error?: Error): this;
}

/** Its answer: what is used of Node's `ServerResponse`, which is one. Emits `drain`, `finish` and, in any case and last, `close`. */
export interface HttpResponse extends NodeJS.WritableStream {
  /** The request that it answers. */
  readonly req: Pick<HttpRequest, "method" | "complete">;
  /** Null when the answer has been sent. */
  readonly socket: Socket | null;
  statusCode: number;
  /** Whether the connection may serve another request after this. */
  shouldKeepAlive: boolean;
  /** A body of another length than was promised is an error. */
  strictContentLength: boolean;
  /** Whether a `Date` is added. */
  sendDate: boolean;
  readonly headersSent: boolean;
  readonly destroyed: boolean;
  readonly writableEnded: boolean;
  /** All of it has been handed to the network. */
  readonly writableFinished: boolean;
  /** Bytes that are held for the network. */
  readonly writableLength: number;
  setHeader(name: string, value: number | string | readonly string[]): this;
  getHeader(name: string): number | string | string[] | undefined;
  removeHeader(name: string): void;
  /** Throws for a name or a value that cannot be sent. */
  writeHead(status: number, headers?: OutgoingHttpHeaders | OutgoingHttpHeader[]): this;
  flushHeaders(): void;
  end(callback?: () => void): this;
  end(body: string | Uint8Array | undefined, callback?: () => void): this;
  end(body: string | Uint8Array | undefined, encoding: BufferEncoding, callback?: () => void): this;
  /** `100 Continue`. */
  writeContinue(): void;
  /** Cuts the connection. */
  destroy(error?: Error): this;
}

/** A request's body as a stream of Node's. */
export function bodyStream(request: HttpRequest): Readable {
  return request instanceof Readable ? request : (request.stream?.() ?? Readable.from(request));
}
