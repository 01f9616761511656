/**
 * The first key that stands twice in one object of a JSON text, which `JSON.parse` would read by its last value alone: whoever
 * reviews such a document may have read the other. The text must be valid JSON. Takes a time that grows with the text's length only.
 */
export function findDuplicateKey(text: string): string | undefined {
  // One set of keys for each object that is open, undefined for each list.
  const open: (Set<string> | undefined)[] = [];
  let keyIsNext = false;
  for (let at = 0; at < text.length; at++) {
    switch (text.charAt(at)) {
      case "{":
        open.push(new Set());
        keyIsNext = true;
        break;
      case "[":
        open.push(undefined);
        keyIsNext = false;
        break;
      case "}":
      case "]":
        open.pop();
        keyIsNext = false;
        break;
      case ",":
        keyIsNext = open.at(-1) !== undefined;
        break;
      case '"': {
        const end = endOfString(text, at);
        const keys = keyIsNext ? open.at(-1) : undefined;
        if (keys) {
          // Escapes spell the same key in several ways.
          const key = String(JSON.parse(text.slice(at, end + 1)));
          if (keys.has(key)) return key;
          keys.add(key);
          keyIsNext = false;
        }
        at = end;
        break;
      }
      default:
    }
  }
  return undefined;
}

/** The first quotation mark after `start` with an even number of backslashes before it. */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let escapes = 0;
    while (text.charAt(end - 1 - escapes) === "\\") escapes += 1;
    if (escapes % 2 === 0) return end;
  }
  return text.length;
}
