import { restVariable } from "../context/rest-context.ts";
import type { RestRequest } from "./request.ts";
import { compileSource } from "./request-mapping.ts";

const references =
  /\$(?:\{(?<formal>(?:context|stageVariables|method\.request)\.[\w.-]*\w)\}|(?<plain>(?:context|stageVariables|method\.request)\.[\w.-]*\w))/g;

/**
 * Make a gateway response's template ready. It is no Velocity: variables are put in, and nothing else.
 *
 * AWS: `$context.…`, `$stageVariables.…` and `$method.request.{header,querystring,path}.NAME`; what does not exist is empty, and
 * the message of an answer that has none is `null`.
 *
 * Source: "Gateway responses for REST APIs in API Gateway".
 */
export function compileSubstitution(template: string): (request: RestRequest) => string {
  const parts: (string | ((request: RestRequest) => string))[] = [];
  let from = 0;
  for (const match of template.matchAll(references)) {
    if (match.index > from) parts.push(template.slice(from, match.index));
    parts.push(compileReference(match.groups?.["formal"] ?? match.groups?.["plain"] ?? ""));
    from = match.index + match[0].length;
  }
  if (from < template.length) parts.push(template.slice(from));
  return (request) => {
    let text = "";
    for (const part of parts) text += typeof part === "string" ? part : part(request);
    return text;
  };
}

function compileReference(expression: string): (request: RestRequest) => string {
  const variable = /^context\.(.+)$/.exec(expression)?.[1];
  if (variable !== undefined) {
    return (request) => {
      const value = restVariable(request, variable);
      if (value === null) return "null";
      return value === undefined ? "" : String(value);
    };
  }
  const source = compileSource(expression);
  return (request) => source?.(request).join(",") ?? "";
}
