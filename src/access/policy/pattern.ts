/** Values of condition keys by lower-case name: what policies are matched against. */
export interface Context {
  get(key: string): readonly string[] | undefined;
}

/** A text of a policy with wildcards (`*` any run, `?` one character) and, where allowed, policy variables (`${aws:username}`). */
export interface Pattern {
  matches(text: string, context: Context): boolean;
}

export interface PatternOptions {
  /** Whether `${…}` means something: in policies of version 2012-10-17. */
  readonly variables: boolean;
  readonly ignoreCase?: boolean;
  /** Whether `*` and `?` stand for others. */
  readonly wildcards?: boolean;
}

/** Source: "IAM JSON policy elements: Action", "… Condition operators" (StringLike), "Policy variables". */
export function compilePattern(text: string, options: PatternOptions): Pattern {
  const tokens = tokenize(options.ignoreCase ? text.toLowerCase() : text, options);
  if (tokens.every((token) => typeof token === "number" && token >= 0)) {
    const exact = toText(tokens);
    return { matches: (given) => (options.ignoreCase ? given.toLowerCase() : given) === exact };
  }
  const fixed = toFixed(tokens);
  const prefix = literalPrefix(tokens);
  return {
    matches: (given, context) => {
      const text = options.ignoreCase ? given.toLowerCase() : given;
      if (!text.startsWith(prefix)) return false;
      const glob = fixed ?? expand(tokens, context, options.ignoreCase ?? false);
      return glob !== undefined && matchesGlob(glob, text);
    },
  };
}

/**
 * An ARN of a policy. Each of the six parts is matched by itself: a wildcard does not reach over one of the first five
 * colons. Parts that are left off match anything; `*` alone matches all.
 */
export function compileArnPattern(text: string, options: { readonly variables: boolean }): Pattern {
  const tokens = tokenize(text, options);
  if (tokens.length === 1 && tokens[0] === anyRun) return { matches: () => true };
  const parts = splitArn(tokens);
  while (parts.length < 6) parts.push([anyRun]);
  const fixed = parts.map(toFixed);
  const prefix = literalPrefix(tokens);
  return {
    matches: (given, context) => {
      if (!given.startsWith(prefix)) return false;
      let start = 0;
      for (let index = 0; index < 6; index++) {
        const end = index < 5 ? given.indexOf(":", start) : given.length;
        if (end < 0) return false;
        const glob = fixed[index] ?? expand(parts[index] ?? [], context, false);
        if (!glob || !matchesGlob(glob, given, start, end)) return false;
        start = end + 1;
      }
      return true;
    },
  };
}

const anyRun = -1;
const anyOne = -2;

interface Variable {
  readonly name: string;
  readonly fallback: string | undefined;
}

/** A character code, a wildcard, or a variable. */
type Token = number | Variable;

function tokenize(text: string, options: PatternOptions): Token[] {
  const tokens: Token[] = [];
  for (let at = 0; at < text.length; at++) {
    const character = text.charAt(at);
    const end = options.variables && text.startsWith("${", at) ? text.indexOf("}", at) : -1;
    if (end > 0) {
      tokens.push(parseVariable(text.slice(at + 2, end)));
      at = end;
    } else if (options.wildcards !== false && character === "*") {
      if (tokens.at(-1) !== anyRun) tokens.push(anyRun);
    } else if (options.wildcards !== false && character === "?") tokens.push(anyOne);
    else tokens.push(character.charCodeAt(0));
  }
  return tokens;
}

function parseVariable(inside: string): Token {
  if (inside === "*" || inside === "?" || inside === "$") return inside.charCodeAt(0);
  // No pattern with two runs of blanks beside each other: its time would grow with a power of the text's length.
  const comma = inside.indexOf(",");
  const name = (comma < 0 ? inside : inside.slice(0, comma)).trim().toLowerCase();
  const fallback = comma < 0 ? "" : inside.slice(comma + 1).trim();
  const quoted = fallback.length >= 2 && fallback.startsWith("'") && fallback.endsWith("'");
  // What is not well formed is the name of no key, and so has no value.
  if (comma >= 0 && !quoted) return { name: inside.toLowerCase(), fallback: undefined };
  return { name, fallback: quoted ? fallback.slice(1, -1) : undefined };
}

/** Tokens without variables are the same for every request. */
function toFixed(tokens: readonly Token[]): readonly number[] | undefined {
  const codes = tokens.filter((token) => typeof token === "number");
  return codes.length === tokens.length ? codes : undefined;
}

/** What any match begins with: most patterns are told apart by it. */
function literalPrefix(tokens: readonly Token[]): string {
  const end = tokens.findIndex((token) => typeof token !== "number" || token < 0);
  return toText(end < 0 ? tokens : tokens.slice(0, end));
}

/** Character by character: a text may have more of them than a call may have arguments. */
function toText(tokens: readonly Token[]): string {
  return tokens.map((token) => (typeof token === "number" ? String.fromCharCode(token) : "")).join("");
}

/** The values of variables stand for themselves: a `*` in a user's name is no wildcard. Undefined when one has no value. */
function expand(tokens: readonly Token[], context: Context, ignoreCase: boolean): readonly number[] | undefined {
  const codes: number[] = [];
  for (const token of tokens) {
    if (typeof token === "number") {
      codes.push(token);
      continue;
    }
    const values = context.get(token.name);
    const value = values?.length === 1 ? values[0] : token.fallback;
    if (value === undefined) return undefined;
    const text = ignoreCase ? value.toLowerCase() : value;
    for (let at = 0; at < text.length; at++) codes.push(text.charCodeAt(at));
  }
  return codes;
}

/**
 * Whether the text from `start` to `end` is what the glob says. Only the latest run is ever taken up again, so the time
 * is at most pattern × text.
 */
function matchesGlob(glob: readonly number[], text: string, start = 0, end = text.length): boolean {
  let g = 0;
  let t = start;
  let runAt = -1;
  let runText = start;
  while (t < end) {
    const code = glob[g];
    if (code === anyRun) {
      runAt = g++;
      runText = t;
    } else if (code !== undefined && (code === anyOne || code === text.charCodeAt(t))) {
      g++;
      t++;
    } else if (runAt >= 0) {
      g = runAt + 1;
      t = ++runText;
    } else return false;
  }
  while (glob[g] === anyRun) g++;
  return g === glob.length;
}

const colon = ":".charCodeAt(0);

function splitArn(tokens: readonly Token[]): Token[][] {
  const parts: Token[][] = [[]];
  for (const token of tokens) {
    if (token === colon && parts.length < 6) parts.push([]);
    else parts.at(-1)?.push(token);
  }
  return parts;
}
