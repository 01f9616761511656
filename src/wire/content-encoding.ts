/**
 * A `Content-Encoding` that tells how the body came, apart from what it says of the content: SDKs append `gzip` when
 * they compress a request, and `aws-chunked` when they sign it in chunks.
 */
export interface ContentEncoding {
  readonly gzip: boolean;
  /** What is left: the operation's to know. Undefined when nothing is. */
  readonly rest: string | undefined;
}

const none: ContentEncoding = { gzip: false, rest: undefined };

/** @param keepGzip for services whose contents are stored as they come (`s3`): gzip is then the content's own */
export function parseContentEncoding(value: string | undefined, keepGzip: boolean): ContentEncoding {
  if (value === undefined) return none;
  const parts = value
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "" && part.toLowerCase() !== "aws-chunked");
  const gzip = !keepGzip && parts.at(-1)?.toLowerCase() === "gzip";
  if (gzip) parts.pop();
  return { gzip, rest: parts.length === 0 ? undefined : parts.join(", ") };
}
