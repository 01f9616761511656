/**
 * Models give patterns in Java's syntax, matched against the whole value. The subset they use is JavaScript's but for
 * class intersections, possessive quantifiers and POSIX names; anchors are kept.
 *
 * @returns undefined for a pattern that has no JavaScript form
 */
export function fromJavaPattern(pattern: string): RegExp | undefined {
  const dotAll = pattern.startsWith("(?s)");
  const text = (dotAll ? pattern.slice(4) : pattern)
    .replaceAll("\\p{Alpha}", "a-zA-Z")
    .replaceAll("\\p{Digit}", "0-9")
    .replaceAll("\\p{Alnum}", "a-zA-Z0-9")
    .replaceAll("\\p{Graph}", "\\x21-\\x7e")
    .replaceAll("\\p{Print}", "\\x20-\\x7e")
    .replaceAll("\\p{Punct}", "!-\\/:-@\\[-`{-~")
    .replaceAll("\\p{ASCII}", "\\x00-\\x7f")
    .replaceAll("\\A", "^")
    .replaceAll(/\\[zZ]/g, "$")
    .replaceAll("\\u{10FFFF}", "\\u{10ffff}")
    .replaceAll(/\\x\{([0-9a-fA-F]+)\}/g, "\\u{$1}")
    .replaceAll(/([*+?}])\+/g, "$1");
  const unicode = /\\[pP]\{|\\u\{|\\u[dD][89a-fA-F]/.test(text);
  for (const flags of unicode ? ["u"] : ["", "u"]) {
    for (const source of [text, escapeHyphens(text)]) {
      try {
        return new RegExp(`^(?:${source})$`, dotAll ? `${flags}s` : flags);
      } catch {
        // The next spelling may be one that JavaScript takes.
      }
    }
  }
  return undefined;
}

/** In Unicode mode a hyphen beside a class escape must be escaped, and few other characters may be. */
function escapeHyphens(text: string): string {
  return text
    .replaceAll(/(\\[wdsWDS]|\\[pP]\{\w+\})-/g, "$1\\-")
    .replaceAll(/-(\\[wdsWDS]|\\[pP]\{\w+\})/g, "\\-$1")
    .replaceAll(/(?<!\\)((?:\\\\)*)\\([@:=,_!#%&~`'"<> ;])/g, "$1$2");
}
