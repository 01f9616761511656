import { parseQuery } from "../../../proxy/query-string.ts";
import type { PublishedMethod } from "../port.ts";
import type { RestRequest } from "../rest/request.ts";
import { pathVariables } from "../router.ts";

/**
 * What an answer in the cache is found by: the namespace, the HTTP method and the values of the method's key parameters.
 *
 * AWS: whatever is no key parameter makes no difference, a variable of the path neither.
 */
export function compileCacheKey(method: PublishedMethod): ((request: RestRequest) => string) | undefined {
  const namespace = method.cacheNamespace ?? method.resourceId;
  const readers: Reader[] = [];
  for (const name of method.cacheKeyParameters ?? []) {
    const reader = compileParameter(method, sourceOf(method, name));
    // What cannot be told apart must not be answered alike: nothing is cached.
    if (reader === undefined) return undefined;
    readers.push(reader);
  }
  if (readers.length === 0) return ({ exchange }) => `${namespace} ${exchange.method}`;
  return (request) => {
    const values = readers.map((read) => read(request));
    // As JSON, so that no value can look like two.
    return `${namespace} ${request.exchange.method} ${JSON.stringify(values)}`;
  };
}

type Reader = (request: RestRequest) => string | string[] | null;

/** A parameter of the integration is told apart by what it is mapped from. */
function sourceOf({ integration }: PublishedMethod, parameter: string): string {
  if (!("requestParameters" in integration)) return parameter;
  return integration.requestParameters?.[parameter] ?? parameter;
}

function compileParameter(method: PublishedMethod, parameter: string): Reader | undefined {
  const [, place, name = ""] = /^method\.request\.(\w+)\.(.+)$/.exec(parameter) ?? [];
  switch (place) {
    case "path": {
      const index = pathVariables(method.path).indexOf(name);
      if (index === -1) return undefined;
      return ({ parameters }) => parameters[index] ?? null;
    }
    case "querystring":
    case "multivaluequerystring":
      return ({ exchange }) => {
        const { names, values } = parseQuery(exchange.query);
        return values[names.indexOf(name)] ?? null;
      };
    case "header":
    case "multivalueheader": {
      const lower = name.toLowerCase();
      return ({ exchange }) => {
        const value = exchange.request.headers[lower];
        return typeof value === "string" ? value : (value ?? null);
      };
    }
    default:
      return undefined;
  }
}
