import { isHeaderName, sentHeaderValue } from "../../../proxy/response-headers.ts";
import type { Overrides } from "../vtl/context-object.ts";
import { isList, isNumber, toNumber, type Value } from "../vtl/values.ts";
import type { MappedParameters } from "./request-mapping.ts";

/**
 * Put what a request template has set of `$context.requestOverride` in place of what was mapped. A list gives a header or
 * parameter several values.
 *
 * Source: "Override your API's request and response parameters and status codes for REST APIs".
 */
export function overrideParameters(parameters: MappedParameters, overrides: Overrides["request"]): void {
  for (const [name, value] of overrides.header) {
    const sendable = textsOf(value)
      .map(sentHeaderValue)
      .filter((text) => text !== undefined);
    const header = String(name);
    if (!isHeaderName(header)) continue;
    for (const mapped of parameters.headers.keys()) {
      if (mapped.toLowerCase() === header.toLowerCase()) parameters.headers.delete(mapped);
    }
    parameters.headers.set(header, sendable);
  }
  for (const [name, value] of overrides.querystring) parameters.query.set(String(name), textsOf(value));
  for (const [name, value] of overrides.path) parameters.path.set(String(name), textsOf(value).join(","));
}

/** Put what a response template has set of `$context.responseOverride.header` in place of what was mapped. */
export function overrideHeaders(headers: readonly string[], overrides: Overrides["response"]): string[] {
  const replaced = new Set([...overrides.header.keys()].map((name) => String(name).toLowerCase()));
  const result: string[] = [];
  for (let index = 0; index < headers.length; index += 2) {
    const name = headers[index] ?? "";
    if (!replaced.has(name.toLowerCase())) result.push(name, headers[index + 1] ?? "");
  }
  for (const [name, value] of overrides.header) {
    for (const text of textsOf(value)) {
      const sendable = sentHeaderValue(text);
      if (isHeaderName(String(name)) && sendable !== undefined) result.push(String(name), sendable);
    }
  }
  return result;
}

/**
 * `$context.responseOverride.status`, or the status without it.
 *
 * @returns undefined for what is no status: AWS answers a configuration error
 */
export function overriddenStatus(status: number, overrides: Overrides["response"]): number | undefined {
  if (overrides.status === undefined) return status;
  const [text = ""] = textsOf(overrides.status);
  return /^[1-5]\d\d$/.test(text) && Number(text) >= 200 ? Number(text) : undefined;
}

function textsOf(value: Value): string[] {
  if (isList(value)) return value.items.flatMap(textsOf);
  if (isNumber(value)) return [String(toNumber(value))];
  return typeof value === "string" || typeof value === "boolean" ? [String(value)] : [];
}
