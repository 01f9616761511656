import type { ContentHandling } from "../port.ts";

/**
 * What becomes of a body between client and integration. Undefined for text that is to be binary and is no base 64: AWS answers
 * 500, as for a wrong configuration.
 *
 * Source: "Content type conversions in API Gateway"; its tables, row by row, are the test.
 */
export function convertRequest(
  body: Buffer,
  isBinary: boolean,
  handling: ContentHandling | undefined,
): Buffer | undefined {
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
): Buffer | undefined {
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

/** In lines as MIME has it, or in one; in quotation marks too, as a function answers a text (the guide's "Access binary files in Lambda"). */
function fromBase64(body: Buffer): Buffer | undefined {
  const lines = body.toString("latin1").replaceAll(/[\r\n]+/g, "");
  const text = /^"(.*)"$/.exec(lines)?.[1] ?? lines;
  if (!/^[A-Za-z\d+/]*={0,2}$/.test(text)) return undefined;
  const [digits = ""] = text.split("=", 1);
  const isWhole = digits.length % 4 !== 1 && (digits.length === text.length || text.length % 4 === 0);
  return isWhole ? Buffer.from(digits, "base64") : undefined;
}

/** What the execution log says of a conversion that failed. */
export const noBase64 = "Execution failed due to configuration error: Unable to base64 decode the body.";

/** AWS: what is no UTF-8 is lost where text is expected. */
function toText(body: Buffer): Buffer {
  const text = body.toString("utf8");
  return text.includes("\ufffd") ? Buffer.from(text, "utf8") : body;
}
