import type { InvocationOutcome, ResponseSink } from "../../compute/compute.ts";
import type { Invoked } from "./invoker.ts";
import { lambdaLimits } from "./limits.ts";

/** Source: API reference, InvokeWithResponseStreamResponseEvent. */
export type ResponseEvent =
  | { readonly PayloadChunk: { readonly Payload: Uint8Array } }
  | {
      readonly InvokeComplete: {
        readonly ErrorCode?: string;
        readonly ErrorDetails?: string;
        readonly LogResult?: string;
      };
    };

/**
 * Run an invocation whose answer is read as events while it comes. Resolves when the function has begun to answer, or has
 * answered; rejects when it did not run. Who reads slowly slows the function down.
 *
 * @param gone aborted when nobody reads any more: what the function still says is dropped, and it runs to its end
 */
export async function runAsEvents(
  run: (sink: (version: string) => ResponseSink) => Promise<Invoked>,
  gone: AbortSignal,
): Promise<{ readonly version: string; readonly events: AsyncIterable<ResponseEvent> }> {
  const queue = createQueue();
  if (gone.aborted) queue.close();
  else gone.addEventListener("abort", queue.close, { once: true });
  const began = Promise.withResolvers<string>();
  run((version) => ({
    start: () => began.resolve(version),
    write: queue.push,
    end: () => undefined,
  })).then(
    ({ outcome, version }) => {
      began.resolve(version);
      queue.finish(outcome);
    },
    (error: unknown) => {
      began.reject(error);
      queue.fail(error);
    },
  );
  return { version: await began.promise, events: queue.events() };
}

interface Queue {
  /** With a promise, the queue is full until it settles. */
  push(bytes: Uint8Array): Promise<void> | undefined;
  finish(outcome: InvocationOutcome): void;
  fail(error: unknown): void;
  close(): void;
  events(): AsyncIterable<ResponseEvent>;
}

type End = { readonly outcome: InvocationOutcome } | { readonly error: unknown };

function createQueue(): Queue {
  let chunks: Uint8Array[] = [];
  let bytes = 0;
  let closed = false;
  let end: End | undefined;
  let hasRoom: PromiseWithResolvers<void> | undefined;
  let hasNews: PromiseWithResolvers<void> | undefined;

  const tell = () => {
    hasNews?.resolve();
    hasNews = undefined;
  };
  const take = () => {
    const chunk = chunks.shift();
    bytes -= chunk?.byteLength ?? 0;
    if (bytes < lambdaLimits.streamedBytesHeld) {
      hasRoom?.resolve();
      hasRoom = undefined;
    }
    return chunk;
  };
  const close = () => {
    closed = true;
    chunks = [];
    bytes = 0;
    take();
    tell();
  };
  async function* read(): AsyncGenerator<ResponseEvent> {
    try {
      for (;;) {
        if (closed) return;
        const chunk = take();
        if (chunk !== undefined) {
          yield { PayloadChunk: { Payload: chunk } };
        } else if (end !== undefined) {
          if ("error" in end) throw end.error;
          yield* lastEvents(end.outcome);
          return;
        } else {
          hasNews = Promise.withResolvers();
          await hasNews.promise;
        }
      }
    } finally {
      close();
    }
  }

  return {
    push(chunk) {
      if (closed || chunk.byteLength === 0) return undefined;
      chunks.push(chunk);
      bytes += chunk.byteLength;
      tell();
      if (bytes < lambdaLimits.streamedBytesHeld) return undefined;
      hasRoom ??= Promise.withResolvers();
      return hasRoom.promise;
    },
    finish(outcome) {
      end = { outcome };
      tell();
    },
    fail(error) {
      end = { error };
      tell();
    },
    close,
    events: read,
  };
}

/** What a function answered at once, where it did not stream, and how it ended. */
function* lastEvents(outcome: InvocationOutcome): Iterable<ResponseEvent> {
  const logResult = outcome.logTail && { LogResult: Buffer.from(outcome.logTail).toString("base64") };
  if (outcome.outcome === "error") {
    const ErrorDetails = Buffer.from(outcome.payload).toString("utf8");
    yield { InvokeComplete: { ErrorCode: "Unhandled", ErrorDetails, ...logResult } };
    return;
  }
  for (let at = 0; at < outcome.payload.byteLength; at += lambdaLimits.streamChunkBytes) {
    yield { PayloadChunk: { Payload: outcome.payload.subarray(at, at + lambdaLimits.streamChunkBytes) } };
  }
  yield { InvokeComplete: { ...logResult } };
}
