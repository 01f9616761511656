import type { ContentHandling } from "../port.ts";

/**
 * What becomes of a body between client and integration.
 *
 * Source: "Content type conversions in API Gateway"; its tables, row by row, are the test.
 */
export function convertRequest(body: Buffer, isBinary: boolean, handling: ContentHandling | undefined): Buffer {
  if (isBinary) return handling === "CONVERT_TO_TEXT" ? toBase64(body) : body;
  return handling === "CONVERT_TO_BINARY" ? fromBase64(body) : toText(body);
}

/**
 * The same for an answer.
 *
 * @param isBinary whether the answer's type is among the API's binary media types
 * @param wantsBinary whether the first type that the client accepts is
 */
export function convertResponse(
  body: Buffer,
  isBinary: boolean,
  wantsBinary: boolean,
  handling: ContentHandling | undefined,
): Buffer {
  if (isBinary) {
    if (handling === "CONVERT_TO_TEXT") return toBase64(body);
    return handling === "CONVERT_TO_BINARY" || wantsBinary ? body : toBase64(body);
  }
  if (handling === "CONVERT_TO_TEXT") return toText(body);
  return handling === "CONVERT_TO_BINARY" || wantsBinary ? fromBase64(body) : toText(body);
}

function toBase64(body: Buffer): Buffer {
  return Buffer.from(body.toString("base64"), "latin1");
}

function fromBase64(body: Buffer): Buffer {
  return Buffer.from(body.toString("latin1"), "base64");
}

/** AWS: what is no UTF-8 is lost where text is expected. */
function toText(body: Buffer): Buffer {
  const text = body.toString("utf8");
  return text.includes("\ufffd") ? Buffer.from(text, "utf8") : body;
}
