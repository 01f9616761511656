import { EventPatternError } from "./error.ts";

/**
 * `*` stands for any characters or none; `\*` and `\\` for themselves. Compares in the time that reading the text takes, whatever the
 * pattern. Source: EventBridge user guide, "Matching using wildcards".
 */
export function compileWildcard(pattern: string): (text: string) => boolean {
  const [first = "", ...rest] = literalsOf(pattern);
  const last = rest.pop();
  if (last === undefined) return (text) => text === first;
  return (text) => {
    if (!text.startsWith(first)) return false;
    let at = first.length;
    for (const literal of rest) {
      const found = text.indexOf(literal, at);
      if (found === -1) return false;
      at = found + literal.length;
    }
    return text.length - last.length >= at && text.endsWith(last);
  };
}

/** What stands between the wildcards. */
function literalsOf(pattern: string): string[] {
  const literals = [""];
  for (let at = 0; at < pattern.length; at += 1) {
    let character = pattern.charAt(at);
    if (character === "*") {
      if (pattern[at + 1] === "*") throw new EventPatternError("Consecutive wildcard characters");
      literals.push("");
      continue;
    }
    if (character === "\\") {
      at += 1;
      character = pattern.charAt(at);
      if (character !== "*" && character !== "\\") throw new EventPatternError("Invalid escape character");
    }
    literals.push((literals.pop() ?? "") + character);
  }
  return literals;
}
