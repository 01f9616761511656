import type { Duplex } from "node:stream";
import type { Invocation } from "../compute.ts";
import { createFrameReader, encodeFrame, encodeInvoke, frameKind } from "../frames.ts";
import { encodeInvokeHeader } from "../frame-link.ts";
import type { ComputeLimits } from "../limits.ts";
import type { ConcurrentEvents, ConcurrentLink } from "./concurrent-link.ts";

/** Frames of runtimes with several invocations at once. The body begins with the request's id: `u8` length, text. */
const concurrentKind = {
  /** To the environment: the bytes of a streamed answer that came last have been taken. */
  taken: 4,
  /** From it: `u32`, the invocations that it takes at once. */
  slots: 0x90,
  response: 0x91,
  error: 0x92,
  streamStart: 0x93,
  streamChunk: 0x94,
  streamEnd: 0x95,
  /** The worker that had this invocation has ended. */
  lost: 0x96,
} as const;

/** Of a frame, beside its payload. */
const headBytesMax = 256;

/** Speaks frames with a bootstrap of ours whose workers share one channel. */
export function createConcurrentFrames(
  channel: Duplex,
  events: ConcurrentEvents,
  limits: ComputeLimits,
): ConcurrentLink {
  const onNamed = (kind: number, id: string, payload: Buffer): boolean => {
    switch (kind) {
      case concurrentKind.response:
        return payload.length > limits.responseBytesMax ? events.responseTooLarge(id) : events.response(id, payload);
      case concurrentKind.error:
        return events.error(id, payload);
      case concurrentKind.streamStart:
        return events.streamStart(id, payload.toString("utf8"));
      case concurrentKind.streamChunk:
        if (!events.streamChunk(id, payload)) return false;
        acknowledge(id);
        return true;
      case concurrentKind.streamEnd:
        return events.streamEnd(id);
      case concurrentKind.lost:
        return events.lost(id);
      default:
        return false;
    }
  };
  const acknowledge = (id: string) => {
    // Only whoever streams to a slow client waits: others share this channel.
    const blocked = events.streamBlocked(id);
    const send = () => {
      if (!channel.destroyed) channel.write(encodeFrame(concurrentKind.taken, Buffer.from(id)));
    };
    if (blocked === undefined) send();
    else void blocked.then(send);
  };
  const onFrame = (kind: number, body: Buffer): boolean => {
    if (kind === frameKind.initError) return events.initError(Buffer.from(body));
    if (kind === concurrentKind.slots) return body.length === 4 && events.slots(body.readUInt32BE(0));
    const idBytes = body[0];
    if (idBytes === undefined || body.length < 1 + idBytes) return false;
    // A copy: the frame lies in a read buffer that is used again.
    return onNamed(kind, body.toString("latin1", 1, 1 + idBytes), Buffer.from(body.subarray(1 + idBytes)));
  };
  channel.on(
    "data",
    createFrameReader(
      {
        frame: (kind, body) => {
          if (!onFrame(kind, body)) events.violation(`frame ${kind} is out of place`);
        },
        // Our bootstraps say themselves when an answer is too large: whoever sends more is none of ours.
        oversized: (kind) => events.violation(`frame ${kind} is too large`),
      },
      limits.responseBytesMax + headBytesMax,
    ),
  );

  return {
    invoke(invocation: Invocation, deadlineMs) {
      for (const part of encodeInvoke(encodeInvokeHeader(invocation, deadlineMs), invocation.payload)) {
        channel.write(part);
      }
    },
    close: () => channel.destroy(),
  };
}
