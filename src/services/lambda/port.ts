import type { Principal } from "../../aws/principal.ts";
import type { ResponseSink } from "../../compute/compute.ts";
import type { HttpRequest, HttpResponse } from "../../proxy/http-exchange.ts";

/** What other services may ask of Lambda without going through the wire: the hot path of an invocation. */
export interface LambdaPort {
  /**
   * Invoke synchronously. Authorized against the function's resource policy for `principal`, without store access.
   * Function errors are a result; refusals are thrown as the `AwsError` that Invoke answers (403, 404, 429 …).
   */
  invoke(request: LambdaInvokeRequest): Promise<LambdaInvokeResult>;
  /** Whether a debugger may hold the function: who waits for its answer is to wait on. */
  isDebugged?(functionArn: string): boolean;
}

export interface LambdaInvokeRequest {
  /** With or without a qualifier. */
  readonly functionArn: string;
  readonly principal: Principal;
  readonly payload: Uint8Array;
  readonly requestId: string;
  readonly traceId?: string;
  /** For functions with tenant isolation, which require it. */
  readonly tenantId?: string;
  /** Takes the answer while the function streams it, as InvokeWithResponseStream does. */
  readonly sink?: ResponseSink;
}

export interface LambdaInvokeResult {
  readonly payload: Uint8Array;
  /** Set when the function failed: `Unhandled` or `Handled`. */
  readonly functionError?: string;
  /** The function streamed: the sink has had the answer. */
  readonly isStreamed?: boolean;
}

/** Answers requests to function URLs. */
export interface FunctionUrlPort {
  /**
   * @param urlId from the host (`{urlId}.lambda-url.…`) or the path form
   * @param target path and query after what addressed the URL, as sent
   */
  handle(urlId: string, target: string, request: HttpRequest, response: HttpResponse): void;
}
