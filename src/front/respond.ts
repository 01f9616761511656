import { pipeline } from "node:stream/promises";
import { Readable } from "node:stream";
import { isLending } from "../kernel/blobs/lending-content.ts";
import type { HttpRequest, HttpResponse } from "../proxy/http-exchange.ts";
import { toHostId } from "../wire/protocols/rest-xml.ts";
import type { WireResponse } from "../wire/protocols/protocol.ts";
import { sendLent } from "./send-lent.ts";

/** Write an answer. Streams with back-pressure; resolves when all has been handed to the socket. */
export async function respond(
  request: HttpRequest,
  response: HttpResponse,
  answer: WireResponse,
  service: string,
  requestId: string,
): Promise<void> {
  const { headers } = answer;
  if (service === "s3") {
    headers["x-amz-request-id"] = requestId;
    headers["x-amz-id-2"] = toHostId(requestId);
    headers["server"] = "AmazonS3";
  } else {
    headers["x-amzn-RequestId"] ??= requestId;
  }
  const { body } = answer;
  const bodiless = request.method === "HEAD" || answer.status === 204 || answer.status === 304;
  if (typeof body === "string" || body instanceof Uint8Array) {
    const length = typeof body === "string" ? Buffer.byteLength(body) : body.length;
    if (request.method === "HEAD") {
      headers["content-length"] ??= String(length);
    } else if (bodiless) {
      delete headers["content-length"];
      delete headers["content-type"];
    } else {
      headers["content-length"] = String(length);
      if (length === 0 && answer.status !== 200) delete headers["content-type"];
    }
    response.writeHead(answer.status, headers);
    response.end(bodiless ? undefined : body);
    return;
  }
  // A stream that ends short of the length it promised must break the connection, or the client waits for the rest.
  response.strictContentLength = !bodiless;
  response.writeHead(answer.status, headers);
  if (bodiless) {
    response.end();
    return;
  }
  if (isLending(body)) await sendLent(body.lent(), response);
  else await pipeline(Readable.from(body, { objectMode: false }), response);
}
