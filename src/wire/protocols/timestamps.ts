import { malformed } from "./protocol.ts";

/** `iso8601` (date-time), `unixTimestamp` (epoch seconds) and `rfc822` (http-date), as models name them. */
export type TimestampFormat = "iso8601" | "unixTimestamp" | "rfc822";

export function toTimestampFormat(text: string | undefined, fallback: TimestampFormat): TimestampFormat {
  switch (text?.toLowerCase()) {
    case "iso8601":
      return "iso8601";
    case "unixtimestamp":
      return "unixTimestamp";
    case "rfc822":
      return "rfc822";
    default:
      return fallback;
  }
}

/** The text of a date; fractions of a second appear when there are any. */
export function formatTimestamp(date: Date, format: TimestampFormat): string {
  switch (format) {
    case "iso8601":
      return date.toISOString().replace(".000Z", "Z");
    case "unixTimestamp":
      return String(date.getTime() / 1000);
    case "rfc822":
      return date.toUTCString();
  }
}

const isoPattern = /^\d{4}-\d\d-\d\d(?:[Tt ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:[Zz]|[+-]\d\d:?\d\d)?)?$/;
const httpDatePattern =
  /^[A-Za-z]{3,9}, \d{1,2}[ -][A-Za-z]{3}[ -]\d{2,4} \d\d:\d\d:\d\d(?:\.\d{1,9})? (?:GMT|UTC|[+-]\d{4})$/;
const numberPattern = /^-?\d{1,15}(?:\.\d{1,9})?(?:[eE][+-]?\d{1,2})?$/;

/** Text in any of the three forms: AWS is lenient in which one it takes. Throws the SerializationException otherwise. */
export function parseTimestamp(text: string): Date {
  const epoch = numberPattern.test(text)
    ? Math.round(Number(text) * 1000)
    : isoPattern.test(text)
      ? Date.parse(withZone(text))
      : httpDatePattern.test(text)
        ? Date.parse(text)
        : Number.NaN;
  return toDate(epoch, text);
}

/** Epoch milliseconds → a date, refusing what no date can hold. */
export function toDate(epochMs: number, text: string): Date {
  const date = new Date(epochMs);
  if (Number.isNaN(date.getTime())) throw malformed(`Unable to parse the timestamp ${text.slice(0, 64)}`);
  return date;
}

function withZone(text: string): string {
  return /[Zz]$|[+-]\d\d:?\d\d$/.test(text) || text.length === 10 ? text : `${text}Z`;
}
