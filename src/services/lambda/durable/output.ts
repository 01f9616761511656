import type { ErrorFacts } from "./journal.ts";

/** What a durable function answers to an invocation, once it has been found in order. */
export type Output =
  | { readonly status: "SUCCEEDED"; readonly result?: string }
  | { readonly status: "FAILED"; readonly error?: ErrorFacts }
  | { readonly status: "PENDING" };

/** Reads `{ Status, Result, Error }`. What AWS refuses is an output that fails the execution, in AWS's words. */
export function parseOutput(payload: Uint8Array, resultBytesMax: number): Output {
  const output = parseObject(payload);
  const status = output?.["Status"];
  const result = output?.["Result"] ?? undefined;
  const error = output?.["Error"] ?? undefined;
  if (status === "PENDING") return { status };
  if (status === "FAILED") {
    if (result !== undefined) return refused("Cannot provide a Result for FAILED status.");
    return error === undefined ? { status } : { status, error: toError(error) };
  }
  if (status !== "SUCCEEDED") return refused("Invalid Status in invocation output.");
  if (error !== undefined) return refused("Cannot provide an Error for SUCCEEDED status.");
  if (result === undefined) return { status };
  if (typeof result !== "string") return refused("Invalid Result in invocation output.");
  if (Buffer.byteLength(result) > resultBytesMax) {
    return refused(`Execution output payload size must be less than or equal to ${resultBytesMax} bytes.`);
  }
  return { status, result };
}

function refused(ErrorMessage: string): Output {
  return { status: "FAILED", error: { ErrorMessage, ErrorType: "InvalidParameterValueException" } };
}

/** The document that Lambda answers for a function error, as an `ErrorObject`. */
export function parseFunctionError(payload: Uint8Array): ErrorFacts {
  const document = parseObject(payload);
  if (!document) return { ErrorMessage: Buffer.from(payload).toString("utf8") };
  const { errorMessage, errorType, errorData, stackTrace, trace } = document;
  const stack = Array.isArray(stackTrace) ? stackTrace : trace;
  return {
    ErrorMessage: textOf(errorMessage),
    ErrorType: textOf(errorType),
    ErrorData: textOf(errorData),
    StackTrace: Array.isArray(stack) ? stack.map(String) : undefined,
  };
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

/** The other way: what Invoke answers when the execution has failed. */
export function toFunctionError(error: ErrorFacts): Uint8Array {
  const { ErrorMessage, ErrorType, ErrorData, StackTrace } = error;
  return Buffer.from(
    JSON.stringify({
      errorMessage: ErrorMessage,
      errorType: ErrorType,
      errorData: ErrorData,
      stackTrace: StackTrace,
    }),
  );
}

function toError(value: unknown): ErrorFacts {
  if (typeof value !== "object" || value === null) return { ErrorMessage: String(value) };
  const member = (name: string) => {
    const text = Object.entries(value).find(([key]) => key === name)?.[1];
    return typeof text === "string" ? text : undefined;
  };
  const stack: unknown = "StackTrace" in value ? value.StackTrace : undefined;
  return {
    ErrorMessage: member("ErrorMessage"),
    ErrorType: member("ErrorType"),
    ErrorData: member("ErrorData"),
    StackTrace: Array.isArray(stack) ? stack.map(String) : undefined,
  };
}

function parseObject(payload: Uint8Array): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(payload).toString("utf8"));
    return typeof value === "object" && value !== null ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}
