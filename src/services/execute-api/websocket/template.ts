import { webSocketVariable, webSocketVariableNames } from "../context/websocket-context.ts";
import { createOverrides } from "../vtl/context-object.ts";
import { PayloadError, TemplateError } from "../vtl/errors.ts";
import { compileTemplate } from "../vtl/template.ts";
import type { VtlMap } from "../vtl/values.ts";
import { fail } from "./failures.ts";
import type { RouteOutcome, WebSocketRequest } from "./request.ts";
import { compileKeyChoice, type SelectionSources } from "./selection.ts";

/** A mapping template, ready to be filled in with an event and a payload. It throws what `failUnrendered` tells of. */
type WebSocketTemplate = (request: WebSocketRequest, body: string) => string;

function compileWebSocketTemplate(text: string): WebSocketTemplate {
  const template = compileTemplate(text);
  const { plain } = template;
  if (plain !== undefined) return () => plain;
  return (request, body) =>
    template.render({
      input: { body, params: () => paramsOf(request) },
      context: {
        variable: (name) => webSocketVariable(request, name),
        names: () => webSocketVariableNames,
        // AWS: overrides are of REST APIs.
        overrides: createOverrides(),
      },
      stageVariables: request.stage.published.variables,
    });
}

/**
 * Choose among templates by key; `$default` is for all others.
 *
 * @param expression a template selection expression; default `\$default`
 * @param of what the templates map
 * @returns undefined where there is none
 */
export function compileTemplateChoice(
  templates: Readonly<Record<string, string>>,
  expression: string | undefined,
  of: "message" | "answer",
): (sources: SelectionSources) => WebSocketTemplate | undefined {
  const compiled = new Map(Object.entries(templates).map(([key, text]) => [key, compileWebSocketTemplate(text)]));
  const fallback = compiled.get("$default");
  const choose = expression === undefined ? undefined : compileKeyChoice(expression, of);
  if (choose === undefined || compiled.size === 0) return () => fallback;
  return (sources) => {
    const key = choose(sources);
    return (key === undefined ? undefined : compiled.get(key)) ?? fallback;
  };
}

/**
 * End an event whose template could not be rendered.
 *
 * AWS: a message that is not the JSON its template reads is the client's error; anything else is the configuration's.
 */
export function failUnrendered(
  request: WebSocketRequest,
  done: (outcome: RouteOutcome) => void,
  mapped: "message" | "answer",
  error: unknown,
): void {
  const { log } = request.stage.needs;
  const { requestId } = request;
  if (error instanceof PayloadError || error instanceof TemplateError) {
    log.debug("A mapping template failed", { requestId, reason: error.message });
    request.journal?.error(`Execution failed due to configuration error: ${error.message}`);
  } else {
    log.error("Rendering a mapping template broke", { requestId, error });
  }
  if (error instanceof PayloadError && mapped === "message") {
    fail(request, done, "BAD_REQUEST_BODY", "Could not parse request body into json");
  } else {
    fail(request, done, "API_CONFIGURATION_ERROR");
  }
}

/** Only a handshake has parameters. */
function paramsOf({ event }: WebSocketRequest) {
  const querystring: VtlMap = new Map();
  const header: VtlMap = new Map();
  if (event.type === "CONNECT") {
    const { headers, query } = event.exchange;
    for (const [name, value] of new URLSearchParams(query)) querystring.set(name, value);
    for (const [index, name] of headers.names.entries()) header.set(name, headers.values[index] ?? "");
  }
  return { path: new Map(), querystring, header };
}
