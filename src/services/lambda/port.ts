import type { Principal } from "../../aws/principal.ts";

/** What other services may ask of Lambda without going through the wire: the hot path of an invocation. */
export interface LambdaPort {
  /**
   * Invoke synchronously. Authorized against the function's resource policy for `principal`, without store access.
   * Function errors are a result; refusals are thrown as the `AwsError` that Invoke answers (403, 404, 429 …).
   */
  invoke(request: LambdaInvokeRequest): Promise<LambdaInvokeResult>;
}

export interface LambdaInvokeRequest {
  /** With or without a qualifier. */
  readonly functionArn: string;
  readonly principal: Principal;
  readonly payload: Uint8Array;
  readonly requestId: string;
  readonly traceId?: string;
}

export interface LambdaInvokeResult {
  readonly payload: Uint8Array;
  /** Set when the function failed: `Unhandled` or `Handled`. */
  readonly functionError?: string;
}
