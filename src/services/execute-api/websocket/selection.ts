/**
 * A selection expression, made ready: `$request.body.action`, `${request.body.service}/${request.body.action}`.
 *
 * Source: "Route selection expressions" in the developer guide. Expressions are evaluated against the JSON of a message.
 */
export interface SelectionExpression {
  /** The text it stands for; undefined where a variable is not there. */
  evaluate(body: unknown): string | undefined;
}

type Part = { readonly text: string } | { readonly path: readonly (string | number)[] };

/** @returns undefined for what is not an expression over `request.body` */
export function parseSelectionExpression(expression: string): SelectionExpression | undefined {
  const parts = parseParts(expression);
  if (parts === undefined || !parts.some((part) => "path" in part)) return undefined;
  return {
    evaluate(body) {
      let text = "";
      for (const part of parts) {
        if ("text" in part) {
          text += part.text;
          continue;
        }
        const value = follow(body, part.path);
        if (value === undefined || value === null) return undefined;
        text += stringify(value);
      }
      return text;
    },
  };
}

function parseParts(expression: string): Part[] | undefined {
  if (!expression.includes("${")) {
    const path = expression.startsWith("$") ? parsePath(expression.slice(1)) : undefined;
    return path && [{ path }];
  }
  const parts: Part[] = [];
  let at = 0;
  while (at < expression.length) {
    const open = expression.indexOf("${", at);
    if (open !== at) parts.push({ text: expression.slice(at, open === -1 ? undefined : open) });
    if (open === -1) break;
    const close = expression.indexOf("}", open);
    const path = close === -1 ? undefined : parsePath(expression.slice(open + 2, close));
    if (path === undefined) return undefined;
    parts.push({ path });
    at = close + 1;
  }
  return parts;
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
