import type { WebSocketIntegration } from "./request.ts";

/** `MOCK`: answers by itself, with nothing. */
export function compileMock(): WebSocketIntegration {
  return (_request, done) => done({ outcome: "answered", status: 200, headers: [], body: "" });
}
