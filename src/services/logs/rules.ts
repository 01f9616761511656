import { parseArn } from "../../aws/arn.ts";
import type { Position } from "./chunks.ts";
import { invalidParameter } from "./errors.ts";
import { logsLimits } from "./limits.ts";
import type { Place } from "./model.ts";

/** Required members are there: the wire layer has refused requests without them. */
export function present<T>(value: T | undefined, member: string): T {
  if (value === undefined) throw new TypeError(`${member} is missing`);
  return value;
}

export interface PutEvent {
  readonly timestamp: number;
  readonly message: string;
}

export interface Judged {
  readonly accepted: readonly PutEvent[];
  readonly rejected?: {
    readonly tooNewLogEventStartIndex?: number;
    readonly tooOldLogEventEndIndex?: number;
    readonly expiredLogEventEndIndex?: number;
  };
}

/** What of a PutLogEvents batch is kept. Throws for a batch that AWS refuses whole. */
export function judgeBatch(events: readonly PutEvent[], now: number, retentionInDays: number | undefined): Judged {
  checkBatch(events);
  const oldest = now - logsLimits.tooOldMs;
  const expired = retentionInDays === undefined ? -Infinity : now - retentionInDays * 24 * 60 * 60 * 1000;
  const newest = now + logsLimits.tooNewMs;
  const oldEnd = countWhile(events, (event) => event.timestamp < oldest);
  const expiredEnd = countWhile(events, (event) => event.timestamp < expired);
  const newStart = countWhile(events, (event) => event.timestamp <= newest);
  const accepted = events.slice(Math.max(oldEnd, expiredEnd), newStart);
  if (accepted.length === events.length) return { accepted };
  return {
    accepted,
    rejected: {
      ...(newStart < events.length && { tooNewLogEventStartIndex: newStart }),
      ...(oldEnd > 0 && { tooOldLogEventEndIndex: oldEnd }),
      ...(expiredEnd > 0 && expired > oldest && { expiredLogEventEndIndex: expiredEnd }),
    },
  };
}

function checkBatch(events: readonly PutEvent[]): void {
  let bytes = 0;
  let before = -Infinity;
  for (const { timestamp, message } of events) {
    const size = Buffer.byteLength(message) + logsLimits.eventOverheadBytes;
    if (size > logsLimits.eventBytesMax) {
      throw invalidParameter(`Log event too large: ${size} bytes exceeds limit of ${logsLimits.eventBytesMax}`);
    }
    if (timestamp < before) {
      throw invalidParameter("Log events in a single PutLogEvents request must be in chronological order.");
    }
    before = timestamp;
    bytes += size;
  }
  if (bytes > logsLimits.batchBytesMax) {
    throw invalidParameter(`Upload too large: ${bytes} bytes exceeds limit of ${logsLimits.batchBytesMax}`);
  }
  const [first, last] = [events[0], events.at(-1)];
  if (first && last && last.timestamp - first.timestamp > logsLimits.batchSpanMs) {
    throw invalidParameter("The batch of log events in a single PutLogEvents request cannot span more than 24 hours.");
  }
}

function countWhile<T>(items: readonly T[], test: (item: T) => boolean): number {
  const index = items.findIndex((item) => !test(item));
  return index < 0 ? items.length : index;
}

/** `logGroupName` or `logGroupIdentifier` (a name or an ARN): exactly one of them. */
export function groupNameOf(
  input: { readonly logGroupName?: string | undefined; readonly logGroupIdentifier?: string | undefined },
  place: Place,
): string {
  const { logGroupName, logGroupIdentifier } = input;
  if (logGroupName !== undefined && logGroupIdentifier !== undefined) {
    throw invalidParameter("LogGroup name and LogGroup ARN are mutually exclusive parameters.");
  }
  if (logGroupName !== undefined) return logGroupName;
  if (logGroupIdentifier === undefined) throw invalidParameter("LogGroup name or LogGroup ARN is required.");
  return logGroupIdentifier.startsWith("arn:") ? nameInArn(logGroupIdentifier, place) : logGroupIdentifier;
}

/** The group an ARN names, in this account and region; `:*` at its end is allowed. */
export function nameInArn(arn: string, place: Place): string {
  const parsed = parseArn(arn);
  const name = parsed?.resource.match(/^log-group:([.\-_/#A-Za-z0-9]+)(:\*)?$/)?.[1];
  if (!parsed || parsed.service !== "logs" || !name) throw invalidParameter(`Invalid ARN: ${arn}`);
  if (parsed.account !== place.account || parsed.region !== place.region) {
    throw invalidParameter(`The ARN ${arn} is not of this account and region`);
  }
  return name;
}

/** An event's id: digits that hold its position, so that it is the same whenever the event is read. */
export function toEventId([timestamp, ingestedAt, sequence, writer, index]: Position): string {
  return `3${digits(timestamp, 13)}${digits(ingestedAt, 13)}${digits(sequence, 13)}${digits(writer, 10)}${digits(index, 6)}`;
}

function digits(value: number, length: number): string {
  return String(value).padStart(length, "0");
}
