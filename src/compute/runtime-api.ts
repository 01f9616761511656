import { createServer as createHttpServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Server } from "node:net";
import type { Invocation } from "./compute.ts";
import type { ApiRoutes } from "./extensions-api.ts";
import type { ComputeLimits } from "./limits.ts";
import type { RuntimeEvents, RuntimeLink } from "./link.ts";

export const runtimeApiVersion = "/2018-06-01/runtime";

/**
 * The Runtime API of one environment, served on a listener that only this environment can reach.
 * Source: "Using the Lambda runtime API for custom runtimes" and its OpenAPI document (2018-06-01).
 */
export function createRuntimeApi(
  listener: Server,
  events: RuntimeEvents,
  limits: ComputeLimits,
  functionArn: string,
  extensions: ApiRoutes,
): RuntimeLink {
  let waiting: ServerResponse | undefined;
  let handed: { readonly invocation: Invocation; readonly deadlineMs: number } | undefined;
  let currentId: string | undefined;

  const giveNext = () => {
    if (waiting === undefined || handed === undefined) return;
    const { invocation, deadlineMs } = handed;
    const response = waiting;
    waiting = undefined;
    handed = undefined;
    currentId = invocation.requestId;
    answerNext(response, invocation, deadlineMs, functionArn);
  };

  const next = (response: ServerResponse) => {
    if (waiting !== undefined || !events.next()) return refuseState(response);
    waiting = response;
    response.once("close", () => {
      if (waiting === response) waiting = undefined;
    });
    giveNext();
  };

  const finish = async (request: IncomingMessage, response: ServerResponse, id: string, failed: boolean) => {
    if (id !== currentId) return answerError(response, 400, "InvalidRequestID", "Invalid request ID");
    if (!failed && headerOf(request, "lambda-runtime-function-response-mode") === "streaming") {
      return (await takeStream(request)) ? accept(response) : refuseState(response);
    }
    const body = await readBody(request, limits.responseBytesMax);
    if (body === undefined) {
      if (!events.responseTooLarge()) return refuseState(response);
      return answerError(
        response,
        413,
        "RequestEntityTooLarge",
        `Exceeded maximum allowed payload size (${limits.responseBytesMax} bytes).`,
      );
    }
    const accepted = failed ? events.error(withErrorType(body, request)) : events.response(body);
    if (!accepted) return refuseState(response);
    accept(response);
  };

  /** Source: "Building a custom runtime", response streaming: chunked, an error midway in two trailers. */
  const takeStream = async (request: IncomingMessage): Promise<boolean> => {
    if (!events.streamStart(request.headers["content-type"] ?? octets)) return false;
    for await (const chunk of request as AsyncIterable<Buffer>) {
      if (!events.streamChunk(chunk)) return false;
      const blocked = events.streamBlocked();
      if (blocked !== undefined) await blocked;
    }
    const errorType = request.trailers["lambda-runtime-function-error-type"];
    return errorType === undefined
      ? events.streamEnd()
      : events.error(toMidwayError(errorType, request.trailers["lambda-runtime-function-error-body"]));
  };

  const initError = async (request: IncomingMessage, response: ServerResponse) => {
    const body = await readBody(request, limits.errorBytesMax);
    if (body === undefined || !events.initError(withErrorType(body, request))) return refuseState(response);
    accept(response);
  };

  const route = (request: IncomingMessage, response: ServerResponse): void | Promise<void> => {
    const path = request.url ?? "";
    if (!path.startsWith(runtimeApiVersion) && extensions(request, response)) return;
    if (request.method === "GET" && path === `${runtimeApiVersion}/invocation/next`) return next(response);
    if (request.method === "POST" && path === `${runtimeApiVersion}/init/error`) return initError(request, response);
    const [, id, what] = /^\/2018-06-01\/runtime\/invocation\/([^/]+)\/(response|error)$/u.exec(path) ?? [];
    if (request.method === "POST" && id !== undefined) return finish(request, response, id, what === "error");
    response.writeHead(404, { "Content-Type": "text/plain; charset=utf-8" });
    response.end("404 page not found\n");
  };

  const options = {
    requestTimeout: 0,
    headersTimeout: 0,
    keepAliveTimeout: 0,
    maxHeaderSize: limits.runtimeHeaderBytesMax,
  };
  const http = createHttpServer(options, (request, response) => {
    Promise.resolve(route(request, response)).catch(() => response.destroy());
  });
  listener.on("connection", (socket) => http.emit("connection", socket));

  return {
    invoke(invocation, deadlineMs) {
      handed = { invocation, deadlineMs };
      giveNext();
    },
    close() {
      http.closeAllConnections();
      waiting?.destroy();
    },
  };
}

