import type { Clock } from "../../kernel/clock.ts";

/** Timeouts of one length: as they all take equally long they end in the order they began, so that one timer serves all. */
export interface Timeouts {
  /** Call back once, after the length of these timeouts. The returned function cancels. */
  begin(action: () => void): () => void;
}

interface Entry {
  readonly at: number;
  action: (() => void) | undefined;
}

export function createTimeouts(clock: Clock, ms: number): Timeouts {
  let entries: Entry[] = [];
  /** Those before are over. */
  let first = 0;
  let armed = false;

  const dropOver = () => {
    while (first < entries.length && entries[first]?.action === undefined) first += 1;
    if (first < keptMax && first < entries.length) return;
    entries = entries.slice(first);
    first = 0;
  };
  const arm = () => {
    const next = entries[first];
    armed = next !== undefined;
    if (next !== undefined) clock.after(Math.max(0, next.at - clock.now()), expire);
  };
  const expire = () => {
    const now = clock.now();
    for (let next = entries[first]; next !== undefined && next.at <= now; next = entries[first]) {
      first += 1;
      const { action } = next;
      next.action = undefined;
      action?.();
    }
    dropOver();
    arm();
  };

  return {
    begin(action) {
      const entry: Entry = { at: clock.now() + ms, action };
      entries.push(entry);
      if (!armed) arm();
      return () => {
        entry.action = undefined;
        if (entries[first] === entry) dropOver();
      };
    },
  };
}

/** So many that are over may stand before those that are not. */
const keptMax = 1_024;
