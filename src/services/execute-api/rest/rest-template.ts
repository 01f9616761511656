import { forwardedPort, sourceIp } from "../../../proxy/client-address.ts";
import { forwardedFor, forwardedProto } from "../../../proxy/exchange.ts";
import { parseQuery } from "../../../proxy/query-string.ts";
import { restVariable, restVariableNames } from "../context/rest-context.ts";
import { pathVariables } from "../router.ts";
import { createOverrides } from "../vtl/context-object.ts";
import { PayloadError, TemplateError } from "../vtl/errors.ts";
import type { RequestParams } from "../vtl/input.ts";
import { compileTemplate } from "../vtl/template.ts";
import type { VtlMap } from "../vtl/values.ts";
import { refuse, type RestRequest } from "./request.ts";

/**
 * Make a mapping template of a REST API's integration ready. What it sets of `$context.requestOverride` and
 * `$context.responseOverride` is in the request's `overrides` afterwards.
 *
 * @returns renders the template with a request and the payload that is mapped: the client's body, or what an integration
 *   answered. It throws what `refuseUnrendered` answers.
 */
export function compileRestTemplate(text: string): (request: RestRequest, body: string) => string {
  const template = compileTemplate(text);
  const { plain } = template;
  if (plain !== undefined) return () => plain;
  return (request, body) => {
    request.overrides ??= createOverrides();
    return template.render({
      input: { body, params: () => paramsOf(request) },
      context: {
        variable: (name) => restVariable(request, name),
        names: () => namesOf(request),
        overrides: request.overrides,
      },
      stageVariables: request.stage.published.variables,
    });
  };
}

/**
 * Answer for a template that could not be rendered.
 *
 * AWS: a client's body that is not the JSON its template reads is the client's error; anything else is the configuration's.
 *
 * @param mapped whose payload it was
 */
export function refuseUnrendered(request: RestRequest, mapped: "request" | "response", error: unknown): void {
  const { log } = request.stage.needs;
  const { requestId } = request.exchange;
  if (error instanceof PayloadError || error instanceof TemplateError) {
    log.debug("A mapping template failed", { requestId, reason: error.message });
  } else {
    log.error("Rendering a mapping template broke", { requestId, error });
  }
  request.journal?.error(`Execution failed due to configuration error: Unable to transform ${mapped}`);
  if (error instanceof PayloadError && mapped === "request") {
    refuse(request, "BAD_REQUEST_BODY", `Could not parse request body into json: ${error.message}`);
  } else {
    refuse(request, "API_CONFIGURATION_ERROR");
  }
}

/** AWS: of what comes more than once, the last. */
function paramsOf({ exchange, method, parameters }: RestRequest): RequestParams {
  const path: VtlMap = new Map();
  for (const [index, name] of pathVariables(method.path).entries()) path.set(name, parameters[index] ?? "");
  const querystring: VtlMap = new Map();
  if (exchange.query !== "") {
    const { names, values } = parseQuery(exchange.query);
    for (const [index, name] of names.entries()) querystring.set(name, values[index]?.at(-1) ?? "");
  }
  const { headers, request } = exchange;
  const header: VtlMap = new Map();
  const written = new Map<string, string>();
  for (const [index, name] of headers.names.entries()) {
    const lower = headers.lower[index] ?? "";
    const first = written.get(lower) ?? name;
    written.set(lower, first);
    header.set(first, headers.values[index] ?? "");
  }
  header.set("X-Amzn-Trace-Id", `Root=${exchange.trace}`);
  header.set("X-Forwarded-For", forwardedFor(headers, sourceIp(request)));
  header.set("X-Forwarded-Port", forwardedPort(request));
  header.set("X-Forwarded-Proto", forwardedProto(request));
  return { path, querystring, header };
}

function namesOf({ authorizer }: RestRequest): readonly string[] {
  if (authorizer === undefined) return restVariableNames;
  return [
    ...restVariableNames,
    ...Object.keys(authorizer.context ?? {}).map((name) => `authorizer.${name}`),
    ...Object.keys(authorizer.claims ?? {}).map((name) => `authorizer.claims.${name}`),
  ];
}
