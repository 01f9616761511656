import type { Clock } from "../kernel/clock.ts";
import type { Ids } from "../kernel/ids.ts";

/** Makes the identifiers and times of requests cheaply: random bytes are drawn in blocks, a second is formatted once. */
export interface RequestIdentities {
  uuid(): string;
  /** As `TWegAcC4EowCHnA=`: 11 random bytes, URL-safe base 64. */
  extendedId(): string;
  /** A trace root: `1-5e9f0c65-1de4d666d4dd26aced652b6c`. */
  traceRoot(now: number): string;
  /** As `21/Apr/2020:15:08:21 +0000`. */
  logTime(now: number): string;
}

const blockBytes = 8192;
const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

export function createRequestIdentities(ids: Ids): RequestIdentities {
  let block = Buffer.alloc(0);
  let used = 0;
  let second = -1;
  let text = "";

  const draw = (length: number, encoding: "base64url" | "hex") => {
    if (used + length > block.length) {
      block = Buffer.from(ids.bytes(blockBytes));
      used = 0;
    }
    used += length;
    return block.toString(encoding, used - length, used);
  };

  return {
    uuid: () => ids.uuid(),
    extendedId: () => `${draw(11, "base64url")}=`,
    traceRoot: (now) => `1-${toSeconds(now).toString(16).padStart(8, "0")}-${draw(12, "hex")}`,
    logTime: (now) => {
      if (toSeconds(now) !== second) {
        second = toSeconds(now);
        text = formatLogTime(new Date(now));
      }
      return text;
    },
  };
}

function toSeconds(now: ReturnType<Clock["now"]>): number {
  return Math.floor(now / 1000);
}

function formatLogTime(date: Date): string {
  const day = `${two(date.getUTCDate())}/${months[date.getUTCMonth()] ?? ""}/${date.getUTCFullYear()}`;
  return `${day}:${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())} +0000`;
}

function two(value: number): string {
  return String(value).padStart(2, "0");
}
