import { TemplateError } from "./errors.ts";
import { jsonText } from "./json-text.ts";
import { evaluateJsonPath } from "./json-path.ts";
import { parseJson } from "./json.ts";
import { type Run, spend } from "./run.ts";
import { textOf } from "./text.ts";
import type { HostObject, Value, VtlMap } from "./values.ts";

/** What `$input` is made of. */
export interface TemplateInput {
  /** The payload as text; empty where there is none. */
  readonly body: string;
  /** The parameters of the method request, read when a template asks for them. */
  readonly params: () => RequestParams;
}

export interface RequestParams {
  readonly path: VtlMap;
  readonly querystring: VtlMap;
  /** Names as the client wrote them. */
  readonly header: VtlMap;
}

/**
 * `$input`. Source: "Variables for data transformations for API Gateway", input variables.
 *
 * AWS: without a payload the body is `{}`; a JSONPath that leads nowhere gives nothing by `path`, and `""` by `json`.
 */
export function inputObject(input: TemplateInput): HostObject {
  const body = input.body === "" ? "{}" : input.body;
  let document: { readonly value: Value } | undefined;
  let all: VtlMap | undefined;
  const find = (args: readonly Value[], run: Run): Value => {
    if (document === undefined) {
      spend(run, Math.ceil(body.length / 64));
      document = { value: parseJson(body) };
    }
    const [path] = args;
    return evaluateJsonPath(run.paths(path === undefined ? "$" : textOf(path, run)), document.value, run);
  };
  const params = (args: readonly Value[], run: Run): Value => {
    const { path, querystring, header } = input.params();
    all ??= new Map<Value, Value>([
      ["path", path],
      ["querystring", querystring],
      ["header", header],
    ]);
    if (args.length === 0) return all;
    const name = textOf(args[0], run);
    // AWS: the first of path, query string and headers that has it; nothing else is an empty text.
    return path.get(name) ?? querystring.get(name) ?? headerOf(header, name) ?? "";
  };
  return {
    kind: "host",
    property: (name, run) => {
      if (name === "body") return body;
      return name === "params" ? params([], run) : undefined;
    },
    call: (name, args, run) => {
      switch (name) {
        case "path":
          return find(args, run);
        case "json": {
          const value = find(args, run);
          return value === undefined ? '""' : jsonText(value, run, "plain");
        }
        case "params":
          return params(args, run);
        case "getBody":
          return body;
        default:
          throw new TemplateError(`$input.${name}() does not exist`);
      }
    },
    text: () => "",
  };
}

function headerOf(headers: VtlMap, name: string): Value {
  const exact = headers.get(name);
  if (exact !== undefined) return exact;
  const lower = name.toLowerCase();
  for (const [key, value] of headers) if (typeof key === "string" && key.toLowerCase() === lower) return value;
  return undefined;
}

/** `$stageVariables`: by `.name` and `['name']`, as a map. */
export function stageVariablesMap(variables: Readonly<Record<string, string>>): VtlMap {
  return new Map<Value, Value>(Object.entries(variables));
}
