/** `image/png` of `image/PNG; q=1`. */
export function mediaType(header: string): string {
  const end = header.indexOf(";");
  return (end === -1 ? header : header.slice(0, end)).trim().toLowerCase();
}

/** The first of an `Accept` header: the only one the gateway looks at. */
export function firstMediaType(accept: string): string {
  const comma = accept.indexOf(",");
  return mediaType(comma === -1 ? accept : accept.slice(0, comma));
}

/** Whether a media type is among those a REST API has declared binary: exact, `image/*`, or everything. */
export function isBinaryMediaType(declared: readonly string[], type: string): boolean {
  if (declared.length === 0) return false;
  const slash = type.indexOf("/");
  const family = slash === -1 ? "" : `${type.slice(0, slash)}/*`;
  return declared.some((entry) => entry === "*/*" || entry === type || (family !== "" && entry === family));
}

/**
 * Whether an HTTP API gives a body of this type to functions as text. Everything else arrives in base 64, forms among
 * it.
 */
export function isTextMediaType(type: string): boolean {
  return (
    type.startsWith("text/") ||
    type === "application/json" ||
    type === "application/javascript" ||
    type === "application/xml" ||
    type.endsWith("+json") ||
    type.endsWith("+xml")
  );
}
