import { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { type ChunkedBody, createChunkedBody } from "./chunked-body.ts";
import { type HeaderNames, joinHeaders } from "./header-names.ts";
import { http1Limits } from "./limits.ts";
import type { Outbox } from "./outbox.ts";
import { parseHead, type RequestHead } from "./parse-head.ts";
import { Http1Request, type RequestSource } from "./request.ts";
import { Http1Response, type ResponseSink } from "./response.ts";
import type { SentNames } from "./sent-names.ts";

/** What is asked of a client that is refused: its connection ends with this. */
export type Refusal = 400 | 408 | 431;

/** What the connections of a server have in common. */
export interface ConnectionNeeds {
  readonly headerNames: HeaderNames;
  readonly sentNames: SentNames;
  readonly headBytesMax: number;
  /** Of a connection that is kept, with their lines' ends. */
  readonly keepAliveLines: string;
  /** Looks at the connections that there were so far: each is as long as the server's. */
  readonly looks: { count: number };
  /** In looks. */
  readonly limits: ConnectionLimits;
  readonly outbox: Outbox;
  dateLine(): string;
  onRequest(request: Http1Request, response: Http1Response): void;
  /** The client waits for `100 Continue` before it sends the body. */
  onExpectContinue(request: Http1Request, response: Http1Response): void;
  /** Whether the connection goes on with what the client offers. */
  shouldUpgrade(request: Http1Request): boolean;
  onUpgrade(message: IncomingMessage, socket: Socket, head: Buffer): void;
  closed(connection: Connection): void;
}

export interface ConnectionLimits {
  readonly head: number;
  readonly request: number;
  readonly idle: number;
  readonly linger: number;
}

type State =
  /** Waits for a request's head, or has a part of it. */
  | "head"
  /** The body is coming; the answer may have been given. */
  | "body"
  /** The request is whole; its answer is not. */
  | "answering"
  /** The last answer has been given: what comes is for nobody. */
  | "closing"
  /** The socket is closed, or another's. */
  | "gone";

/**
 * A connection of HTTP/1.1: one request after the other. What a client sends before it has its answer waits, within limits, in the
 * order in which it came.
 */
export class Connection implements RequestSource, ResponseSink {
  readonly socket: Socket;
  readonly #needs: ConnectionNeeds;
  #state: State = "head";
  #request: Http1Request | undefined = undefined;
  #response: Http1Response | undefined = undefined;
  /** A head that has not come whole. */
  #partial: Buffer | undefined = undefined;
  /** What has come behind the request that is being answered. */
  #ahead: Buffer | undefined = undefined;
  /** What is left of a body of known length. */
  #left = 0;
  #chunks: ChunkedBody | undefined = undefined;
  #isUsed = false;
  /** The answer was given before the body had come. */
  #isAnswered = false;
  #isPaused = false;
  /** The client sends no more. */
  #isEnded = false;
  /** The look at which what is waited for now began. */
  #since: number;
  /** The last at which something of the body came. */
  #cameAt = 0;

  constructor(socket: Socket, needs: ConnectionNeeds) {
    this.socket = socket;
    this.#needs = needs;
    this.#since = needs.looks.count;
    socket.on("data", this.#onData);
    socket.on("end", this.#onEnd);
    socket.on("error", ignore);
    socket.on("close", this.#onClose);
    socket.on("drain", this.#onDrain);
  }

  get names(): SentNames {
    return this.#needs.sentNames;
  }

  get keepAliveLines(): string {
    return this.#needs.keepAliveLines;
  }

  dateLine(): string {
    return this.#needs.dateLine();
  }

  send(data: string | Buffer): void {
    // Who has asked for more on this connection, or will ask for nothing, is answered at once.
    if (this.#ahead !== undefined || this.#isEnded) {
      if (typeof data === "string") this.socket.write(data, "latin1", this.sent);
      else this.socket.write(data, this.sent);
    } else this.#needs.outbox.add(this.socket, data, this.sent);
  }

  /** No request is under way on it: nor has any been, perhaps. */
  get isIdle(): boolean {
    return this.#state === "head" && this.#partial === undefined;
  }

  /** Nothing was ever asked on it. */
  get isUnused(): boolean {
    return !this.#isUsed && this.isIdle;
  }

  readMore(): void {
    // In the order in which things came: what waits behind the request is read after it.
    if (this.#isPaused && this.#ahead === undefined) this.#resume();
  }

  cut(): void {
    this.socket.destroy();
  }

  /** Called from time to time: ends what takes too long. */
  look(): void {
    const { limits, looks } = this.#needs;
    const waited = looks.count - this.#since;
    switch (this.#state) {
      case "head":
        if (this.#partial !== undefined || !this.#isUsed) {
          if (waited > limits.head) this.#refuse(408);
        } else if (waited > limits.idle) this.socket.destroy();
        break;
      case "body":
        if (waited > limits.request) this.#refuse(408);
        else if (this.#isAnswered && looks.count - this.#cameAt > limits.idle) this.socket.destroy();
        break;
      case "closing":
        if (waited > limits.linger) this.socket.destroy();
        break;
      case "answering":
      case "gone":
        break;
      default:
        this.#state satisfies never;
    }
  }

  /** The network has the last of an answer. */
  readonly sent = (error?: Error | null): void => {
    const response = this.#response;
    // A write that failed closes the socket, which is told of next.
    if (error || response === undefined || !response.writableEnded || response.writableFinished) return;
    this.#response = undefined;
    response.finish();
    if (this.#state !== "body" && this.#state !== "answering") return;
    if (response.last) this.#close();
    else if (this.#state === "answering") this.#next();
    else {
      this.#isAnswered = true;
      this.#request?.discard();
      this.#cameAt = this.#needs.looks.count;
      this.#resume();
    }
  };

  readonly #onData = (bytes: Buffer): void => {
    this.#take(bytes);
  };

  readonly #onEnd = (): void => {
    this.#isEnded = true;
    this.#end();
  };

  readonly #endSoon = (): void => {
    if (this.#state !== "closing" && this.#state !== "gone") this.#end();
  };

  readonly #onClose = (): void => {
    this.#state = "gone";
    this.#partial = undefined;
    this.#ahead = undefined;
    const response = this.#response;
    this.#response = undefined;
    this.#request?.lose();
    response?.lose();
    this.#needs.closed(this);
  };

  readonly #onDrain = (): void => {
    this.#response?.drained();
  };

  #take(bytes: Buffer): void {
    switch (this.#state) {
      case "head":
        this.#takeHead(this.#partial === undefined ? bytes : Buffer.concat([this.#partial, bytes]), bytes.length);
        break;
      case "body": {
        this.#cameAt = this.#needs.looks.count;
        const rest = this.#takeBody(bytes, 0);
        if (rest === false) this.#refuse(400);
        else if (rest !== undefined) {
          if (rest < bytes.length) this.#wait(bytes.subarray(rest));
          this.#came();
        }
        break;
      }
      case "answering":
        this.#wait(bytes);
        break;
      case "closing":
      case "gone":
        break;
      default:
        this.#state satisfies never;
    }
  }

  /** @param added how many of the bytes, at their end, have not been looked at */
  #takeHead(bytes: Buffer, added: number): void {
    // Some clients end a body with a line of its own. Source: RFC 9112, 2.2.
    let from = 0;
    while (bytes[from] === carriageReturn && bytes[from + 1] === lineFeed) from += 2;
    if (from === bytes.length) {
      this.#partial = undefined;
      return;
    }
    if (this.#partial === undefined) this.#since = this.#needs.looks.count;
    const seen = bytes.length - added;
    const emptyLine = bytes.indexOf("\r\n\r\n", Math.max(from, seen - 3), "latin1");
    const end = emptyLine === -1 ? bytes.length : emptyLine + 4;
    if (end - from > this.#needs.headBytesMax) return this.#refuse(431);
    // What cannot become a head is refused at once; but not each letter of it is worth a look.
    if (emptyLine === -1 && bytes.length > glanceBytesMax && bytes.indexOf(lineFeed, seen) === -1) {
      this.#partial = bytes;
      return;
    }
    if (end - from === 1 && bytes[from] === carriageReturn) {
      this.#partial = bytes;
      return;
    }
    const head = parseHead(bytes.toString("latin1", from, end), this.#needs.headerNames);
    if (head === undefined) {
      // An empty line in the wrong place would have been refused.
      this.#partial = bytes;
      return;
    }
    this.#partial = undefined;
    if (typeof head === "number") return this.#refuse(head);
    this.#begin(head, bytes, end);
  }

  #begin(head: RequestHead, bytes: Buffer, bodyAt: number): void {
    const needs = this.#needs;
    this.#isUsed = true;
    const request = new Http1Request(head, this);
    if (head.upgrade && head.body === 0 && needs.shouldUpgrade(request)) {
      this.#handOver(head, bytes.subarray(bodyAt));
      return;
    }
    this.#request = request;
    this.#isAnswered = false;
    this.#state = "body";
    this.#cameAt = needs.looks.count;
    if (head.body === "chunked") this.#chunks = createChunkedBody(needs.headBytesMax);
    else this.#left = head.body;
    const rest = this.#takeBody(bytes, bodyAt);
    if (rest === false) return this.#refuse(400);
    const response = new Http1Response(request, head, this);
    this.#response = response;
    if (rest !== undefined) {
      if (rest < bytes.length) this.#wait(bytes.subarray(rest));
      this.#came();
    }
    if (head.expect === "") needs.onRequest(request, response);
    else if (head.expect === "100-continue") needs.onExpectContinue(request, response);
    else response.writeHead(417).end();
  }

  /** @returns where what follows the body begins; undefined where the body goes on, false for what is none */
  #takeBody(bytes: Buffer, from: number): number | undefined | false {
    const request = this.#request;
    if (request === undefined) return undefined;
    if (this.#chunks !== undefined) {
      return this.#chunks.read(bytes, from, (piece) => {
        if (!request.receive(piece)) this.#pause();
      });
    }
    const taken = Math.min(this.#left, bytes.length - from);
    if (taken > 0) {
      this.#left -= taken;
      // Most come alone, and need not be cut out.
      if (!request.receive(taken === bytes.length ? bytes : bytes.subarray(from, from + taken))) this.#pause();
    }
    return this.#left === 0 ? from + taken : undefined;
  }

  /** The whole body has come. */
  #came(): void {
    this.#chunks = undefined;
    this.#state = "answering";
    this.#request?.finish();
    if (this.#isAnswered) this.#next();
  }

  #next(): void {
    this.#request = undefined;
    this.#state = "head";
    this.#since = this.#needs.looks.count;
    const ahead = this.#ahead;
    this.#ahead = undefined;
    this.#resume();
    if (ahead !== undefined) this.#take(ahead);
    // What was asked before the end, and can be answered in this turn, is answered.
    if (this.#isEnded) setImmediate(this.#endSoon);
  }

  /** What the client has sent ahead of its answer waits; more than a little is not read. */
  #wait(bytes: Buffer): void {
    this.#ahead = this.#ahead === undefined ? bytes : Buffer.concat([this.#ahead, bytes]);
    if (this.#ahead.length >= http1Limits.heldBytesMax) this.#pause();
  }

  /** The client sends no more. */
  #end(): void {
    if (this.#state === "answering" && this.#response?.writableEnded === true) {
      // Its answer is there; what else was asked is looked at when that has been sent.
      this.#needs.outbox.flush();
    } else if (this.#state === "head" && this.#partial === undefined) {
      this.#state = "closing";
      this.#since = this.#needs.looks.count;
      this.socket.end();
    } else if (this.#state === "head" || this.#state === "body") this.#refuse(400);
    // Whoever goes away in the ordinary way says no more than this: what is asked for is not worth its while.
    else this.socket.end();
  }

  /** After the last answer. */
  #close(): void {
    const isWhole = this.#state === "answering";
    this.#state = "closing";
    this.#since = this.#needs.looks.count;
    this.#ahead = undefined;
    this.#request?.discard();
    this.#resume();
    // A client that is still sending would have its answer taken away by a connection that is closed under it.
    if (isWhole || this.#isEnded) this.socket.destroySoon();
    else this.socket.end();
  }

  /** What is not HTTP, is too large or too slow. */
  #refuse(status: Refusal): void {
    const response = this.#response;
    const isBegun = response?.begun === true || (this.#state === "body" && this.#isAnswered);
    this.#state = "closing";
    this.#since = this.#needs.looks.count;
    this.#partial = undefined;
    this.#response = undefined;
    if (this.socket.writable && !isBegun) {
      this.socket.end(`HTTP/1.1 ${reasons[status]}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`, "latin1");
      this.#resume();
    } else this.socket.destroy();
    this.#request?.lose();
    response?.lose();
  }

  #handOver(head: RequestHead, unread: Buffer): void {
    const { socket } = this;
    this.#state = "gone";
    socket.off("data", this.#onData);
    socket.off("end", this.#onEnd);
    socket.off("error", ignore);
    socket.off("close", this.#onClose);
    socket.off("drain", this.#onDrain);
    // It flows again when its new owner listens.
    Reflect.set(socket, "readableFlowing", null);
    const message = new IncomingMessage(socket);
    message.method = head.method;
    message.url = head.target;
    message.httpVersion = `1.${head.minor}`;
    message.httpVersionMajor = 1;
    message.httpVersionMinor = head.minor;
    message.rawHeaders = head.raw;
    message.headers = joinHeaders(head.names, head.raw);
    message.complete = true;
    this.#needs.closed(this);
    this.#needs.onUpgrade(message, socket, unread);
  }

  #pause(): void {
    if (this.#isPaused) return;
    this.#isPaused = true;
    this.socket.pause();
  }

  #resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.socket.resume();
  }
}

const carriageReturn = 13;
const lineFeed = 10;

/** Up to so many bytes each piece of a head is looked at. */
const glanceBytesMax = 64;

const reasons: Readonly<Record<Refusal, string>> = {
  400: "400 Bad Request",
  408: "408 Request Timeout",
  431: "431 Request Header Fields Too Large",
};

/** What breaks a socket closes it, which is told of next. */
function ignore(): void {}
