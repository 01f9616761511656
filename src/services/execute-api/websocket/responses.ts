import { isHeaderName, sentHeaderValue } from "../../../proxy/response-headers.ts";
import { convertResponse, noBase64 } from "../integrations/content-handling.ts";
import { valuesOf } from "../integrations/forwarded-headers.ts";
import { textAt } from "../integrations/json-path.ts";
import { compileSelection } from "../integrations/selection.ts";
import type { ContentHandling } from "../port.ts";
import type { EndpointAnswer } from "./endpoint.ts";
import { fail } from "./failures.ts";
import { compileSource } from "./parameters.ts";
import type { PublishedWebSocketResponse } from "./published.ts";
import { bodyOf, type RouteOutcome, type WebSocketRequest } from "./request.ts";
import { parseMessage } from "./selection.ts";
import { compileTemplateChoice, failUnrendered } from "./template.ts";

type Answer = (request: WebSocketRequest, answer: EndpointAnswer, done: (outcome: RouteOutcome) => void) => void;

/**
 * Make the integration responses of an integration ready: one is selected, and what was answered is mapped by it.
 *
 * AWS: where there are some and none is selected, the event has failed. Without any, what was answered stays where it is: only
 * its status counts.
 */
export function compileResponses(responses: readonly PublishedWebSocketResponse[]): Answer {
  const compiled = responses.map((response) => ({
    ...(response.key === "$default" ? {} : { selectionPattern: response.key.slice(1, -1) }),
    answer: compileResponse(response),
  }));
  const select = compileSelection(compiled);
  return (request, answer, done) => {
    const { status } = answer;
    const selected = select(answer.selectBy);
    // A function that threw has let nobody in, unless a pattern says otherwise.
    const isUnexpected = answer.hasFailed === true && selected?.selectionPattern === undefined;
    if (isUnexpected && request.event.type === "CONNECT") return fail(request, done, "MALFORMED_RESPONSE");
    if (selected !== undefined) return selected.answer(request, answer, done);
    if (responses.length === 0) return done({ outcome: "answered", status, headers: [], body: "" });
    request.journal?.error(
      `Execution failed due to configuration error: No match for output mapping and no default output mapping configured. Endpoint Response Status Code: ${status}`,
    );
    fail(request, done, "API_CONFIGURATION_ERROR");
  };
}

function compileResponse(response: PublishedWebSocketResponse): Answer {
  const choose = compileTemplateChoice(response.templates, response.templateSelectionExpression, "answer");
  const headers = compileHeaders(response.parameters ?? {});
  return (request, answer, done) => {
    const body = convert(answer.body, response.contentHandling);
    if (body === undefined) {
      request.journal?.error(noBase64);
      return fail(request, done, "API_CONFIGURATION_ERROR");
    }
    const template = choose({
      body: () => parseMessage(bodyOf(request)),
      answer: { status: String(answer.status), header: (name) => valuesOf(answer.headers, name.toLowerCase()) },
    });
    let sent: string | Buffer = body;
    try {
      if (template !== undefined) sent = template(request, body.toString("utf8"));
    } catch (error) {
      return failUnrendered(request, done, "answer", error);
    }
    done({ outcome: "answered", status: answer.status, headers: headers(request, answer), body: sent });
  };
}

/** Source: "Working with binary media types for WebSocket APIs". */
function convert(body: Buffer, handling: ContentHandling | undefined): Buffer | undefined {
  if (handling === undefined) return body;
  return convertResponse(body, handling === "CONVERT_TO_TEXT", false, handling);
}

type ResponseSource = (request: WebSocketRequest, answer: EndpointAnswer) => readonly string[];

/** `route.response.header.NAME`: of the answer to a handshake. Messages have no headers. */
function compileHeaders(
  parameters: Readonly<Record<string, string>>,
): (request: WebSocketRequest, answer: EndpointAnswer) => string[] {
  const mapped: { readonly name: string; readonly source: ResponseSource }[] = [];
  for (const [target, expression] of Object.entries(parameters)) {
    const name = /^(?:route|method)\.response\.header\.(.+)$/.exec(target)?.[1] ?? "";
    const source = compileResponseSource(expression);
    if (isHeaderName(name) && source !== undefined) mapped.push({ name, source });
  }
  return (request, answer) =>
    mapped.flatMap(({ name, source }) =>
      source(request, answer)
        .map(sentHeaderValue)
        .flatMap((value) => (value === undefined ? [] : [name, value])),
    );
}

/** `integration.response.{header,multivalueheader,body}`, or what a request's mapping may say. */
function compileResponseSource(expression: string): ResponseSource | undefined {
  if (!expression.startsWith("integration.response.")) return compileSource(expression);
  const [, place, , name = ""] = /^integration\.response\.(\w+)(\.(.+))?$/.exec(expression) ?? [];
  switch (place) {
    case "header":
      return (_request, { headers }) => valuesOf(headers, name.toLowerCase()).slice(-1);
    case "multivalueheader":
      return (_request, { headers }) => valuesOf(headers, name.toLowerCase());
    case "body":
      return (_request, { body }) => {
        const text = name === "" ? body.toString("utf8") : textAt(body, name);
        return text === undefined ? [] : [text];
      };
    case "statuscode":
      return (_request, { status }) => [String(status)];
    default:
      return undefined;
  }
}
