import type { HttpResponse } from "./http-exchange.ts";

/**
 * Answer at once, head and body in one write.
 *
 * A body of ASCII goes as Latin 1, which is the same bytes and lets Node join it to the head; any other is made into
 * bytes first. The head is always Latin 1, as header values here are.
 *
 * @param headers names and values in turn, without a Content-Length; it is added to
 */
export function send(response: HttpResponse, status: number, headers: string[], body: string | Buffer): void {
  if (status === 204 || status === 304) {
    response.writeHead(status, headers);
    response.end();
    return;
  }
  const bytes = typeof body === "string" ? Buffer.byteLength(body, "utf8") : body.length;
  headers.push("Content-Length", String(bytes));
  response.writeHead(status, headers);
  if (response.req.method === "HEAD") response.end();
  else if (typeof body === "string" && bytes === body.length) response.end(body, "latin1");
  else response.end(typeof body === "string" ? Buffer.from(body, "utf8") : body);
}
