import { firstMediaType, isBinaryMediaType, mediaType } from "../../../proxy/media-types.ts";
import { isHeaderName, sentHeaderValue } from "../../../proxy/response-headers.ts";
import { convertResponse, noBase64 } from "../integrations/content-handling.ts";
import { valuesOf } from "../integrations/forwarded-headers.ts";
import { compileAnswerText } from "../integrations/custom-errors.ts";
import { compileBodyText } from "../integrations/json-path.ts";
import { compileSelection } from "../integrations/selection.ts";
import type { PublishedIntegrationResponse } from "../port.ts";
import type { BodyTemplate } from "./body-templates.ts";
import { overrideHeaders, overriddenStatus } from "./overrides.ts";
import { answer, refuse, type RestRequest } from "./request.ts";
import { compileSource } from "./request-mapping.ts";
import { compileRestTemplate, refuseUnrendered } from "./rest-template.ts";

/** What an endpoint, a service or a function answered an integration. */
export interface IntegrationAnswer {
  /** Names and values in turn, as sent. */
  readonly headers: readonly string[];
  readonly body: Buffer;
  /** What patterns are matched with: a status, or a function's error message; undefined for a function that did not fail. */
  readonly selectBy: string | undefined;
}

interface CompiledResponse {
  readonly status: number;
  readonly headers: readonly { readonly name: string; readonly source: ResponseSource }[];
  readonly templates: ReadonlyMap<string, BodyTemplate>;
  readonly contentHandling: PublishedIntegrationResponse["contentHandling"];
}

type ResponseSource = (request: RestRequest, answered: IntegrationAnswer) => readonly string[];

/**
 * Make the integration responses of a method ready: one is selected, its headers and body are mapped, and the client is answered.
 *
 * AWS: where none is selected the client gets a 500.
 *
 * @param kind of what answers
 */
export function compileResponses(
  responses: readonly PublishedIntegrationResponse[],
  kind: "endpoint" | "function" = "endpoint",
): (request: RestRequest, answered: IntegrationAnswer) => void {
  const select = compileSelection(responses);
  const readBody = kind === "function" ? compileAnswerText : compileBodyText;
  const compiled = new Map(responses.map((response) => [response, compileResponse(response, readBody)]));
  return (request, answered) => {
    const selected = select(answered.selectBy);
    const response = selected && compiled.get(selected);
    if (response === undefined) {
      request.journal?.error(
        `Execution failed due to configuration error: No match for output mapping and no default output mapping configured. Endpoint Response Status Code: ${answered.selectBy ?? 200}`,
      );
      return refuse(request, "API_CONFIGURATION_ERROR");
    }
    answerMapped(request, answered, response);
  };
}

type ReadBody = (path: string) => (body: Buffer) => string | undefined;

function compileResponse(response: PublishedIntegrationResponse, readBody: ReadBody): CompiledResponse {
  const headers: CompiledResponse["headers"][number][] = [];
  for (const [target, expression] of Object.entries(response.responseParameters)) {
    const name = target.replace(/^method\.response\.header\./, "");
    const source = compileResponseSource(expression, readBody);
    if (name !== target && isHeaderName(name) && source !== undefined) headers.push({ name, source });
  }
  return {
    status: Number(response.statusCode),
    headers,
    templates: new Map(
      Object.entries(response.responseTemplates).map(([type, text]) => [type.toLowerCase(), compileRestTemplate(text)]),
    ),
    contentHandling: response.contentHandling,
  };
}

/** `integration.response.{header,multivalueheader,body}`, or what a request's mapping may say. */
function compileResponseSource(expression: string, readBody: ReadBody): ResponseSource | undefined {
  if (!expression.startsWith("integration.response.")) {
    if (expression.startsWith("method.")) return undefined;
    const source = compileSource(expression);
    return source && ((request) => source(request));
  }
  const [, place, , name = ""] = /^integration\.response\.(\w+)(\.(.+))?$/.exec(expression) ?? [];
  switch (place) {
    case "header":
      return (_request, { headers }) => valuesOf(headers, name.toLowerCase()).slice(-1);
    case "multivalueheader":
      return (_request, { headers }) => valuesOf(headers, name.toLowerCase());
    case "body": {
      const read = name === "" ? (body: Buffer) => body.toString("utf8") : readBody(name);
      return (_request, { body }) => {
        const text = read(body);
        return text === undefined ? [] : [text];
      };
    }
    default:
      return undefined;
  }
}

function answerMapped(request: RestRequest, answered: IntegrationAnswer, response: CompiledResponse): void {
  // An answer that ends a request is not interim, whatever AWS lets be configured.
  if (response.status < 200) return refuse(request, "API_CONFIGURATION_ERROR");
  const { exchange, stage } = request;
  const accept = firstMediaType(exchange.headers.accept);
  const answeredType = valuesOf(answered.headers, "content-type")[0] ?? "";
  const body = convertResponse(
    answered.body,
    isBinaryMediaType(stage.binaryMediaTypes, mediaType(answeredType)),
    isBinaryMediaType(stage.binaryMediaTypes, accept),
    response.contentHandling,
  );
  if (body === undefined) {
    request.journal?.error(noBase64);
    return refuse(request, "API_CONFIGURATION_ERROR");
  }
  const [templateType, template] = chooseTemplate(response.templates, accept);
  let sent: Buffer | string = body;
  try {
    if (template !== undefined) sent = template(request, body.toString("utf8"));
  } catch (error) {
    return refuseUnrendered(request, "response", error);
  }
  const headers: string[] = [];
  let hasType = false;
  for (const { name, source } of response.headers) {
    for (const value of source(request, answered)) {
      const sendable = sentHeaderValue(value);
      if (sendable === undefined) continue;
      headers.push(name, sendable);
      hasType ||= name.toLowerCase() === "content-type";
    }
  }
  if (!hasType) {
    const type = templateType ?? sentHeaderValue(answeredType);
    headers.push("Content-Type", type === undefined || type === "" ? "application/json" : type);
  }
  const { overrides } = request;
  if (overrides === undefined) return answer(exchange, response.status, headers, sent);
  const status = overriddenStatus(response.status, overrides.response);
  if (status === undefined) {
    request.journal?.error("Execution failed due to configuration error: Invalid status code in responseOverride");
    return refuse(request, "API_CONFIGURATION_ERROR");
  }
  answer(exchange, status, overrideHeaders(headers, overrides.response), sent);
}

/** AWS: the template of the type that the client accepts first, else the first one. */
function chooseTemplate(
  templates: ReadonlyMap<string, BodyTemplate>,
  accept: string,
): readonly [string, BodyTemplate] | readonly [undefined, undefined] {
  const wanted = templates.get(accept);
  if (wanted !== undefined) return [accept, wanted];
  return templates.entries().next().value ?? [undefined, undefined];
}
