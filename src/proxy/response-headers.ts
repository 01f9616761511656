/**
 * Headers of a function's answer that the gateway does not pass on under their own name.
 *
 * AWS: renamed with `x-amzn-Remapped-` in front, as "Amazon API Gateway important notes" lists; HTTP APIs do the same.
 */
const remapped = new Set([
  "authorization",
  "connection",
  "content-length",
  "content-md5",
  "date",
  "expect",
  "host",
  "max-forwards",
  "proxy-authenticate",
  "server",
  "te",
  "trailer",
  "upgrade",
  "user-agent",
  "www-authenticate",
]);

/** The name a response header is sent under; undefined when it is dropped. */
export function sentHeaderName(name: string): string | undefined {
  const lower = name.toLowerCase();
  if (lower === "transfer-encoding") return undefined;
  return remapped.has(lower) ? `x-amzn-Remapped-${name}` : name;
}

// RFC 9110: a token, and visible characters with tabs and spaces in a value.
const tokenPattern = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const valuePattern = /^[\t\u0020-\u007e\u0080-\u00ff]*$/;

export function isHeaderName(name: string): boolean {
  return tokenPattern.test(name);
}

/** The bytes a header value is sent as (one character each): UTF-8 where it is not Latin 1. Undefined when it cannot be sent. */
export function sentHeaderValue(value: string): string | undefined {
  if (valuePattern.test(value)) return value;
  const bytes = Buffer.from(value, "utf8").toString("latin1");
  return valuePattern.test(bytes) ? bytes : undefined;
}
