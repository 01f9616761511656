import type { Key, Reader, Store } from "../kernel/store/store.ts";
import { meteringLimits } from "./limits.ts";
import {
  chunkPrefix,
  dayMs,
  hourMs,
  spanStart,
  subjectKey,
  totalsPrefix,
  type Span,
  type StoredTotals,
} from "./model.ts";
import { parseChunk } from "./lines.ts";
import { addTotals, noUsage, type UsageRecord, type UsageSubject, type UsageTotals } from "./usage.ts";

/** What a report is split by: `tag:KEY` is a function's tag. */
export type UsageDimension =
  "day" | "hour" | "region" | "function" | "version" | "qualifier" | "memory" | "trigger" | "tenant" | `tag:${string}`;

export interface UsageQuery {
  readonly account: string;
  /** Epoch milliseconds; `to` is exclusive. Both are taken down to whole days, or hours where hours are asked for. */
  readonly from: number;
  readonly to: number;
  readonly by: readonly UsageDimension[];
}

export interface UsageRow {
  /** The values of what the report is split by, in that order; empty where there is none. */
  readonly group: readonly string[];
  readonly totals: UsageTotals;
}

export class UsageQueryError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "UsageQueryError";
  }
}

const dimensions: readonly string[] = [
  "day",
  "hour",
  "region",
  "function",
  "version",
  "qualifier",
  "memory",
  "trigger",
  "tenant",
];

/** @throws {UsageQueryError} */
export function parseDimensions(text: string): readonly UsageDimension[] {
  return text
    .split(",")
    .filter((name) => name !== "")
    .map((name) => {
      if (isDimension(name)) return name;
      throw new UsageQueryError(`Usage is split by ${dimensions.join(", ")} or tag:KEY, not by ${name.slice(0, 40)}`);
    });
}

function isDimension(name: string): name is UsageDimension {
  return dimensions.includes(name) || /^tag:.{1,128}$/.test(name);
}

/** Sums of what was invoked in a time, in order of their groups. */
export async function reportUsage(store: Store, query: UsageQuery): Promise<readonly UsageRow[]> {
  const span: Span = query.by.includes("hour") ? "hour" : "day";
  const [from, to] = wholeSpans(span, query.from, query.to);
  return store.read(async (reader) => {
    const subjects = createSubjects(reader);
    const rows = new Map<string, UsageRow>();
    let at: Key = [...totalsPrefix(span), from];
    for (let scanned = 0; ;) {
      const entries = await reader.range<StoredTotals>(
        { start: at, end: [...totalsPrefix(span), to] },
        { limit: 1000 },
      );
      for (const { key, value } of entries) {
        const [, , start, account, id] = key;
        if (account !== query.account || typeof start !== "number" || typeof id !== "string") continue;
        const subject = await subjects.find(id);
        if (!subject) continue;
        const group = query.by.map((dimension) => valueOf(dimension, subject, start));
        const name = JSON.stringify(group);
        const { v: _, ...totals } = value;
        rows.set(name, { group, totals: addTotals(rows.get(name)?.totals ?? noUsage, totals) });
        if (rows.size > meteringLimits.reportRowsMax) throw new UsageQueryError("The report has too many rows");
      }
      const last = entries.at(-1);
      if (!last || entries.length < 1000) break;
      scanned += entries.length;
      if (scanned > meteringLimits.reportScanMax) throw new UsageQueryError("The report spans too much usage");
      at = [...last.key, ""];
    }
    return [...rows.values()].toSorted((a, b) => compareGroups(a.group, b.group));
  });
}

export interface RecordsQuery {
  readonly account: string;
  readonly from: number;
  readonly to: number;
  readonly functionName?: string | undefined;
  /** Where the page before ended. */
  readonly after?: string | undefined;
}

export interface RecordsPage {
  readonly records: readonly (UsageRecord & UsageSubject)[];
  readonly next?: string;
}

/** Single invocations by when they started, in the order in which they were committed; a page may be short while there is more. */
export async function listRecords(store: Store, query: RecordsQuery): Promise<RecordsPage> {
  // A record is committed after its invocation has ended, which is within 15 minutes of its start and some waiting.
  const start = spanStart("hour", query.from);
  const end = spanStart("hour", query.to) + 2 * hourMs;
  return store.read(async (reader) => {
    const records: (UsageRecord & UsageSubject)[] = [];
    let at: Key = query.after === undefined ? [...chunkPrefix, start] : parsePosition(query.after);
    for (;;) {
      const [entry] = await reader.range<Uint8Array>({ start: at, end: [...chunkPrefix, end] }, { limit: 1 });
      if (!entry) return { records };
      for (const { subject, record } of parseChunk(entry.value)) {
        if (subject.account !== query.account) continue;
        if (record.startedAt < query.from || record.startedAt >= query.to) continue;
        if (query.functionName !== undefined && subject.functionName !== query.functionName) continue;
        records.push({ ...subject, ...record });
      }
      at = [...entry.key, ""];
      if (records.length >= meteringLimits.recordsPageMax) {
        return { records, next: Buffer.from(JSON.stringify(entry.key.slice(2))).toString("base64url") };
      }
    }
  });
}

function parsePosition(token: string): Key {
  let parts: unknown;
  try {
    parts = JSON.parse(Buffer.from(token, "base64url").toString());
  } catch {
    parts = undefined;
  }
  const [hour, writer, sequence]: readonly unknown[] = Array.isArray(parts) ? parts : [];
  if (typeof hour !== "number" || typeof writer !== "string" || typeof sequence !== "number") {
    throw new UsageQueryError("The token is not one of this list");
  }
  return [...chunkPrefix, hour, writer.slice(0, 40), sequence, ""];
}

function createSubjects(reader: Reader) {
  const known = new Map<string, UsageSubject | undefined>();
  return {
    async find(id: string): Promise<UsageSubject | undefined> {
      if (!known.has(id)) known.set(id, await reader.get<UsageSubject>(subjectKey(id)));
      return known.get(id);
    },
  };
}

/** @throws {UsageQueryError} for a time that ends before it begins */
function wholeSpans(span: Span, from: number, to: number): readonly [number, number] {
  if (!(from < to)) throw new UsageQueryError("The time must begin before it ends");
  const length = span === "hour" ? hourMs : dayMs;
  return [spanStart(span, from), spanStart(span, to - 1) + length];
}

function valueOf(dimension: UsageDimension, subject: UsageSubject, start: number): string {
  switch (dimension) {
    case "day":
      return new Date(start).toISOString().slice(0, 10);
    case "hour":
      return `${new Date(start).toISOString().slice(0, 13)}:00Z`;
    case "region":
      return subject.region;
    case "function":
      return subject.functionName;
    case "version":
      return subject.version;
    case "qualifier":
      return subject.qualifier ?? "";
    case "memory":
      return String(subject.memoryMb);
    case "trigger":
      return subject.trigger;
    case "tenant":
      return subject.tenantId ?? "";
    default: {
      const key = dimension.slice("tag:".length);
      return Object.hasOwn(subject.tags, key) ? (subject.tags[key] ?? "") : "";
    }
  }
}

function compareGroups(a: readonly string[], b: readonly string[]): number {
  for (const [index, text] of a.entries()) {
    const other = b[index] ?? "";
    if (text !== other) return text < other ? -1 : 1;
  }
  return 0;
}
