import { eventSourceLimits } from "./limits.ts";

/** What a function has said of the batch it was handed. */
export interface BatchAnswer {
  /** The index of the first record that is not settled; undefined when all are. 0 when the answer cannot be understood. */
  readonly failedFrom?: number;
  /** Of the tumbling window, JSON. */
  readonly state?: string;
}

/**
 * Reads a function's answer to a batch.
 *
 * With `ReportBatchItemFailures`, the failure with the lowest place counts, and what comes after it is handed over again; nothing, `null`
 * or an empty list is success; what has another form, or names a record that was not in the batch, is failure of the whole batch.
 * In a tumbling window an answer must have a `state`. Source: developer guide, "Configuring partial batch response with DynamoDB
 * and Lambda" and "Implementing stateful DynamoDB stream processing".
 */
export function readAnswer(
  payload: Uint8Array,
  sequenceNumbers: readonly string[],
  asked: { readonly reportsFailures: boolean; readonly hasWindow: boolean },
): BatchAnswer {
  if (!asked.reportsFailures && !asked.hasWindow) return {};
  const answer = parse(payload);
  const state = asked.hasWindow ? readState(answer) : undefined;
  if (asked.hasWindow && state === undefined) return { failedFrom: 0 };
  const failedFrom = asked.reportsFailures ? readFailures(answer, sequenceNumbers) : undefined;
  return { ...(failedFrom !== undefined && { failedFrom }), ...(state !== undefined && { state }) };
}

export function isStateTooLarge(state: string): boolean {
  return Buffer.byteLength(state) > eventSourceLimits.stateBytesMax;
}

function readFailures(answer: unknown, sequenceNumbers: readonly string[]): number | undefined {
  if (answer === undefined || answer === null || answer === "") return undefined;
  if (typeof answer !== "object" || Array.isArray(answer)) return 0;
  const listed: unknown = "batchItemFailures" in answer ? answer.batchItemFailures : undefined;
  if (listed === undefined || listed === null) return undefined;
  if (!Array.isArray(listed)) return 0;
  let lowest: number | undefined;
  for (const failure of listed) {
    const at = sequenceNumbers.indexOf(readIdentifier(failure));
    if (at === -1) return 0;
    lowest = Math.min(at, lowest ?? at);
  }
  return lowest;
}

function readIdentifier(failure: unknown): string {
  if (typeof failure !== "object" || failure === null || !("itemIdentifier" in failure)) return "";
  return typeof failure.itemIdentifier === "string" ? failure.itemIdentifier : "";
}

function readState(answer: unknown): string | undefined {
  if (typeof answer !== "object" || answer === null || !("state" in answer)) return undefined;
  const { state } = answer;
  return typeof state === "object" && state !== null && !Array.isArray(state) ? JSON.stringify(state) : undefined;
}

/** Undefined for no JSON at all, which is failure unless it is nothing. */
function parse(payload: Uint8Array): unknown {
  const text = Buffer.from(payload).toString();
  if (text === "") return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return [];
  }
}
