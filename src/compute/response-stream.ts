import type { ResponseSink } from "./compute.ts";

/** What a function streams in one invocation: handed on as it comes where somebody takes it, else gathered. */
export interface ResponseStream {
  readonly contentType: string;
  /** Whether somebody has been handed the bytes. */
  readonly delivered: boolean;
  write(bytes: Buffer): void;
  /** While it is there, no more bytes should be read from the runtime. */
  blocked(): Promise<void> | undefined;
  /** What was gathered (nothing when it was delivered), or undefined when it was more than it may be. */
  end(): Buffer | undefined;
  /** The invocation is over otherwise: what still comes is dropped. */
  close(): void;
}

export interface ResponseStreamLimits {
  readonly responseBytesMax: number;
  readonly streamedBytesMax: number;
}

export function openResponseStream(
  contentType: string,
  sink: ResponseSink | undefined,
  limits: ResponseStreamLimits,
): ResponseStream {
  const bytesMax = sink === undefined ? limits.responseBytesMax : limits.streamedBytesMax;
  const gathered: Buffer[] = [];
  let bytes = 0;
  let closed = false;
  let blocked: Promise<void> | undefined;
  sink?.start(contentType);
  return {
    contentType,
    delivered: sink !== undefined,
    write(chunk) {
      bytes += chunk.length;
      if (closed) return;
      if (bytes > bytesMax) {
        gathered.length = 0;
        return;
      }
      if (sink === undefined) {
        gathered.push(chunk);
        return;
      }
      const wait = sink.write(chunk);
      if (wait === undefined) return;
      const last = wait.then(() => {
        if (blocked === last) blocked = undefined;
      });
      blocked = last;
    },
    blocked: () => blocked,
    end() {
      closed = true;
      if (bytes > bytesMax) return undefined;
      sink?.end();
      return Buffer.concat(gathered);
    },
    close() {
      closed = true;
    },
  };
}
