import type { Log } from "../../kernel/log.ts";
import type { Exchange } from "../../proxy/exchange.ts";
import type { HttpResponse } from "../../proxy/http-exchange.ts";
import { answerInternalError } from "./answers.ts";

/** Does a part of answering a request: what it throws, which it should not, ends this request and none but this. */
export function guard(log: Log, response: HttpResponse, work: () => void): void {
  try {
    work();
  } catch (error) {
    endBroken(log, response, error);
  }
}

/**
 * The same for what is called later, when nobody is there to catch what it throws: by a promise, a socket or a timer. Such a throw
 * would end the process.
 */
export function guarded<T>({ exchange, stage }: GuardedRequest, work: (value: T) => void): (value: T) => void {
  return (value) => {
    try {
      work(value);
    } catch (error) {
      endBroken(stage.needs.log, exchange.response, error);
    }
  };
}

interface GuardedRequest {
  readonly exchange: Pick<Exchange, "response">;
  readonly stage: { readonly needs: { readonly log: Log } };
}

/** What goes on with a request after a step, which may have waited for something. */
export function guardedNext<Request extends GuardedRequest>(next: (request: Request) => void, request: Request): void {
  try {
    next(request);
  } catch (error) {
    endBroken(request.stage.needs.log, request.exchange.response, error);
  }
}

function endBroken(log: Log, response: HttpResponse, error: unknown): void {
  log.error("A request to an API failed", { error });
  if (response.headersSent) response.destroy();
  else answerInternalError(response);
}
