import { parseQuery } from "../../../proxy/query-string.ts";
import { type JsonSchema, compileJsonSchema } from "../validation/json-schema.ts";
import { bodyErrors } from "../validation/validation-step.ts";
import { fail } from "./failures.ts";
import type { PublishedWebSocketRoute } from "./published.ts";
import { bodyOf, type WebSocketRequest, type WebSocketStage, type WebSocketStep } from "./request.ts";
import { compileKeyChoice, parseMessage } from "./selection.ts";

/** Refuse handshakes that lack a required parameter. AWS: one that is there and blank is missing. */
export function parameterStep(parameters: readonly string[]): WebSocketStep {
  const required = parameters.map(presenceOf);
  return (request, next, done) => {
    const missing = required.filter(({ isThere }) => !isThere(request)).map(({ name }) => name);
    if (missing.length === 0) return next();
    fail(request, done, "BAD_REQUEST_PARAMETERS", `Missing required request parameters: [${missing.join(", ")}]`);
  };
}

interface Presence {
  readonly name: string;
  readonly isThere: (request: WebSocketRequest) => boolean;
}

/** @param parameter `route.request.querystring.q` */
function presenceOf(parameter: string): Presence {
  const [, place, name = ""] = /^route\.request\.(\w+)\.(.+)$/.exec(parameter) ?? [];
  if (place === "header") {
    const lower = name.toLowerCase();
    return {
      name,
      isThere: ({ event }) =>
        event.type === "CONNECT" &&
        event.exchange.headers.values.some(
          (value, index) => event.exchange.headers.lower[index] === lower && value.trim() !== "",
        ),
    };
  }
  return {
    name,
    isThere: ({ event }) => {
      if (event.type !== "CONNECT") return false;
      const { names, values } = parseQuery(event.exchange.query);
      return values[names.indexOf(name)]?.some((value) => value.trim() !== "") === true;
    },
  };
}

/**
 * Refuse messages that are not what the model asks for which the route's expression selects; undefined where none can be.
 *
 * AWS: only messages to integrations other than proxies are validated; one without a model is let through.
 *
 * Source: "WebSocket selection expressions", Route.ModelSelectionExpression.
 */
export function modelStep({ published }: WebSocketStage, route: PublishedWebSocketRoute): WebSocketStep | undefined {
  const { requestModels = {}, integration, modelSelectionExpression } = route;
  const isProxy = integration === undefined || integration.type === "AWS_PROXY" || integration.type === "HTTP_PROXY";
  if (isProxy || modelSelectionExpression === undefined) return undefined;
  const { models = {} } = published;
  const schemas = new Map<string, JsonSchema>();
  for (const [key, model] of Object.entries(requestModels)) {
    if (Object.hasOwn(models, model)) schemas.set(key, compileJsonSchema(models[model] ?? "{}", models));
  }
  if (schemas.size === 0) return undefined;
  const choose = compileKeyChoice(modelSelectionExpression, "message");
  return (request, next, done) => {
    const body = bodyOf(request);
    const key = choose?.({ body: () => parseMessage(body) });
    const schema = (key === undefined ? undefined : schemas.get(key)) ?? schemas.get("$default");
    const errors = bodyErrors(schema, Buffer.from(body, "utf8"));
    if (errors.length === 0) return next();
    fail(request, done, "BAD_REQUEST_BODY", "Invalid request body", `[${errors.join(", ")}]`);
  };
}
