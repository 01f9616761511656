import type { HttpResponse } from "../proxy/http-exchange.ts";

/**
 * Tell a client that waits for it to send its body (RFC 9110, 10.1.1).
 *
 * Where an earlier answer is still to be given on the connection it is said in its turn: Node would put it between this answer's
 * head and its body, and what the client took for the next answer would be the rest of this one.
 */
export function sayContinue(response: HttpResponse): void {
  if (response.socket !== null) {
    response.writeContinue();
    return;
  }
  response.once("socket", () => {
    if (!response.headersSent) response.writeContinue();
  });
}
