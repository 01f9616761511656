import { EventEmitter } from "node:events";
import type { OutgoingHttpHeader, OutgoingHttpHeaders } from "node:http";
import type { Socket } from "node:net";
import type { HttpResponse } from "../../proxy/http-exchange.ts";
import { type AnswerHead, checkHeader, writeAnswerHead } from "./answer-head.ts";
import type { RequestHead } from "./parse-head.ts";
import type { Http1Request } from "./request.ts";
import type { SentNames } from "./sent-names.ts";

/** The connection that an answer goes to. */
export interface ResponseSink {
  readonly socket: Socket;
  readonly names: SentNames;
  /** `Date` with its line's end. */
  dateLine(): string;
  /** `Connection` and what belongs to it, of a connection that is kept. */
  readonly keepAliveLines: string;
  /** Given to the last write: called when it has been handed to the network. */
  readonly sent: (error?: Error | null) => void;
  /** Writes an answer that is whole, text in Latin 1 or bytes, with others that come at the same time; then it is sent. */
  send(data: string | Buffer): void;
}

type Callback = (error?: Error | null) => void;
type Body = string | Uint8Array;

/** Up to this a body is copied behind its head, so that both are one piece; two pieces cost more than the copy. */
const copiedBytesMax = 16 * 1024;

/**
 * An answer. What is given whole is written in one piece, with its length; what is not is sent in chunks, or until the connection
 * ends to a client of HTTP/1.0.
 */
export class Http1Response extends EventEmitter implements HttpResponse {
  readonly req: Http1Request;
  /** For pipes: it is asked only whether there is such a thing. */
  readonly writable = true;
  socket: Socket | null;
  statusCode = 200;
  shouldKeepAlive: boolean;
  strictContentLength = false;
  sendDate = true;
  destroyed = false;
  closed = false;
  errored: Error | null = null;
  writableEnded = false;
  writableFinished = false;
  /** For the connection: nothing comes on it after this answer. Known once the head has been sent. */
  last = false;
  readonly #sink: ResponseSink;
  readonly #minor: 0 | 1;
  readonly #awaitsContinue: boolean;
  #continued = false;
  #set: Map<string, readonly [name: string, value: OutgoingHttpHeader]> | undefined = undefined;
  #head: AnswerHead | undefined = undefined;
  /** The head has been handed over. */
  #begun = false;
  #hasBody = true;
  #bytes = 0;
  #needsDrain = false;

  constructor(request: Http1Request, head: RequestHead, sink: ResponseSink) {
    super();
    this.req = request;
    this.socket = sink.socket;
    this.shouldKeepAlive = head.keepAlive;
    this.#sink = sink;
    this.#minor = head.minor;
    this.#awaitsContinue = head.expect !== "";
  }

  get headersSent(): boolean {
    return this.#head !== undefined;
  }

  /** Its head is on its way. */
  get begun(): boolean {
    return this.#begun;
  }

  get writableLength(): number {
    return this.socket?.writableLength ?? 0;
  }

  get writableNeedDrain(): boolean {
    return !this.destroyed && !this.writableEnded && this.#needsDrain;
  }

