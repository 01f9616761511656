"use strict";
const { Writable } = require("node:stream");
const { failure } = require("./errors.cjs");

/** What AWS marks streaming handlers with; wrappers such as middy look for it. */
const streaming = Symbol.for("aws.lambda.runtime.handler.streaming");
const streamingHighWaterMark = Symbol.for("aws.lambda.runtime.handler.streaming.highWaterMark");

const httpIntegration = "application/vnd.awslambda.http-integration-response";
const frameBytesMax = 65_536;

/** The global that functions find. */
const awslambda = {
  streamifyResponse(handler, options) {
    handler[streaming] = "response";
    if (typeof options?.highWaterMark === "number")
      handler[streamingHighWaterMark] = Number.parseInt(options.highWaterMark, 10);
    return handler;
  },
  HttpResponseStream: {
    /** Status, headers and cookies go first: as JSON, then eight zero bytes. */
    from(underlyingStream, prelude) {
      underlyingStream.setContentType(httpIntegration);
      underlyingStream._onBeforeFirstWrite = (write) => {
        write(JSON.stringify(prelude));
        write(new Uint8Array(8));
      };
      return underlyingStream;
    },
  },
};

/** The stream that a handler writes its answer to. `begin(contentType)` is called once, then `write(bytes, done)`. */
class ResponseStream extends Writable {
  #link;
  #contentType;
  #begun = false;

  constructor(link, highWaterMark) {
    super(highWaterMark > 0 ? { highWaterMark } : {});
    this.#link = link;
  }

  setContentType(contentType) {
    if (this.#begun) throw failure("Runtime.InvalidStreamingOperation", "Cannot set content-type, too late.");
    this.#contentType = contentType;
  }

  /** AWS: whatever is neither text nor bytes is written as JSON. */
  write(chunk, ...rest) {
    const plain = typeof chunk === "string" || chunk instanceof Uint8Array;
    return super.write(plain || chunk === null ? chunk : JSON.stringify(chunk), ...rest);
  }

  end(...given) {
    const [chunk, ...rest] = given;
    const writes = given.length > 0 && typeof chunk !== "function" && chunk !== undefined && chunk !== null;
    if (!writes) return super.end(...given);
    if (typeof rest[0] === "string") this.write(chunk, rest.shift());
    else this.write(chunk);
    return super.end(...rest.filter((each) => typeof each === "function"));
  }

  _write(chunk, _encoding, done) {
    this.#begin();
    this.#send(chunk, done);
  }

  _final(done) {
    this.#begin();
    done();
  }

  #begin() {
    if (this.#begun) return;
    this.#begun = true;
    this.#link.begin(this.#contentType ?? "application/octet-stream");
    this._onBeforeFirstWrite?.((chunk) => this.#send(Buffer.from(chunk), undefined));
  }

  #send(bytes, done) {
    if (bytes.length === 0) return done?.();
    for (let at = 0; at < bytes.length; at += frameBytesMax) {
      const last = at + frameBytesMax >= bytes.length;
      this.#link.write(bytes.subarray(at, at + frameBytesMax), last ? done : undefined);
    }
  }
}

/**
 * Run a streaming handler. `link` has `begin`, `write`, `end` (the answer is complete), `ready` (and so is the invocation) and
 * `reject`.
 */
function runStreaming(handler, event, context, link) {
  const stream = new ResponseStream(link, handler[streamingHighWaterMark]);
  const ended = new Promise((resolve, reject) => {
    stream.once("finish", () => {
      link.end();
      resolve();
    });
    stream.once("error", reject);
    // Destroyed without a word: the answer will never be complete.
    stream.once("close", () => reject(failure("Runtime.StreamError", "The response stream was closed before its end")));
  });
  let answer;
  try {
    answer = handler(event, stream, context);
  } catch (error) {
    link.reject(error);
    return;
  }
  if (typeof answer?.then !== "function") {
    link.reject(new Error("Streaming does not support non-async handlers."));
    ended.catch(() => {});
    return;
  }
  Promise.all([answer, ended]).then(
    ([value]) => {
      // oxlint-disable-next-line no-console -- the function is told in its own log, as AWS does
      if (value !== undefined) console.warn("Streaming handlers ignore return values.");
      link.ready();
    },
    (error) => link.reject(error),
  );
}

module.exports = { awslambda, runStreaming };
