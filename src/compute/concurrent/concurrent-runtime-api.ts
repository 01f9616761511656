import { createServer as createHttpServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Server } from "node:net";
import type { Invocation } from "../compute.ts";
import type { ComputeLimits } from "../limits.ts";
import {
  accept,
  answerError,
  answerNext,
  headerOf,
  octets,
  readBody,
  refuseState,
  runtimeApiVersion,
  toMidwayError,
  withErrorType,
} from "../runtime-api.ts";
import type { ConcurrentEvents, ConcurrentLink } from "./concurrent-link.ts";

interface Handed {
  readonly invocation: Invocation;
  readonly deadlineMs: number;
}

/**
 * The Runtime API of an environment that takes several invocations at once: as many requests for the next one may wait as its
 * `AWS_LAMBDA_MAX_CONCURRENCY` says. Source: "Building custom runtimes for Lambda Managed Instances".
 */
export function createConcurrentRuntimeApi(
  listener: Server,
  events: ConcurrentEvents,
  limits: ComputeLimits,
  functionArn: string,
  slotsMax: number,
): ConcurrentLink {
  /** Workers that ask for work, and work that waits for one: one of both is empty. */
  const waiting: ServerResponse[] = [];
  const handed: Handed[] = [];
  const running = new Set<string>();
  let slots = 0;

  const take = () => {
    const found = Math.min(slotsMax, waiting.length + handed.length + running.size);
    if (found <= slots) return;
    slots = found;
    events.slots(slots);
  };

  const giveNext = () => {
    while (waiting.length > 0 && handed.length > 0 && running.size < slotsMax) {
      const response = waiting.shift();
      const next = handed.shift();
      if (response === undefined || next === undefined) return;
      running.add(next.invocation.requestId);
      answerNext(response, next.invocation, next.deadlineMs, functionArn);
    }
  };

  const next = (response: ServerResponse) => {
    waiting.push(response);
    response.once("close", () => {
      const at = waiting.indexOf(response);
      if (at === -1) return;
      // Whoever asked has gone: it takes nothing any more until somebody asks again.
      waiting.splice(at, 1);
      slots = Math.max(1, Math.min(slots, waiting.length + handed.length + running.size));
      events.slots(slots);
    });
    take();
    giveNext();
  };

  const finish = async (request: IncomingMessage, response: ServerResponse, id: string, failed: boolean) => {
    if (!running.has(id)) return answerError(response, 400, "InvalidRequestID", "Invalid request ID");
    const accepted = await takeAnswer(request, id, failed);
    running.delete(id);
    if (accepted === undefined) {
      answerError(
        response,
        413,
        "RequestEntityTooLarge",
        `Exceeded maximum allowed payload size (${limits.responseBytesMax} bytes).`,
      );
    } else if (accepted) accept(response);
    else refuseState(response);
    giveNext();
  };

  /** @returns undefined when it was too large */
  const takeAnswer = async (request: IncomingMessage, id: string, failed: boolean): Promise<boolean | undefined> => {
    if (!failed && headerOf(request, "lambda-runtime-function-response-mode") === "streaming") {
      return takeStream(request, id);
    }
    const body = await readBody(request, limits.responseBytesMax);
    if (body === undefined) return events.responseTooLarge(id) ? undefined : false;
    return failed ? events.error(id, withErrorType(body, request)) : events.response(id, body);
  };

  const takeStream = async (request: IncomingMessage, id: string): Promise<boolean> => {
    if (!events.streamStart(id, request.headers["content-type"] ?? octets)) return false;
    for await (const chunk of request as AsyncIterable<Buffer>) {
      if (!events.streamChunk(id, chunk)) return false;
      const blocked = events.streamBlocked(id);
      if (blocked !== undefined) await blocked;
    }
    const errorType = request.trailers["lambda-runtime-function-error-type"];
    return errorType === undefined
      ? events.streamEnd(id)
      : events.error(id, toMidwayError(errorType, request.trailers["lambda-runtime-function-error-body"]));
  };

  const initError = async (request: IncomingMessage, response: ServerResponse) => {
    const body = await readBody(request, limits.errorBytesMax);
    if (body === undefined || !events.initError(withErrorType(body, request))) return refuseState(response);
    accept(response);
  };

  const route = (request: IncomingMessage, response: ServerResponse): void | Promise<void> => {
    const path = request.url ?? "";
    if (request.method === "GET" && path === `${runtimeApiVersion}/invocation/next`) return next(response);
    if (request.method === "POST" && path === `${runtimeApiVersion}/init/error`) return initError(request, response);
    const [, id, what] = /^\/2018-06-01\/runtime\/invocation\/([^/]+)\/(response|error)$/u.exec(path) ?? [];
    if (request.method === "POST" && id !== undefined) return finish(request, response, id, what === "error");
    response.writeHead(404, { "Content-Type": "text/plain; charset=utf-8" });
    response.end("404 page not found\n");
  };

  const http = createHttpServer(
    { requestTimeout: 0, headersTimeout: 0, keepAliveTimeout: 0, maxHeaderSize: limits.runtimeHeaderBytesMax },
    (request, response) => {
      Promise.resolve(route(request, response)).catch(() => response.destroy());
    },
  );
  listener.on("connection", (socket) => http.emit("connection", socket));

  return {
    invoke(invocation, deadlineMs) {
      handed.push({ invocation, deadlineMs });
      giveNext();
    },
    close() {
      http.closeAllConnections();
      for (const response of waiting.splice(0)) response.destroy();
    },
  };
}