/** The answer to a request for the next invocation. */
export function answerNext(
  response: ServerResponse,
  invocation: Invocation,
  deadlineMs: number,
  functionArn: string,
): void {
  response.writeHead(200, {
    "Content-Type": "application/json",
    "Content-Length": invocation.payload.length,
    "Lambda-Runtime-Aws-Request-Id": invocation.requestId,
    "Lambda-Runtime-Deadline-Ms": String(deadlineMs),
    "Lambda-Runtime-Invoked-Function-Arn": invocation.invokedFunctionArn || functionArn,
    ...(invocation.traceId === undefined ? {} : { "Lambda-Runtime-Trace-Id": invocation.traceId }),
    ...(invocation.tenantId === undefined ? {} : { "Lambda-Runtime-Aws-Tenant-Id": invocation.tenantId }),
    ...(invocation.clientContext === undefined
      ? {}
      : { "Lambda-Runtime-Client-Context": headerText(invocation.clientContext) }),
    ...(invocation.cognitoIdentity === undefined
      ? {}
      : { "Lambda-Runtime-Cognito-Identity": headerText(invocation.cognitoIdentity) }),
  });
  response.end(invocation.payload);
}

/**
 * JSON text as every client can read it from a header: on one line, and in ASCII (the Rust runtime ends at anything else).
 * Line ends of JSON text stand between its values only, other characters within its strings only.
 */
function headerText(json: string): string {
  return json
    .replaceAll(/[\r\n\t]/gu, " ")
    .replaceAll(/[^ -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

export function accept(response: ServerResponse): void {
  response.writeHead(202, { "Content-Type": "application/json" });
  response.end('{"status":"OK"}\n');
}

export function refuseState(response: ServerResponse): void {
  answerError(response, 403, "InvalidStateTransition", "State transition is not allowed");
}

export function answerError(response: ServerResponse, status: number, errorType: string, errorMessage: string): void {
  response.writeHead(status, { "Content-Type": "application/json" });
  response.end(JSON.stringify({ errorMessage, errorType }));
}

/** Undefined when it is more than allowed; it is read to its end even so, because clients send before they listen. */
export async function readBody(request: IncomingMessage, bytesMax: number): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes <= bytesMax) chunks.push(chunk);
    else chunks.length = 0;
  }
  return bytes > bytesMax ? undefined : Buffer.concat(chunks);
}

export const octets = "application/octet-stream";

export function headerOf(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value[0] : value;
}

/** The error's document is the trailer's, base64 by the official clients. */
export function toMidwayError(errorType: string, body: string | undefined): Buffer {
  for (const document of [Buffer.from(body ?? "", "base64"), Buffer.from(body ?? "", "latin1")]) {
    try {
      JSON.parse(document.toString("utf8"));
      return document;
    } catch {
      // Not this encoding.
    }
  }
  return Buffer.from(JSON.stringify({ errorType, errorMessage: body ?? "" }));
}

/** A runtime may name the error in a header alone; Invoke answers a document in any case. */
export function withErrorType(body: Buffer, request: IncomingMessage): Buffer {
  if (body.length > 0) return body;
  const named = request.headers["lambda-runtime-function-error-type"];
  const errorType = Array.isArray(named) ? named[0] : named;
  return Buffer.from(JSON.stringify({ errorType: errorType ?? "Unhandled", errorMessage: "" }));
}
