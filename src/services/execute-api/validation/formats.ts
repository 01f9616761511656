import { isIPv4, isIPv6 } from "node:net";

/** What AWS's validator says of a text that lacks a format of draft 4; nothing for formats it does not know. */
export function formatError(format: string, text: string): string | undefined {
  switch (format) {
    case "date-time":
      return dateTime.test(text) && !Number.isNaN(Date.parse(text))
        ? undefined
        : `string ${JSON.stringify(text)} is invalid against requested date format(s) [yyyy-MM-dd'T'HH:mm:ssZ, yyyy-MM-dd'T'HH:mm:ss.[0-9]{1,12}Z]`;
    case "email":
      return text.length <= 320 && /^[^\s@]+@[^\s@]+$/.test(text) ? undefined : isNot(text, "a valid email address");
    case "ipv4":
      return isIPv4(text) ? undefined : isNot(text, "a valid IPv4 address");
    case "ipv6":
      return isIPv6(text) ? undefined : isNot(text, "a valid IPv6 address");
    case "hostname":
      return isHostname(text) ? undefined : isNot(text, "a valid hostname");
    case "uri":
      return URL.canParse(text) || /^[\w\-.~:/?#[\]@!$&'()*+,;=%]*$/.test(text)
        ? undefined
        : isNot(text, "a valid URI");
    default:
      return undefined;
  }
}

const dateTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,12})?(?:Z|[+-]\d\d:?\d\d)$/;

function isHostname(text: string): boolean {
  return text.length <= 253 && text.split(".").every((label) => /^(?!-)[A-Za-z0-9-]{1,63}(?<!-)$/.test(label));
}

function isNot(text: string, what: string): string {
  return `string ${JSON.stringify(text)} is not ${what}`;
}
