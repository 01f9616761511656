import type { ResponseSink } from "../../../compute/compute.ts";
import { parsePrelude, preludeSeparator, sendStreamed } from "../../../proxy/streamed-prelude.ts";
import { integrationLimits as limits } from "../integrations/limits.ts";
import { noteReturned } from "../integrations/note-function.ts";
import type { LambdaCallOutcome } from "../lambda-call.ts";
import { answerHeaders, refuse, type RestRequest } from "./request.ts";

/** An answer that is sent while its function runs. */
export interface StreamedAnswer {
  readonly sink: ResponseSink;
  /** The function has ended: complete the answer, or break it off. */
  finish(outcome: LambdaCallOutcome): void;
}

/**
 * Answer with what a function streams, as integrations with `responseTransferMode` STREAM do.
 *
 * AWS: a function that does not begin with status and headers is malformed, as is one that does not stream at all.
 */
export function createStreamedAnswer(request: RestRequest): StreamedAnswer {
  const { exchange } = request;
  const { response } = exchange;
  let prelude: Buffer | undefined = Buffer.alloc(0);
  let status = 0;
  let isOver = false;
  // What comes in pieces is not kept by a cache.
  exchange.capture = undefined;

  const fail = (refusal: () => void) => {
    if (isOver) return;
    isOver = true;
    // A client that has the head already can be told only by an answer that breaks off.
    if (response.headersSent) response.destroy();
    else refusal();
  };
  const malformed = () => fail(() => refuse(request, "MALFORMED_RESPONSE"));
  /** Bytes after the prelude, once it is complete. */
  const readPrelude = (before: Buffer, bytes: Buffer): Buffer | undefined => {
    const read = Buffer.concat([before, bytes]);
    const end = read.indexOf(preludeSeparator);
    if (end === -1) {
      prelude = read;
      if (read.length > limits.preludeBytesMax) malformed();
      return undefined;
    }
    prelude = undefined;
    const parsed = parsePrelude(read.subarray(0, end));
    if (parsed === undefined) {
      malformed();
      return undefined;
    }
    status = parsed.statusCode;
    const type = parsed.hasContentType ? [] : ["Content-Type", "application/json"];
    response.writeHead(status, [...parsed.headers, ...type, ...answerHeaders(exchange)]);
    response.flushHeaders();
    return read.subarray(end + preludeSeparator.length);
  };

  return {
    sink: {
      start: () => undefined,
      write(bytes) {
        if (isOver) return undefined;
        const chunk = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
        const body = prelude === undefined ? chunk : readPrelude(prelude, chunk);
        return body === undefined || body.length === 0 || isOver
          ? undefined
          : sendStreamed(response, body, limits.streamedBytesHeld);
      },
      end: () => undefined,
    },
    finish(outcome) {
      if (outcome.outcome === "late") return fail(() => refuse(request, "INTEGRATION_TIMEOUT"));
      if (outcome.outcome === "refused") return fail(() => refuse(request, "API_CONFIGURATION_ERROR"));
      if (outcome.outcome === "failed" || prelude !== undefined) return malformed();
      if (isOver) return;
      isOver = true;
      noteReturned(request, status);
      response.end();
      exchange.meter?.answered(status, exchange.now);
    },
  };
}
