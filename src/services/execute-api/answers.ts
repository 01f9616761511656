import type { ServerResponse } from "node:http";

/** AWS's answer where there is no stage to ask. */
export function answerForbidden(response: ServerResponse): void {
  answerMessage(response, 403, "Forbidden", "ForbiddenException");
}

export function answerNotFound(response: ServerResponse): void {
  answerMessage(response, 404, "Not Found", undefined);
}

export function answerInternalError(response: ServerResponse): void {
  answerMessage(response, 500, "Internal server error", "InternalServerErrorException");
}

function answerMessage(response: ServerResponse, status: number, message: string, errorType: string | undefined): void {
  const body = `{"message":"${message}"}`;
  const headers = ["Content-Type", "application/json", "Content-Length", String(body.length)];
  if (errorType !== undefined) headers.push("x-amzn-ErrorType", errorType);
  response.writeHead(status, headers);
  response.end(body);
}
