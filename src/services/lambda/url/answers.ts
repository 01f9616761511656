import { AwsError } from "../../../aws/error.ts";
import type { Exchange } from "../../../proxy/exchange.ts";
import { parseResponseV2 } from "../../../proxy/lambda-response.ts";
import { send } from "../../../proxy/send.ts";
import type { CompiledUrlCors } from "./cors.ts";

/** Answer a preflight, in the function's place. */
export function answerPreflight({ response, headers, request, requestId }: Exchange, cors: CompiledUrlCors): void {
  const asked = request.headers["access-control-request-headers"] ?? "";
  const answer = cors.preflight(headers.origin, headers.requestedMethod, asked);
  send(response, 200, ["x-amzn-RequestId", requestId, "Content-Type", "application/json", ...answer], "");
}

/** What a function answered, told by payload format 2.0; a 502 when that is malformed. */
export function answerPayload(exchange: Exchange, cors: CompiledUrlCors | undefined, payload: Uint8Array): void {
  const parsed = parseResponseV2(payload);
  if (parsed === undefined) {
    answerFailure(exchange, cors);
    return;
  }
  const body = parsed.isBase64Encoded ? Buffer.from(parsed.body, "base64") : parsed.body;
  const headers = [...ownHeaders(exchange, cors), ...parsed.headers];
  if (!parsed.hasContentType) headers.push("Content-Type", "application/json");
  send(exchange.response, parsed.statusCode, headers, body);
}

/** AWS: whatever goes wrong in a function, its client sees no more than this. */
export function answerFailure(exchange: Exchange, cors: CompiledUrlCors | undefined): void {
  const headers = [...ownHeaders(exchange, cors), "Content-Type", "application/json"];
  send(exchange.response, 502, headers, "Internal Server Error");
}

/** AWS: who may not use a URL, and who asks for one that is not there, gets the same answer. */
export function answerForbidden(exchange: Exchange): void {
  answerError(exchange, 403, "AccessDeniedException", { Message: forbidden });
}

const forbidden =
  "Forbidden. For troubleshooting Function URL authorization issues, see: https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html";

/** A signature that cannot be verified: AWS says why. */
export function answerBadSignature(exchange: Exchange, error: AwsError): void {
  answerError(exchange, error.status, error.code, { message: error.message });
}

export function answerTooLarge(exchange: Exchange, bytesMax: number): void {
  answerError(exchange, 413, "RequestEntityTooLargeException", {
    Message: `Request must be smaller than ${bytesMax} bytes for the InvokeFunction operation`,
  });
}

/** The function did not run: as Invoke says it where that is a throttle, else as a failure. */
export function answerRefusal(exchange: Exchange, cors: CompiledUrlCors | undefined, error: AwsError): void {
  if (error.status === 429) {
    answerError(exchange, 429, error.code, { ...error.members, message: error.message });
  } else {
    answerFailure(exchange, cors);
  }
}

export function answerBroken(exchange: Exchange): void {
  answerError(exchange, 500, "InternalServerErrorException", { Message: "Internal Server Error" });
}

/** The headers of every answer that a function had a part in. */
export function ownHeaders({ headers, requestId, trace }: Exchange, cors: CompiledUrlCors | undefined): string[] {
  return [
    "x-amzn-RequestId",
    requestId,
    "X-Amzn-Trace-Id",
    `Root=${trace};Sampled=0`,
    ...(cors?.headers(headers.origin) ?? []),
  ];
}

function answerError({ response, requestId }: Exchange, status: number, errorType: string, body: object): void {
  const headers = ["x-amzn-RequestId", requestId, "x-amzn-ErrorType", errorType, "Content-Type", "application/json"];
  // What was not read of a refused body would be taken for the next request.
  if (status === 413) headers.push("Connection", "close");
  send(response, status, headers, JSON.stringify(body));
}
