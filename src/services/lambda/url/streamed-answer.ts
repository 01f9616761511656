import type { InvocationOutcome, ResponseSink } from "../../../compute/compute.ts";
import type { Exchange } from "../../../proxy/exchange.ts";
import { parseResponseV2 } from "../../../proxy/lambda-response.ts";
import { sentHeaderValue } from "../../../proxy/response-headers.ts";
import { send } from "../../../proxy/send.ts";
import { parsePrelude, preludeSeparator, sendStreamed } from "../../../proxy/streamed-prelude.ts";
import { lambdaLimits } from "../limits.ts";
import { answerFailure, answerPayload, ownHeaders } from "./answers.ts";
import type { CompiledUrlCors } from "./cors.ts";

/** An answer that is sent while its function runs. */
export interface StreamedAnswer {
  readonly sink: ResponseSink;
  /** The function has ended: complete the answer, or break it off. */
  finish(outcome: InvocationOutcome): void;
}

/** Of answers that begin with status, headers and cookies: JSON, then eight zero bytes, then the body. */
const httpIntegration = "application/vnd.awslambda.http-integration-response";

/** Answer with what a function streams, as URLs in the mode RESPONSE_STREAM do. */
export function createStreamedAnswer(exchange: Exchange, cors: CompiledUrlCors | undefined): StreamedAnswer {
  const { response } = exchange;
  let prelude: Buffer | undefined;
  let failed = false;

  const fail = () => {
    if (failed) return;
    failed = true;
    prelude = undefined;
    // A client that has the head already can be told only by an answer that breaks off.
    if (response.headersSent) response.destroy();
    else answerFailure(exchange, cors);
  };
  const begin = (status: number, headers: readonly string[], contentType: string | undefined) => {
    const type = contentType === undefined ? [] : ["Content-Type", contentType];
    response.writeHead(status, [...ownHeaders(exchange, cors), ...headers, ...type]);
    response.flushHeaders();
  };
  /** Bytes after the prelude, once it is complete. */
  const readPrelude = (bytes: Buffer): Buffer | undefined => {
    const read = prelude === undefined ? bytes : Buffer.concat([prelude, bytes]);
    const end = read.indexOf(preludeSeparator);
    if (end === -1) {
      prelude = read;
      if (read.length > lambdaLimits.preludeBytesMax) fail();
      return undefined;
    }
    prelude = undefined;
    const parsed = parsePrelude(read.subarray(0, end));
    if (parsed === undefined) {
      fail();
      return undefined;
    }
    begin(parsed.statusCode, parsed.headers, parsed.hasContentType ? undefined : "application/octet-stream");
    return read.subarray(end + preludeSeparator.length);
  };

  return {
    sink: {
      start(contentType) {
        if (contentType === httpIntegration) prelude = Buffer.alloc(0);
        else {
          // It is the function's to say: what cannot be sent must not break more than its answer.
          const type = contentType.length > lambdaLimits.contentTypeMax ? undefined : sentHeaderValue(contentType);
          if (type === undefined) fail();
          else begin(200, [], type);
        }
      },
      write(bytes) {
        const chunk = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
        const body = failed ? undefined : prelude === undefined ? chunk : readPrelude(chunk);
        return body === undefined || body.length === 0
          ? undefined
          : sendStreamed(response, body, lambdaLimits.streamedBytesHeld);
      },
      end() {
        if (prelude !== undefined) fail();
        else if (!failed) response.end();
      },
    },
    finish(outcome) {
      if (outcome.outcome === "error") fail();
      // AWS: an answer that is not streamed is the body as it is, a response of format 2.0 too.
      else if (outcome.stream === undefined) {
        const headers = [...ownHeaders(exchange, cors), "Content-Type", "application/json"];
        send(response, 200, headers, toBuffer(outcome.payload));
      }
    },
  };
}

/** In the mode BUFFERED, what a function streamed and was gathered: format 2.0 where it is that. */
export function answerGathered(
  exchange: Exchange,
  cors: CompiledUrlCors | undefined,
  outcome: InvocationOutcome,
): void {
  const contentType = outcome.stream?.contentType ?? "";
  if (contentType !== httpIntegration && parseResponseV2(outcome.payload) !== undefined) {
    answerPayload(exchange, cors, outcome.payload);
    return;
  }
  const { sink } = createStreamedAnswer(exchange, cors);
  sink.start(contentType);
  void sink.write(outcome.payload);
  sink.end();
}

function toBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
