/** `*` stands for any characters. */
export function matchesWildcard(filter: string, text: string): boolean {
  const pieces = filter.split("*");
  const [first = ""] = pieces;
  if (pieces.length === 1) return text === filter;
  if (!text.startsWith(first)) return false;
  const last = pieces.at(-1) ?? "";
  let at = first.length;
  for (const piece of pieces.slice(1, -1)) {
    const found = text.indexOf(piece, at);
    if (found < 0) return false;
    at = found + piece.length;
  }
  return text.length - at >= last.length && text.endsWith(last);
}

/** Page tokens say where the page before ended. */
export function toPageToken(name: string): string {
  return Buffer.from(name).toString("base64url");
}

/** Undefined for what is no token of ours. */
export function parsePageToken(token: string): string | undefined {
  const name = Buffer.from(token, "base64url").toString();
  return toPageToken(name) === token ? name : undefined;
}
