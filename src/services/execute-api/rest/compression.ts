import { deflate, gunzip, gzip, inflate } from "node:zlib";
import type { AnswerEncoding } from "../../../proxy/exchange.ts";
import type { RequestHeaders } from "../../../proxy/request-headers.ts";
import { executeApiLimits } from "../limits.ts";
import { refuse, type RestRequest, type RestStep } from "./request.ts";

/**
 * The payloads of an API that compresses: a request's is decompressed before it is validated and mapped, an answer's
 * compressed as the client asks. Payloads smaller than `bytesMin` are left as they are.
 *
 * AWS: 415 for a coding that is not supported, and for what is not of the coding it claims.
 *
 * Source: "Payload compression for REST APIs in API Gateway".
 */
export function compressionStep(bytesMin: number): RestStep {
  return (request, next) => {
    const { exchange, body } = request;
    const coding = chooseCoding(headerOf(exchange.headers, "accept-encoding"));
    if (coding !== undefined) exchange.encode = encodingOf(coding, bytesMin);
    const sent = headerOf(exchange.headers, "content-encoding").trim().toLowerCase();
    if (sent === "" || sent === "identity" || body.length === 0) return next();
    const decompress = decompressors.get(sent);
    if (decompress === undefined) return refuse(request, "UNSUPPORTED_MEDIA_TYPE");
    if (body.length < bytesMin) return next();
    // What is small and unpacks to more than any request may have goes no further than that.
    decompress(body, { maxOutputLength: executeApiLimits.bodyBytesMax }, (error, plain) => {
      if (error === null) {
        request.body = plain;
        dropHeader(request, "content-encoding");
        next();
      } else if ("code" in error && error.code === "ERR_BUFFER_TOO_LARGE") refuse(request, "REQUEST_TOO_LARGE");
      else refuse(request, "UNSUPPORTED_MEDIA_TYPE");
    });
  };
}

type Coding = "gzip" | "deflate";

const decompressors = new Map([
  ["gzip", gunzip],
  ["deflate", inflate],
]);
const compressors = { gzip, deflate } as const;

function encodingOf(coding: Coding, bytesMin: number): AnswerEncoding {
  return (status, headers, body, send) => {
    const bytes = typeof body === "string" ? Buffer.byteLength(body, "utf8") : body.length;
    const isEncoded = headers.some((name, index) => index % 2 === 0 && name.toLowerCase() === "content-encoding");
    if (bytes < bytesMin || bytes === 0 || isEncoded || status === 204 || status === 304) return send(body);
    compressors[coding](body, (error, compressed) => {
      if (error !== null) return send(body);
      headers.push("Content-Encoding", coding);
      send(compressed);
    });
  };
}

/**
 * What the client likes best; undefined where that is nothing we compress with.
 *
 * AWS: without the header, and for `*`, nothing is compressed; of codings liked best, one must be supported.
 */
export function chooseCoding(accept: string): Coding | undefined {
  let best = 0;
  let chosen: Coding | undefined;
  for (const part of accept.split(",")) {
    const [name = "", ...parameters] = part.split(";");
    const coding = name.trim().toLowerCase();
    if (coding === "") continue;
    const weight = parameters
      .map((text) => /^\s*q=(\d(?:\.\d{0,3})?)\s*$/i.exec(text)?.[1])
      .find((q) => q !== undefined);
    const quality = weight === undefined ? 1 : Number(weight);
    const isOurs = coding === "gzip" || coding === "deflate";
    if (quality > best) {
      best = quality;
      chosen = isOurs ? coding : undefined;
    } else if (quality === best && quality > 0 && chosen === undefined && isOurs) chosen = coding;
  }
  return chosen;
}

/** The values of a header, joined. */
function headerOf(headers: RequestHeaders, lower: string): string {
  return headers.values.filter((_value, index) => headers.lower[index] === lower).join(",");
}

function dropHeader({ exchange }: RestRequest, lower: string): void {
  const { headers } = exchange;
  for (let index = headers.lower.indexOf(lower); index !== -1; index = headers.lower.indexOf(lower)) {
    headers.names.splice(index, 1);
    headers.lower.splice(index, 1);
    headers.values.splice(index, 1);
  }
}
