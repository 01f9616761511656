import type { HttpResponse } from "../../proxy/http-exchange.ts";

/** AWS's answer where there is no stage to ask. */
export function answerForbidden(response: HttpResponse): void {
  answerMessage(response, 403, "Forbidden", "ForbiddenException");
}

export function answerNotFound(response: HttpResponse): void {
  answerMessage(response, 404, "Not Found", undefined);
}

export function answerInternalError(response: HttpResponse): void {
  answerMessage(response, 500, "Internal server error", "InternalServerErrorException");
}

function answerMessage(response: HttpResponse, status: number, message: string, errorType: string | undefined): void {
  const body = `{"message":"${message}"}`;
  const headers = ["Content-Type", "application/json", "Content-Length", String(body.length)];
  if (errorType !== undefined) headers.push("x-amzn-ErrorType", errorType);
  response.writeHead(status, headers);
  response.end(body);
}