  setHeader(name: string, value: number | string | readonly string[]): this {
    this.#checkUnsent();
    const sent: OutgoingHttpHeader = typeof value === "object" ? [...value] : value;
    checkHeader(this.#sink.names, name, sent);
    this.#set ??= new Map();
    this.#set.set(name.toLowerCase(), [name, sent]);
    return this;
  }

  getHeader(name: string): OutgoingHttpHeader | undefined {
    return this.#set?.get(name.toLowerCase())?.[1];
  }

  removeHeader(name: string): void {
    this.#checkUnsent();
    this.#set?.delete(name.toLowerCase());
  }

  writeHead(status: number, headers?: OutgoingHttpHeaders | OutgoingHttpHeader[]): this {
    this.#checkUnsent();
    if (!Number.isInteger(status) || status < 100 || status > 999) {
      throw Object.assign(new RangeError(`Invalid status code: ${status}`), { code: "ERR_HTTP_INVALID_STATUS_CODE" });
    }
    this.#head = writeAnswerHead(this.#sink.names, status, this.#set === undefined ? headers : this.#merge(headers));
    this.statusCode = status;
    this.#hasBody = this.req.method !== "HEAD" && status !== 204 && status !== 304 && status >= 200;
    // What comes next on the connection may be the body, or not: nobody can tell.
    if (this.#awaitsContinue && !this.#continued) this.shouldKeepAlive = false;
    return this;
  }

  writeContinue(): void {
    this.#checkUnsent();
    this.#continued = true;
    if (this.#awaitsContinue) this.socket?.write("HTTP/1.1 100 Continue\r\n\r\n", "latin1");
  }

  flushHeaders(): void {
    if (this.#begun || this.destroyed || this.socket === null) return;
    this.socket.write(this.#begin(undefined), "latin1");
  }

  write(body: Body, encoding?: BufferEncoding | Callback, callback?: Callback): boolean {
    const coding = typeof encoding === "string" ? encoding : "utf8";
    const done = typeof encoding === "function" ? encoding : callback;
    const { socket } = this;
    if (this.writableEnded || this.destroyed || socket === null) {
      this.#refuseWrite(done);
      return false;
    }
    const length = lengthOf(body, coding);
    if (!this.#keepsPromise(length, false)) {
      this.#refuseWrite(done);
      return false;
    }
    if (socket.writableCorked === 0) {
      socket.cork();
      process.nextTick(uncork, socket);
    }
    let goesOn = true;
    if (!this.#begun) goesOn = socket.write(this.#begin(undefined), "latin1");
    if (!this.#hasBody || length === 0) {
      if (done !== undefined) process.nextTick(done);
      return goesOn;
    }
    if (this.#head?.chunked === true) {
      socket.write(`${length.toString(16)}\r\n`, "latin1");
      writeTo(socket, body, coding);
      goesOn = socket.write("\r\n", "latin1", done);
    } else goesOn = writeTo(socket, body, coding, done);
    if (!goesOn) this.#needsDrain = true;
    return goesOn;
  }

  end(body?: Body | Callback, encoding?: BufferEncoding | Callback, callback?: Callback): this {
    const given = typeof body === "function" ? undefined : body;
    const coding = typeof encoding === "string" ? encoding : "utf8";
    const done = typeof body === "function" ? body : typeof encoding === "function" ? encoding : callback;
    const { socket } = this;
    if (this.writableEnded || this.destroyed || socket === null) {
      if (given !== undefined || !this.writableEnded) this.#refuseWrite(done);
      return this;
    }
    const length = given === undefined ? 0 : lengthOf(given, coding);
    if (!this.#keepsPromise(length, true)) return this;
    if (done !== undefined) this.once("finish", done);
    const { sent } = this.#sink;
    this.writableEnded = true;
    if (!this.#begun) {
      const head = this.#begin(length);
      if (!this.#hasBody || given === undefined || length === 0) this.#sink.send(head);
      else if (length <= copiedBytesMax) this.#sink.send(onePiece(head, given, coding, length));
      else {
        socket.cork();
        socket.write(head, "latin1");
        writeTo(socket, given, coding, sent);
        socket.uncork();
      }
    } else {
      socket.cork();
      if (given !== undefined && this.#hasBody && length > 0) {
        if (this.#head?.chunked === true) socket.write(`${length.toString(16)}\r\n`, "latin1");
        writeTo(socket, given, coding);
        if (this.#head?.chunked === true) socket.write("\r\n", "latin1");
      }
      if (this.#head?.chunked === true) socket.write("0\r\n\r\n", "latin1", sent);
      else if (socket.writableLength > 0) socket.write("", "latin1", sent);
      else process.nextTick(sent);
      socket.uncork();
    }
    return this;
  }

  destroy(error?: Error): this {
    if (this.destroyed) return this;
    this.destroyed = true;
    this.errored = error ?? null;
    this.socket?.destroy();
    return this;
  }

  /** For the connection: all has been handed to the network. */
  finish(): void {
    this.writableFinished = true;
    this.emit("finish");
    this.lose();
  }

  /** For the connection: it serves this answer no more. */
  lose(): void {
    if (this.closed) return;
    this.destroyed = true;
    this.closed = true;
    this.socket = null;
    this.emit("close");
  }

  /** For the connection: there is room for more. */
  drained(): void {
    if (!this.writableNeedDrain) return;
    this.#needsDrain = false;
    this.emit("drain");
  }

  /** The whole head, now that it is known how the body is sent. */
  #begin(length: number | undefined): string {
    if (this.#head === undefined) this.writeHead(this.statusCode);
    const head = this.#head;
    if (head === undefined) return "";
    this.#begun = true;
    let { text } = head;
    if (this.sendDate && !head.hasDate) text += this.#sink.dateLine();
    const asked = head.chunked;
    head.chunked = false;
    if (this.#hasBody && head.length === undefined) {
      if (length !== undefined && !asked) {
        head.length = length;
        text += `Content-Length: ${length}\r\n`;
      } else if (this.#minor === 1) {
        head.chunked = true;
        text += "Transfer-Encoding: chunked\r\n";
      } else this.shouldKeepAlive = false;
    }
    this.last = head.connection === "close" || !this.shouldKeepAlive;
    if (head.connection === undefined) text += this.last ? "Connection: close\r\n" : this.#sink.keepAliveLines;
    return `${text}\r\n`;
  }

  #merge(headers: OutgoingHttpHeaders | OutgoingHttpHeader[] | undefined): OutgoingHttpHeader[] {
    const given: OutgoingHttpHeader[] = [];
    const named = new Set<string>();
    const add = (name: string, value: OutgoingHttpHeader | undefined) => {
      named.add(name.toLowerCase());
      checkHeader(this.#sink.names, name, value);
      if (value !== undefined) given.push(name, value);
    };
    if (Array.isArray(headers)) {
      for (let index = 0; index < headers.length; index += 2) add(String(headers[index]), headers[index + 1]);
    } else for (const [name, value] of Object.entries(headers ?? {})) add(name, value);
    const set: OutgoingHttpHeader[] = [];
    for (const [lower, [name, value]] of this.#set ?? []) if (!named.has(lower)) set.push(name, value);
    return [...set, ...given];
  }

  /**
   * More than was promised would be taken for the next answer, less would be waited for: neither is sent. It throws nothing, as
   * those who pipe streams could not catch it.
   */
  #keepsPromise(length: number, ends: boolean): boolean {
    const promised = this.#head?.length;
    if (promised === undefined || !this.#hasBody) return true;
    this.#bytes += length;
    if (this.#bytes === promised || (this.#bytes < promised && !ends)) return true;
    if (this.#bytes < promised && !this.strictContentLength) {
      this.shouldKeepAlive = false;
      this.last = true;
      return true;
    }
    const text = `The body has ${this.#bytes} bytes where Content-Length promised ${promised}`;
    this.destroy(Object.assign(new Error(text), { code: "ERR_HTTP_CONTENT_LENGTH_MISMATCH" }));
    return false;
  }

  #checkUnsent(): void {
    if (this.#head === undefined) return;
    throw Object.assign(new Error("Cannot set headers after they are sent to the client"), {
      code: "ERR_HTTP_HEADERS_SENT",
    });
  }

  #refuseWrite(done: Callback | undefined): void {
    const error = Object.assign(
      new Error(this.writableEnded ? "write after end" : "Cannot call write after a stream was destroyed"),
      {
        code: this.writableEnded ? "ERR_STREAM_WRITE_AFTER_END" : "ERR_STREAM_DESTROYED",
      },
    );
    if (done !== undefined) process.nextTick(done, error);
  }
}

function uncork(socket: Socket): void {
  socket.uncork();
}

function lengthOf(body: Body, encoding: BufferEncoding): number {
  if (typeof body !== "string") return body.length;
  return encoding === "latin1" ? body.length : Buffer.byteLength(body, encoding);
}

function writeTo(socket: Socket, body: Body, encoding: BufferEncoding, done?: Callback): boolean {
  return typeof body === "string" ? socket.write(body, encoding, done) : socket.write(body, done);
}

/** Head and body in one piece. */
function onePiece(head: string, body: Body, encoding: BufferEncoding, length: number): string | Buffer {
  // ASCII: the same bytes in either.
  if (typeof body === "string" && (encoding === "latin1" || (encoding === "utf8" && length === body.length))) {
    return head + body;
  }
  const whole = Buffer.allocUnsafe(head.length + length);
  whole.write(head, "latin1");
  if (typeof body === "string") whole.write(body, head.length, encoding);
  else whole.set(body, head.length);
  return whole;
}
