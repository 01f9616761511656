import type { IncomingHttpHeaders } from "node:http";
import type { Socket } from "node:net";
import { Readable } from "node:stream";
import type { ForwardedClient, HttpRequest } from "../../proxy/http-exchange.ts";
import { joinHeaders, type HeaderName } from "./header-names.ts";
import { http1Limits } from "./limits.ts";
import type { RequestHead } from "./parse-head.ts";

/** The connection that a request comes on. */
export interface RequestSource {
  readonly socket: Socket;
  /** There is room for more of the body. */
  readMore(): void;
  /** What is left of the request is not wanted: nor is the connection. */
  cut(): void;
}

const nothing = Buffer.alloc(0);

/**
 * A request. Most come with their whole body and are read by `takeWhole`; a stream of Node's, which costs more than all else here,
 * is made when somebody asks for what only a stream can do.
 */
export class Http1Request implements HttpRequest {
  readonly method: string;
  readonly url: string;
  readonly httpVersion: "1.0" | "1.1";
  readonly rawHeaders: string[];
  readonly socket: Socket;
  readonly #source: RequestSource;
  readonly #names: readonly HeaderName[];
  complete = false;
  forwarded: ForwardedClient | undefined = undefined;
  #headers: IncomingHttpHeaders | undefined = undefined;
  /** What has come before anybody asked for it. */
  #held: Buffer[] | undefined = undefined;
  #heldBytes = 0;
  #body: Readable | undefined = undefined;
  #dropped = false;
  #failure: Error | undefined = undefined;
  #isLost = false;

  constructor(head: RequestHead, source: RequestSource) {
    this.method = head.method;
    this.url = head.target;
    this.httpVersion = head.minor === 1 ? "1.1" : "1.0";
    this.rawHeaders = head.raw;
    this.socket = source.socket;
    this.#names = head.names;
    this.#source = source;
  }

  get headers(): IncomingHttpHeaders {
    this.#headers ??= joinHeaders(this.#names, this.rawHeaders);
    return this.#headers;
  }

  get destroyed(): boolean {
    return this.#body?.destroyed ?? this.#failure !== undefined;
  }

  get errored(): Error | null {
    return this.#body?.errored ?? this.#failure ?? null;
  }

  get readableFlowing(): boolean | null {
    return this.#body?.readableFlowing ?? null;
  }

  takeWhole(): Buffer | undefined {
    if (!this.complete || this.#dropped || this.#body !== undefined) return undefined;
    const held = this.#held;
    this.#drop();
    if (held === undefined) return nothing;
    return held.length === 1 ? held[0] : Buffer.concat(held);
  }

  stream(): Readable {
    if (this.#body !== undefined) return this.#body;
    const body: Readable = new Readable({
      highWaterMark: http1Limits.heldBytesMax,
      read: () => this.#source.readMore(),
      destroy: (error, done) => {
        if (!this.complete && !this.#isLost && this.#body === body) this.#source.cut();
        // Who does not ask about errors is not told of any: a client that has gone is nobody's failure.
        process.nextTick(() => done(body.listenerCount("error") === 0 ? null : error));
      },
    });
    this.#body = body;
    for (const piece of this.#held ?? []) body.push(piece);
    this.#drop();
    if (this.complete) body.push(null);
    if (this.#failure !== undefined) body.destroy(this.#failure);
    return body;
  }

  on(event: "data", listener: (chunk: Buffer) => void): this;
  on(event: "end" | "close", listener: () => void): this;
  on(event: "error", listener: (error: Error) => void): this;
  on(event: string, listener: (value: Buffer & Error) => void): this {
    this.stream().on(event, listener);
    return this;
  }

  once(event: "end" | "close", listener: () => void): this;
  once(event: "error", listener: (error: Error) => void): this;
  once(event: string, listener: (value: Error) => void): this {
    this.stream().once(event, listener);
    return this;
  }

  off(event: "data", listener: (chunk: Buffer) => void): this;
  off(event: "end" | "close", listener: () => void): this;
  off(event: "error", listener: (error: Error) => void): this;
  off(event: string, listener: (value: Buffer & Error) => void): this {
    this.#body?.off(event, listener);
    return this;
  }

  /** As `off`: what Node pipes into an answer asks the answer's request for it. */
  removeListener(event: string, listener: (value: unknown) => void): this {
    this.#body?.removeListener(event, listener);
    return this;
  }

  read(): unknown {
    return this.stream().read();
  }

  pause(): this {
    this.stream().pause();
    return this;
  }

  /** Without anybody who listens, what comes is dropped. */
  resume(): this {
    if (this.#body !== undefined) this.#body.resume();
    else {
      this.#drop();
      this.#source.readMore();
    }
    return this;
  }

  iterator(options: { destroyOnReturn?: boolean }): AsyncIterator<Buffer> & AsyncIterable<Buffer> {
    return this.stream().iterator(options);
  }

  [Symbol.asyncIterator](): AsyncIterator<Buffer> {
    return this.stream()[Symbol.asyncIterator]();
  }

  destroy(error?: Error): this {
    if (this.#body !== undefined) this.#body.destroy(error);
    else if (!this.complete) {
      this.#failure ??= error ?? aborted();
      this.#source.cut();
    }
    return this;
  }

  /** For the connection: a piece of the body. Returns whether there is room for more. */
  receive(piece: Buffer): boolean {
    if (this.#body !== undefined) return this.#body.destroyed || this.#body.push(piece);
    if (this.#dropped) return true;
    if (this.#held === undefined) this.#held = [piece];
    else this.#held.push(piece);
    this.#heldBytes += piece.length;
    return this.#heldBytes < http1Limits.heldBytesMax;
  }

  /** For the connection: the whole body has come. */
  finish(): void {
    this.complete = true;
    if (this.#body?.destroyed === false) this.#body.push(null);
  }

  /** For the connection: no more will come. */
  lose(): void {
    const body = this.#body;
    this.#isLost = true;
    if (body === undefined) {
      if (!this.complete) this.#failure ??= aborted();
    } else if (!body.readableEnded) body.destroy(aborted());
  }

  /** For the connection: the answer has been given, so what is left of the body is for nobody, unless it is being read. */
  discard(): void {
    if (this.complete) return;
    this.#drop();
    const body = this.#body;
    if (body === undefined || body.readableFlowing === true) return;
    this.#body = undefined;
    body.destroy(aborted());
  }

  #drop(): void {
    this.#dropped = true;
    this.#held = undefined;
    this.#heldBytes = 0;
  }
}

/** As Node.js has it. */
function aborted(): Error {
  return Object.assign(new Error("aborted"), { code: "ECONNRESET" });
}
