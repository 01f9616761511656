import type { Event, EventType } from "@aws-sdk/client-lambda";
import type { Reader } from "../../../kernel/store/store.ts";
import { invalidMarker } from "./errors.ts";
import { durableLimits } from "./limits.ts";
import { eventsPrefix, type EventRecord, type ExecutionKey } from "./model.ts";
import { readError } from "./present.ts";
import { bytesOf, readText } from "./texts.ts";

export interface HistoryPage {
  readonly events: Event[];
  readonly nextMarker?: string;
}

/** A page of an execution's history. Without `data`, payloads are left out and marked as truncated. */
export async function readHistory(
  reader: Reader,
  key: ExecutionKey,
  page: { readonly marker: string | undefined; readonly limit: number; readonly reverse: boolean },
  data: boolean,
): Promise<HistoryPage> {
  const prefix = eventsPrefix(key);
  const after = page.marker === undefined || page.marker === "" ? undefined : parseMarker(page.marker);
  const entries = await reader.range<EventRecord>(
    { prefix, ...(after !== undefined && { after: [...prefix, after] }) },
    { limit: page.limit + 1, reverse: page.reverse },
  );
  const events: Event[] = [];
  let bytes = 0;
  for (const { value } of entries.slice(0, page.limit)) {
    const { input, result, error } = value.details;
    if (data) bytes += bytesOf(input) + bytesOf(result ?? undefined) + bytesOf(error ?? undefined);
    if (events.length > 0 && bytes > durableLimits.historyPageBytesMax) break;
    events.push(await presentEvent(reader, key, value, data));
  }
  const last = events.at(-1)?.EventId;
  const more = events.length < entries.length && last !== undefined;
  return { events, ...(more && { nextMarker: Buffer.from(String(last)).toString("base64url") }) };
}

function parseMarker(marker: string): number {
  const text = Buffer.from(marker, "base64url").toString();
  if (!/^\d+$/.test(text)) throw invalidMarker();
  return Number(text);
}

async function presentEvent(reader: Reader, key: ExecutionKey, event: EventRecord, data: boolean): Promise<Event> {
  const { operation, details } = event;
  const { input, result, error } = details;
  const payload = async (text: typeof input | null) => {
    if (!data) return { Truncated: true };
    return {
      ...(text !== undefined && text !== null && { Payload: await readText(reader, key, text) }),
      Truncated: false,
    };
  };
  return {
    EventType: toEventType(event.type),
    ...(operation?.subType !== undefined && { SubType: operation.subType }),
    EventId: event.id,
    ...(operation && { Id: operation.id }),
    ...(operation?.name !== undefined && { Name: operation.name }),
    EventTimestamp: new Date(event.at),
    ...(operation?.parentId !== undefined && { ParentId: operation.parentId }),
    [`${event.type}Details`]: {
      ...((input !== undefined || event.type === "ExecutionStarted") && { Input: await payload(input) }),
      ...(result !== undefined && { Result: await payload(result) }),
      ...(error !== undefined && {
        Error: data
          ? { ...(error !== null && { Payload: await readError(reader, key, error) }), Truncated: false }
          : { Truncated: true },
      }),
      ...toMembers(details.members ?? {}),
    },
  };
}

function toMembers(members: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(members).map(([name, value]) => [name, isTime(value) ? new Date(value.at) : value]),
  );
}

function isTime(value: unknown): value is { readonly at: number } {
  return typeof value === "object" && value !== null && "at" in value;
}

// Event types are written by this slice alone, with the model's names.
function toEventType(text: string): EventType {
  return text as EventType;
}
