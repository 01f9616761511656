/** Limits of connections that are the same for every server. Ours, unless a source is named. */
export const http1Limits = {
  /** Source: Node.js, `server.maxHeadersCount`. */
  headersMax: 2_000,
  /** All extensions of one body's chunks together: nothing is done with them. Source: Node.js. */
  chunkExtensionsBytesMax: 16 * 1024,
  /** Answers that are written together. */
  answersTogetherMax: 16,
  /** What is read of a body, or of further requests, ahead of who asks for it. */
  heldBytesMax: 64 * 1024,
  /** Names of headers that are kept beside those that are known. */
  namesKept: 512,
  /** A client that was refused in the middle of its request may go on sending for this long: else it would not read why. */
  lingerMsMax: 5_000,
} as const;
