import type { PayloadRule } from "../access/verifier.ts";
import { blobLimits } from "../kernel/limits.ts";
import type { WholeContent } from "../wire/whole-content.ts";
import { checkSha256, type RequestBody, sha256Mismatch } from "./body.ts";

/** The body of an operation that streams it, checked as it comes; small ones can be taken whole. */
export function streamedBody(
  headers: Readonly<Record<string, string>>,
  body: () => RequestBody,
  rule: PayloadRule,
): AsyncIterable<Uint8Array> {
  const stream = (): AsyncIterable<Uint8Array> => guard(body().stream(), rule);
  // Whoever waits to be told to go on is told when the stream is read.
  const length = headers["expect"] === undefined ? Number(headers["content-length"] ?? Number.NaN) : Number.NaN;
  if (!(length <= blobLimits.smallBytesMax)) return stream();
  const content: WholeContent = {
    whole: () => wholeBody(body(), rule),
    [Symbol.asyncIterator]: () => stream()[Symbol.asyncIterator](),
  };
  return content;
}

function guard(content: AsyncIterable<Uint8Array>, rule: PayloadRule): AsyncIterable<Uint8Array> {
  if (rule.kind === "chunked") return rule.decode(content);
  return rule.kind === "sha256" ? checkSha256(content, rule.hex) : content;
}

async function wholeBody(body: RequestBody, rule: PayloadRule): Promise<Uint8Array> {
  const bytes = await body.whole();
  if (rule.kind === "chunked") {
    const chunks: Uint8Array[] = [];
    for await (const chunk of rule.decode(once(bytes))) chunks.push(chunk);
    return Buffer.concat(chunks);
  }
  if (rule.kind !== "sha256") return bytes;
  const computed = await body.sha256();
  if (computed !== rule.hex) throw sha256Mismatch(rule.hex, computed);
  return bytes;
}

async function* once(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  if (bytes.length > 0) yield bytes;
}
