import type { PublishedQuota } from "../port.ts";

/** The stretch of time that a quota is counted in. Days begin at midnight UTC, weeks on Sunday. */
export interface QuotaPeriod {
  /** `DAY 2026-11-22` */
  readonly id: string;
  /** Epoch milliseconds; the end is the next one's start. */
  readonly start: number;
  readonly end: number;
}

const dayMs = 86_400_000;

export function quotaPeriodOf(kind: PublishedQuota["period"], now: number): QuotaPeriod {
  const today = Math.floor(now / dayMs) * dayMs;
  const date = new Date(today);
  if (kind === "DAY") return periodOf(kind, today, today + dayMs);
  if (kind === "WEEK") {
    const start = today - date.getUTCDay() * dayMs;
    return periodOf(kind, start, start + 7 * dayMs);
  }
  const [year, month] = [date.getUTCFullYear(), date.getUTCMonth()];
  return periodOf(kind, Date.UTC(year, month, 1), Date.UTC(year, month + 1, 1));
}

/** How many requests a period allows. AWS: the offset is taken from the limit in the first one. */
export function quotaLimitIn({ limit, offset, since }: PublishedQuota, { start, end }: QuotaPeriod): number {
  return start <= since && since < end ? Math.max(0, limit - offset) : limit;
}

/** `2026-11-22` */
export function dayOf(epochMs: number): string {
  return new Date(epochMs).toISOString().slice(0, 10);
}

function periodOf(kind: string, start: number, end: number): QuotaPeriod {
  return { id: `${kind} ${dayOf(start)}`, start, end };
}
