import type { Reader } from "../../../kernel/store/store.ts";
import { invalidMarker } from "./errors.ts";
import { durableLimits } from "./limits.ts";
import { operationsPrefix, type ExecutionKey, type ExecutionRecord, type OperationRecord } from "./model.ts";
import { presentExecution, presentOperation, type PresentedOperation } from "./present.ts";
import { bytesOf } from "./texts.ts";

export interface StatePage<Time> {
  readonly operations: PresentedOperation<Time>[];
  readonly nextMarker?: string;
}

/** A page of what the function needs to replay: its operations in the order of their starts, the execution first. */
export async function readState<Time>(
  reader: Reader,
  key: ExecutionKey,
  record: ExecutionRecord,
  page: { readonly marker?: string | undefined; readonly limit: number },
  time: (ms: number) => Time,
): Promise<StatePage<Time>> {
  const sequence = record.progress.state === "running" ? record.progress.sequence : 0;
  const after = page.marker === undefined || page.marker === "" ? -1 : parseMarker(page.marker, sequence);
  const operations: PresentedOperation<Time>[] = [];
  let bytes = 0;
  let last = after;
  if (after < 0) {
    operations.push(await presentExecution(reader, key, record, time));
    bytes += bytesOf(record.input);
    last = 0;
  }
  for (const operation of replayed(await readOperations(reader, key))) {
    if (operation.order <= last) continue;
    bytes += bytesOf(operation.result) + bytesOf(operation.error);
    const full = operations.length >= page.limit || bytes > durableLimits.statePageBytesMax;
    if (operations.length > 0 && full) return { operations, nextMarker: toMarker(sequence, last) };
    operations.push(await presentOperation(reader, key, operation, time));
    last = operation.order;
  }
  return { operations };
}

async function readOperations(reader: Reader, key: ExecutionKey): Promise<OperationRecord[]> {
  const entries = await reader.range<OperationRecord>(
    { prefix: operationsPrefix(key) },
    { limit: durableLimits.operationsMax + 1 },
  );
  return entries.map(({ value }) => value).toSorted((a, b) => a.order - b.order);
}

/** What lies in a context that has ended is not replayed, unless the context asks for it. */
export function replayed(operations: readonly OperationRecord[]): OperationRecord[] {
  const byId = new Map(operations.map((operation) => [operation.id, operation]));
  const known = new Map<string, boolean>();
  const hides = (id: string | undefined): boolean => {
    if (id === undefined) return false;
    const answer = known.get(id);
    if (answer !== undefined) return answer;
    const context = byId.get(id);
    const ended = context?.type === "CONTEXT" && context.endedAt !== undefined && !context.replayChildren;
    const hidden = ended || hides(context?.parentId);
    known.set(id, hidden);
    return hidden;
  };
  return operations.filter(({ parentId }) => !hides(parentId));
}

function toMarker(sequence: number, order: number): string {
  return Buffer.from(`${sequence}:${order}`).toString("base64url");
}

/** Throws for markers that were not given for the state as it is. */
function parseMarker(marker: string, sequence: number): number {
  const [, of, order] = /^(\d+):(\d+)$/.exec(Buffer.from(marker, "base64url").toString()) ?? [];
  if (of === undefined || order === undefined || Number(of) !== sequence) throw invalidMarker();
  return Number(order);
}
