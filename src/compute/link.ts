import type { Invocation } from "./compute.ts";

/** How the platform and a runtime talk: frames with our bootstraps, the Runtime API with any other. */
export interface RuntimeLink {
  /**
   * Hand over an invocation while the runtime waits for one; or, where the link allows it, one that `follows` those handed
   * over before.
   */
  invoke(invocation: Invocation, deadlineMs: number, follows: boolean): void;
  close(): void;
}

/** What a runtime says. Each answers whether it was in its place to say so. Bytes are the receiver's to keep. */
export interface RuntimeEvents {
  /** It waits for an invocation; the first time this ends its init. */
  next(): boolean;
  initError(document: Buffer): boolean;
  response(payload: Buffer): boolean;
  /** It answered more than a function may. */
  responseTooLarge(): boolean;
  error(document: Buffer): boolean;
  /** Its answer comes in pieces. */
  streamStart(contentType: string): boolean;
  streamChunk(bytes: Buffer): boolean;
  /** While it is there, nothing more should be read from the runtime. */
  streamBlocked(): Promise<void> | undefined;
  streamEnd(): boolean;
  /** It said what no runtime may say. */
  violation(what: string): void;
}
