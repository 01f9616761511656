import type { Duplex } from "node:stream";
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
      default:
        return false;
    }
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
  return {
    invoke(invocation, deadlineMs) {
      const header = JSON.stringify({
        requestId: invocation.requestId,
        deadlineMs,
        invokedFunctionArn: invocation.invokedFunctionArn,
        traceId: invocation.traceId,
        clientContext: invocation.clientContext,
        cognitoIdentity: invocation.cognitoIdentity,
      });
      for (const part of encodeInvoke(header, invocation.payload)) channel.write(part);
    },
    close: () => channel.destroy(),
  };
}
