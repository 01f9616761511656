import type { HttpResponse } from "./http-exchange.ts";
import { type FunctionResponse, parseResponseV2 } from "./lambda-response.ts";

/** Between status, headers and cookies, as JSON, and the body of what a function streams: eight zero bytes. */
export const preludeSeparator = Buffer.alloc(8);

/** What a streamed answer begins with; undefined for what is none. */
export function parsePrelude(text: Buffer): FunctionResponse | undefined {
  let prelude: unknown;
  try {
    prelude = JSON.parse(text.toString("utf8"));
  } catch {
    return undefined;
  }
  if (typeof prelude !== "object" || prelude === null || Array.isArray(prelude)) return undefined;
  return parseResponseV2(Buffer.from(JSON.stringify({ statusCode: 200, ...prelude, body: "" })));
}

/**
 * Send a part of a body. A client that has gone takes everything at once.
 *
 * @param heldMax bytes that are held for the network, so that function and network need not take turns
 * @returns when more may be sent; undefined for at once
 */
export function sendStreamed(response: HttpResponse, body: Buffer, heldMax: number): Promise<void> | undefined {
  if (response.destroyed || response.write(body)) return undefined;
  if (response.writableLength < heldMax) return undefined;
  return new Promise((resolve) => {
    const done = () => {
      response.off("drain", done).off("close", done);
      resolve();
    };
    response.on("drain", done).on("close", done);
  });
}
