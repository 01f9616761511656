import { webSocketVariable, webSocketVariableNames } from "../context/websocket-context.ts";
import { createOverrides } from "../vtl/context-object.ts";
import { compileTemplate } from "../vtl/template.ts";
import type { VtlMap } from "../vtl/values.ts";
import type { WebSocketRequest } from "./request.ts";
import { parseSelectionExpression } from "./selection.ts";

/** A mapping template, ready to be filled in with an event and a payload. It throws where it cannot be rendered. */
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
 * Choose among templates.
 *
 * @param expression a key as it is, perhaps with an escaped dollar, or an expression over the message; default `$default`
 * @returns undefined where none has the key
 */
export function compileTemplateChoice(
  templates: Readonly<Record<string, string>>,
  expression: string | undefined,
): (body: unknown) => WebSocketTemplate | undefined {
  const compiled = new Map(Object.entries(templates).map(([key, text]) => [key, compileWebSocketTemplate(text)]));
  const selection = expression === undefined ? undefined : parseSelectionExpression(expression);
  if (selection === undefined) {
    const only = compiled.get((expression ?? "$default").replaceAll("\\$", "$"));
    return () => only;
  }
  return (body) => {
    const key = selection.evaluate(body);
    return (key === undefined ? undefined : compiled.get(key)) ?? compiled.get("$default");
  };
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
