/** Values of condition keys by lower-case name: what policies are matched against. */
export type Context = ReadonlyMap<string, readonly string[]>;

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
    const exact = String.fromCharCode(...tokens.filter((token) => typeof token === "number"));
    return { matches: (given) => (options.ignoreCase ? given.toLowerCase() : given) === exact };
  }
  return {
    matches: (given, context) => {
      const glob = expand(tokens, context, options.ignoreCase ?? false);
      return glob !== undefined && matchesGlob(glob, options.ignoreCase ? given.toLowerCase() : given);
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
  const isStatic = !tokens.some((token) => typeof token !== "number");
  const fixed = isStatic ? parts.map((part) => part.filter((token) => typeof token === "number")) : undefined;
  return {
    matches: (given, context) => {
      const texts = splitArnText(given);
      if (!texts) return false;
      for (const [index, part] of parts.entries()) {
        const glob = fixed?.[index] ?? expand(part, context, false);
        if (!glob || !matchesGlob(glob, texts[index] ?? "")) return false;
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
  const match = /^\s*([^,]+?)\s*(?:,\s*'(.*)')?\s*$/.exec(inside);
  return { name: (match?.[1] ?? inside).toLowerCase(), fallback: match?.[2] };
}

/** The values of variables stand for themselves: a `*` in a user's name is no wildcard. Undefined when one has no value. */
function expand(tokens: readonly Token[], context: Context, ignoreCase: boolean): number[] | undefined {
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

/** Only the latest run is ever taken up again, so the time is at most pattern × text. */
function matchesGlob(glob: readonly number[], text: string): boolean {
  let g = 0;
  let t = 0;
  let runAt = -1;
  let runText = 0;
  while (t < text.length) {
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

function splitArnText(text: string): string[] | undefined {
  const parts = text.split(":");
  if (parts.length < 6) return undefined;
  return [...parts.slice(0, 5), parts.slice(5).join(":")];
}
