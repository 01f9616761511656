import type { HttpRequest } from "./http-exchange.ts";

const empty = Buffer.alloc(0);

/**
 * Collect a request's body.
 *
 * @param done called once, with the body, or with undefined when it is larger than the limit (the rest is not read).
 *   Never called when the client goes away first.
 */
export function readBody(
  request: HttpRequest,
  hasBody: boolean,
  bytesMax: number,
  done: (body: Buffer | undefined) => void,
): void {
  if (!hasBody) {
    done(empty);
    return;
  }
  const came = request.takeWhole?.();
  if (came !== undefined) {
    done(came.length > bytesMax ? undefined : came);
    return;
  }
  const chunks: Buffer[] = [];
  let bytes = 0;
  const onData = (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes <= bytesMax) {
      chunks.push(chunk);
      return;
    }
    request.off("data", onData);
    request.off("end", onEnd);
    request.pause();
    done(undefined);
  };
  const onEnd = () => done(chunks.length === 1 ? (chunks[0] ?? empty) : Buffer.concat(chunks));
  request.on("data", onData);
  request.on("end", onEnd);
  // A client that goes away has no use for an answer; the socket is gone with it.
  request.on("error", () => undefined);
}
