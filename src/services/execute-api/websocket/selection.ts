/**
 * A selection expression, made ready: `$request.body.action`, `${request.body.service}/${request.body.action}`.
 *
 * Source: "WebSocket selection expressions" in the developer guide. They are evaluated against the JSON of a message.
 */
export interface SelectionExpression {
  /** The text it stands for; undefined where a variable is not there. */
  evaluate(body: unknown): string | undefined;
}

/** @returns undefined for what is not an expression over `request.body` */
export function parseSelectionExpression(expression: string): SelectionExpression | undefined {
  const parts = parseParts(expression, (name) => parseBodyVariable(name));
  if (parts === undefined || parts.every((part) => typeof part === "string")) return undefined;
  return { evaluate: (body) => textOf(parts, { body: () => body }) };
}

/** What expressions that choose a model or a template are evaluated with. */
export interface SelectionSources {
  /** The message's JSON; undefined for what is none. */
  readonly body: () => unknown;
  /** What the integration has answered, for those that choose among templates of answers. */
  readonly answer?: {
    readonly status: string;
    /** The values of a header. */
    readonly header: (name: string) => readonly string[];
  };
}

/**
 * Make an expression ready that is a key as it is, perhaps with an escaped dollar (`\\$default`), or one with variables.
 *
 * @param of an answer has `integration.response.…` as well
 * @returns undefined for what is neither
 */
export function compileKeyChoice(
  expression: string,
  of: "message" | "answer",
): ((sources: SelectionSources) => string | undefined) | undefined {
  const parse = of === "message" ? parseBodyVariable : parseAnswerVariable;
  const isKey = expression === "$default" || !/(?<!\\)\$/.test(expression);
  const parts = isKey ? [unescape(expression)] : parseParts(expression, parse);
  return parts && ((sources) => textOf(parts, sources));
}

type Read = (sources: SelectionSources) => unknown;
type Part = string | Read;

function textOf(parts: readonly Part[], sources: SelectionSources): string | undefined {
  let text = "";
  for (const part of parts) {
    if (typeof part === "string") {
      text += part;
      continue;
    }
    const value = part(sources);
    if (value === undefined || value === null) return undefined;
    text += stringify(value);
  }
  return text;
}

function parseParts(expression: string, parseVariable: (name: string) => Read | undefined): Part[] | undefined {
  if (!expression.includes("${")) {
    const read = expression.startsWith("$") ? parseVariable(expression.slice(1)) : undefined;
    return read && [read];
  }
  const parts: Part[] = [];
  let at = 0;
  while (at < expression.length) {
    const open = expression.indexOf("${", at);
    if (open !== at) parts.push(unescape(expression.slice(at, open === -1 ? undefined : open)));
    if (open === -1) break;
    const close = expression.indexOf("}", open);
    const read = close === -1 ? undefined : parseVariable(expression.slice(open + 2, close));
    if (read === undefined) return undefined;
    parts.push(read);
    at = close + 1;
  }
  return parts;
}

function unescape(text: string): string {
  return text.replaceAll("\\$", "$");
}

function parseBodyVariable(name: string): Read | undefined {
  const path = parsePath(name);
  return path && (({ body }) => follow(body(), path));
}

function parseAnswerVariable(name: string): Read | undefined {
  if (name === "integration.response.statuscode") return ({ answer }) => answer?.status;
  const [, place, header = ""] = /^integration\.response\.(header|multivalueheader)\.([\w.-]+)$/.exec(name) ?? [];
  if (place === "header") return ({ answer }) => answer?.header(header).at(-1);
  if (place === "multivalueheader") return ({ answer }) => answer?.header(header);
  return parseBodyVariable(name);
}

const prefix = "request.body";
const step = /\.([^.[\]'"\s*@?()]+)|\[(\d{1,9})\]|\['([^']+)'\]|\["([^"]+)"\]/y;

function parsePath(text: string): (string | number)[] | undefined {
  if (!text.startsWith(prefix)) return undefined;
  const path: (string | number)[] = [];
  let at = prefix.length;
  while (at < text.length) {
    step.lastIndex = at;
    const match = step.exec(text);
    if (!match) return undefined;
    const name = match[1] ?? match[3] ?? match[4];
    path.push(name ?? Number(match[2]));
    at = step.lastIndex;
  }
  return path;
}

function follow(body: unknown, path: readonly (string | number)[]): unknown {
  let value = body;
  for (const name of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return undefined;
    value = Reflect.get(value, name);
  }
  return value;
}

/** AWS: a list is written as `[item1, item2]`. */
function stringify(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(stringify).join(", ")}]`;
  if (typeof value === "object" && value !== null) {
    return `{${Object.entries(value)
      .map(([name, member]) => `${name}=${stringify(member)}`)
      .join(", ")}}`;
  }
  return String(value);
}

/** A message's JSON; undefined for what is none, or no more than a scalar. AWS: that goes to `$default`. */
export function parseMessage(body: string): unknown {
  const first = body.trimStart()[0];
  if (first !== "{" && first !== "[") return undefined;
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
