import type { Invocation } from "../compute.ts";

/** How the platform talks with a runtime that takes several invocations at once. */
export interface ConcurrentLink {
  /** Hand over an invocation; never more at a time than the runtime has said it takes. */
  invoke(invocation: Invocation, deadlineMs: number): void;
  close(): void;
}

/** What such a runtime says. Each answers whether it was in its place to say so. Bytes are the receiver's to keep. */
export interface ConcurrentEvents {
  /** It takes so many invocations at once from now on; the first time this ends its init. */
  slots(slots: number): boolean;
  initError(document: Buffer): boolean;
  response(id: string, payload: Buffer): boolean;
  /** It answered more than a function may. */
  responseTooLarge(id: string): boolean;
  error(id: string, document: Buffer): boolean;
  streamStart(id: string, contentType: string): boolean;
  streamChunk(id: string, bytes: Buffer): boolean;
  /** While it is there, nothing more of this answer should be read. */
  streamBlocked(id: string): Promise<void> | undefined;
  streamEnd(id: string): boolean;
  /** The worker that ran it has ended. */
  lost(id: string): boolean;
  /** It said what no runtime may say. */
  violation(what: string): void;
}
