import { parseQuery } from "../../../proxy/query-string.ts";
import type { PublishedMethod } from "../port.ts";
import type { RestRequest } from "../rest/request.ts";
import { pathVariables } from "../router.ts";

/**
 * What an answer in the cache is found by: the namespace, the HTTP method and the values of the method's key parameters.
 *
 * AWS: whatever is no key parameter makes no difference, a variable of the path neither.
 */
export function compileCacheKey(method: PublishedMethod): (request: RestRequest) => string {
  const namespace = method.cacheNamespace ?? method.resourceId;
  const readers = (method.cacheKeyParameters ?? []).map((name) => compileParameter(method, name));
  if (readers.length === 0) return ({ exchange }) => `${namespace} ${exchange.method}`;
  return (request) => {
    const values = readers.map((read) => read(request));
    // As JSON, so that no value can look like two.
    return `${namespace} ${request.exchange.method} ${JSON.stringify(values)}`;
  };
}

type Reader = (request: RestRequest) => string | string[] | null;

function compileParameter(method: PublishedMethod, parameter: string): Reader {
  const [, place, name = ""] = /^method\.request\.(\w+)\.(.+)$/.exec(parameter) ?? [];
  switch (place) {
    case "path": {
      const index = pathVariables(method.path).indexOf(name);
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
      return () => null;
  }
}
