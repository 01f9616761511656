import type { Duplex } from "node:stream";
import type { Invocation } from "./compute.ts";
import { createFrameReader, encodeInvoke, frameKind } from "./frames.ts";
import type { ComputeLimits } from "./limits.ts";
import type { RuntimeEvents, RuntimeLink } from "./link.ts";

/** Speaks frames with a bootstrap of ours that has been told to begin. */
export function createFrameLink(channel: Duplex, events: RuntimeEvents, limits: ComputeLimits): RuntimeLink {
  const onFrame = (kind: number, body: Buffer) => {
    // Copies: the frame lies in a read buffer that is used again.
    switch (kind) {
      case frameKind.initialized:
        return events.next();
      case frameKind.initError:
        return events.initError(Buffer.from(body));
      case frameKind.response:
        return events.response(Buffer.from(body)) && events.next();
      case frameKind.error:
        return events.error(Buffer.from(body)) && events.next();
      case frameKind.fatal:
        return events.error(Buffer.from(body));
      case frameKind.streamStart:
        return events.streamStart(body.toString("utf8"));
      case frameKind.streamChunk:
        if (!events.streamChunk(Buffer.from(body))) return false;
        holdWhileBlocked();
        return true;
      case frameKind.streamEnd:
        return events.streamEnd();
      default:
        return false;
    }
  };
  let waiting: Promise<void> | undefined;
  /** Whoever takes the answer is slow: so is the function then, whose writes wait for us to read. */
  const holdWhileBlocked = () => {
    const blocked = events.streamBlocked();
    if (blocked === undefined) return;
    waiting = blocked;
    channel.pause();
    void blocked.then(() => {
      if (waiting === blocked) channel.resume();
    });
  };
  const refuse = (kind: number) => events.violation(`frame ${kind} is out of place`);
  channel.on(
    "data",
    createFrameReader(
      {
        frame: (kind, body) => {
          if (!onFrame(kind, body)) refuse(kind);
        },
        oversized: (kind) => {
          const known = kind === frameKind.response || kind === frameKind.error;
          if (!known || !(events.responseTooLarge() && events.next())) refuse(kind);
        },
      },
      limits.responseBytesMax,
    ),
  );
  let held: Uint8Array[] = [];
  let soon = false;
  const sendHeld = () => {
    soon = false;
    if (held.length === 0) return;
    const parts = held;
    held = [];
    // A payload that was not copied into its frame is not copied into this either.
    if (parts.some(({ length }) => length > concatenatedBytesMax)) for (const part of parts) channel.write(part);
    else channel.write(parts.length === 1 ? parts[0] : Buffer.concat(parts));
  };

  return {
    invoke(invocation, deadlineMs, follows) {
      const parts = encodeInvoke(encodeInvokeHeader(invocation, deadlineMs), invocation.payload);
      const first = held.length === 0;
      for (const part of parts) held.push(part);
      if (!follows) {
        // The runtime waits: it is woken once, with all that it is given by whoever gives it this.
        if (!soon) queueMicrotask(sendHeld);
        soon = true;
      } else if (first) {
        // It is busy: what comes for it in one round of the event loop is sent together.
        setImmediate(sendHeld);
      }
    },
    close: () => channel.destroy(),
  };
}

const concatenatedBytesMax = 131_072;

/** By hand: a general serializer of seven members, five of them mostly absent, costs more than the frame. */
export function encodeInvokeHeader(invocation: Invocation, deadlineMs: number): string {
  const { requestId, invokedFunctionArn, traceId, clientContext, cognitoIdentity, tenantId } = invocation;
  let json = `{"requestId":${JSON.stringify(requestId)},"deadlineMs":${deadlineMs},"invokedFunctionArn":${JSON.stringify(invokedFunctionArn)}`;
  if (traceId !== undefined) json += `,"traceId":${JSON.stringify(traceId)}`;
  if (clientContext !== undefined) json += `,"clientContext":${JSON.stringify(clientContext)}`;
  if (cognitoIdentity !== undefined) json += `,"cognitoIdentity":${JSON.stringify(cognitoIdentity)}`;
  if (tenantId !== undefined) json += `,"tenantId":${JSON.stringify(tenantId)}`;
  return `${json}}`;
}
