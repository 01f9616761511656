/**
 * Content of a streaming member that is small and need not be streamed: whoever has no use for a stream takes it whole, which
 * costs much less. Either way once.
 */
export interface WholeContent extends AsyncIterable<Uint8Array> {
  /** All of it, checked as the stream is. */
  whole(): Promise<Uint8Array>;
}

export function isWhole(content: object): content is WholeContent {
  return "whole" in content && typeof content.whole === "function";
}
