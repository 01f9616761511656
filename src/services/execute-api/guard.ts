import type { ServerResponse } from "node:http";
import type { Log } from "../../kernel/log.ts";
import { answerInternalError } from "./answers.ts";

/** Does a part of answering a request: what it throws, which it should not, ends this request and none but this. */
export function guard(log: Log, response: ServerResponse, work: () => void): void {
  try {
    work();
  } catch (error) {
    log.error("A request to an API failed", { error });
    if (response.headersSent) response.destroy();
    else answerInternalError(response);
  }
}
