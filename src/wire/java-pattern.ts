/**
 * Models give patterns in Java's syntax, matched against the whole value. The subset they use is JavaScript's but for
 * class intersections, possessive quantifiers and POSIX names; anchors are kept.
 *
 * @returns undefined for a pattern that has no JavaScript form
 */
export function fromJavaPattern(pattern: string): RegExp | undefined {
  const [, modes = "", rest = pattern] = /^\(\?([is]+)\)(.*)$/s.exec(pattern) ?? [];
  const text = (linear.get(rest) ?? rest)
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
        return new RegExp(`^(?:${source})$`, flags + modes);
      } catch {
        // The next spelling may be one that JavaScript takes.
      }
    }
  }
  return undefined;
}

/**
 * Patterns that a backtracking engine needs exponential time for, with patterns for the same values that it does not.
 * The test of the tables tries every pattern with hostile values.
 */
const linear: ReadonlyMap<string, string> = new Map([
  [String.raw`^[ \t]*[\x20-\x7E]+([ \t]+[\x20-\x7E]+)*[ \t]*$`, String.raw`^\t*[\x20-\x7E][\t\x20-\x7E]*$`],
  [
    String.raw`^[ \t]*[^\x00-\x1F:\x7F]+([ \t]+[^\x00-\x1F:\x7F]+)*[ \t]*$`,
    String.raw`^\t*[^\x00-\x1F:\x7F][^\x00-\x08\x0A-\x1F:\x7F]*$`,
  ],
  [String.raw`^[a-z0-9*](?:[._\-/a-z0-9*]?[a-z0-9*]+)*$`, String.raw`^[a-z0-9*]+(?:[._\-/][a-z0-9*]+)*$`],
]);

/** In Unicode mode a hyphen beside a class escape must be escaped, and few other characters may be. */
function escapeHyphens(text: string): string {
  return text
    .replaceAll(/(\\[wdsWDS]|\\[pP]\{\w+\})-/g, "$1\\-")
    .replaceAll(/-(\\[wdsWDS]|\\[pP]\{\w+\})/g, "\\-$1")
    .replaceAll(/(?<!\\)((?:\\\\)*)\\([@:=,_!#%&~`'"<> ;])/g, "$1$2");
}
