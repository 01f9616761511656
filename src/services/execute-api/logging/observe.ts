import type { Clock } from "../../../kernel/clock.ts";
import type { Log } from "../../../kernel/log.ts";
import type { HttpResponse } from "../../../proxy/http-exchange.ts";
import type { AnswerFacts } from "../context/request-facts.ts";

/** Calls `done` once, when a request has been answered or its client has gone, with what the client got. */
export function whenAnswered(
  response: HttpResponse,
  startedAt: number,
  { clock, log }: { readonly clock: Clock; readonly log: Log },
  done: (answered: AnswerFacts) => void,
): void {
  let bytes = 0;
  const count = (name: "write" | "end") => {
    const original = response[name];
    Reflect.set(response, name, (...args: unknown[]) => {
      bytes += sizeOf(args[0], args[1]);
      return Reflect.apply(original, response, args);
    });
  };
  count("write");
  count("end");
  response.once("close", () => {
    // Whatever was given to an answer without a body was not sent.
    const isBare = response.req.method === "HEAD" || response.statusCode === 204 || response.statusCode === 304;
    try {
      done({ status: response.statusCode, bytes: isBare ? 0 : bytes, latencyMs: clock.now() - startedAt });
    } catch (error) {
      // The client has its answer: what cannot be told of it is no reason to end the process.
      log.error("A request to an API could not be told to its logs", { error });
    }
  });
}

function sizeOf(chunk: unknown, encoding: unknown): number {
  if (typeof chunk === "string") return Buffer.byteLength(chunk, encoding === "latin1" ? "latin1" : "utf8");
  return chunk instanceof Uint8Array ? chunk.length : 0;
}
