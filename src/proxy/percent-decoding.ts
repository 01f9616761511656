/** Percent-decode as UTF-8; text that is not well-formed is left as it is. */
export function decodePercent(text: string): string {
  if (!text.includes("%")) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Decode a name or value of a query string, where `+` is a space. */
export function decodeQueryPart(text: string): string {
  return decodePercent(text.includes("+") ? text.replaceAll("+", " ") : text);
}
