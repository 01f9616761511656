import type { HttpResponse } from "../proxy/http-exchange.ts";

/**
 * Sends a body whose chunks are lent: each until it has been handed to the system, and only then is the next asked for. Rejects
 * with what the content fails with, and when the client goes.
 */
export async function sendLent(content: AsyncIterable<Uint8Array>, response: HttpResponse): Promise<void> {
  let fail: ((error: Error) => void) | undefined;
  const lost = () => fail?.(new ClientGoneError());
  const step = (begin: (done: (error?: Error | null) => void) => void): Promise<void> =>
    new Promise((resolve, reject) => {
      if (response.destroyed) throw new ClientGoneError();
      fail = reject;
      begin((error) => (error ? reject(new ClientGoneError()) : resolve()));
    });
  response.on("close", lost).on("error", lost);
  try {
    for await (const chunk of content) await step((done) => void response.write(chunk, done));
    await step((done) => void response.end(() => done()));
  } finally {
    response.off("close", lost).off("error", lost);
  }
}

class ClientGoneError extends Error {
  /** As Node's streams call it. */
  readonly code = "ERR_STREAM_PREMATURE_CLOSE";

  constructor() {
    super("The client has gone before it had its whole answer");
    this.name = "ClientGoneError";
  }
}
