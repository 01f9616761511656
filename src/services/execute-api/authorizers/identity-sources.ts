import { type Exchange } from "../../../proxy/exchange.ts";
import { parseQuery } from "../../../proxy/query-string.ts";

/** A request as identity sources see it. */
export interface IdentitySubject {
  readonly exchange: Exchange;
  readonly stage: { readonly published: { readonly variables: Readonly<Record<string, string>> } };
}

/** The values of an authorizer's identity sources, or undefined when one is missing or empty. */
export type IdentityReader<Subject> = (request: Subject) => readonly string[] | undefined;

/**
 * Make identity sources ready: `method.request.header.Auth`, `method.request.querystring.Name`, `stageVariables.x` and
 * `context.x` of REST APIs; `$request.header.Auth` … of HTTP APIs.
 *
 * @param contextVariable reads `$context` by name
 * @param repeated of a name that a request has more than once: the last value, as events of format 1.0 tell it, or all
 *   joined by commas, as those of format 2.0 do
 */
export function compileIdentitySources<Subject extends IdentitySubject>(
  expressions: readonly string[],
  contextVariable: (request: Subject, name: string) => unknown,
  repeated: "last" | "joined",
): IdentityReader<Subject> {
  const sources = expressions.map((expression) => compileSource(expression, contextVariable, repeated));
  const [only] = sources;
  if (only !== undefined && sources.length === 1) {
    return (request) => {
      const value = only(request);
      return value === "" ? undefined : [value];
    };
  }
  return (request) => {
    const values: string[] = [];
    for (const source of sources) {
      const value = source(request);
      if (value === "") return undefined;
      values.push(value);
    }
    return values;
  };
}

type Source<Subject> = (request: Subject) => string;

function compileSource<Subject extends IdentitySubject>(
  expression: string,
  contextVariable: (request: Subject, name: string) => unknown,
  repeated: "last" | "joined",
): Source<Subject> {
  const match = /^(?:method\.|route\.|\$)?(request\.header|request\.querystring|stageVariables|context)\.(.+)$/.exec(
    expression,
  );
  const name = match?.[2] ?? "";
  switch (match?.[1]) {
    case "request.header":
      return headerSource(name.toLowerCase(), repeated);
    case "request.querystring":
      return ({ exchange }) => {
        const { names, values } = parseQuery(exchange.query);
        const found = values[names.indexOf(name)] ?? [];
        return repeated === "joined" ? found.join(",") : (found.at(-1) ?? "");
      };
    case "stageVariables":
      return ({ stage }) =>
        Object.hasOwn(stage.published.variables, name) ? (stage.published.variables[name] ?? "") : "";
    case "context":
      return (request) => {
        const value = contextVariable(request, name);
        return typeof value === "string" || typeof value === "number" || typeof value === "boolean"
          ? String(value)
          : "";
      };
    default:
      // The control planes refuse what has no meaning; nobody gets past what has none.
      return () => "";
  }
}

function headerSource(lower: string, repeated: "last" | "joined"): Source<IdentitySubject> {
  return ({ exchange: { headers } }) => {
    const at = headers.lower.lastIndexOf(lower);
    if (at === -1) return "";
    const last = headers.values[at] ?? "";
    if (repeated === "last" || headers.lower.indexOf(lower) === at) return last;
    return headers.values.filter((_value, index) => headers.lower[index] === lower).join(",");
  };
}
