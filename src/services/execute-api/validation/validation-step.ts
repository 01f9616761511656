import { mediaType } from "../../../proxy/media-types.ts";
import { parseQuery } from "../../../proxy/query-string.ts";
import type { PublishedMethod, PublishedValidation } from "../port.ts";
import { refuse, type RestRequest, type RestStage, type RestStep } from "../rest/request.ts";
import { type JsonSchema, compileJsonSchema } from "./json-schema.ts";
import { validationLimits as limits } from "./limits.ts";

/**
 * Refuse requests that lack a required parameter, or whose body is not what the model of its content type asks for.
 *
 * AWS: a body of a type without a model is let through; `$default` is the model of all other types.
 */
export function validationStep(stage: RestStage, method: PublishedMethod, validation: PublishedValidation): RestStep {
  const required = validation.requiredParameters.map((parameter) => presenceOf(parameter, method.path));
  const schemas = new Map<string, JsonSchema>();
  for (const [type, model] of Object.entries(validation.bodyModels)) {
    const models = stage.published.models ?? {};
    schemas.set(type === "$default" ? type : mediaType(type), compileJsonSchema(models[model] ?? "{}", models));
  }
  return (request, next) => {
    const missing = required.filter(({ isThere }) => !isThere(request));
    if (missing.length > 0) {
      const names = missing.map(({ name }) => name).join(", ");
      refuse(request, "BAD_REQUEST_PARAMETERS", `Missing required request parameters: [${names}]`);
      return;
    }
    if (schemas.size > 0) {
      const { contentType } = request.exchange.headers;
      const type = contentType === "" ? "application/json" : mediaType(contentType);
      const errors = bodyErrors(schemas.get(type) ?? schemas.get("$default"), request.body);
      if (errors.length > 0) {
        refuse(request, "BAD_REQUEST_BODY", "Invalid request body", `[${errors.join(", ")}]`);
        return;
      }
    }
    next();
  };
}

interface Presence {
  readonly name: string;
  readonly isThere: (request: RestRequest) => boolean;
}

/** @param parameter `method.request.querystring.q` */
function presenceOf(parameter: string, path: string): Presence {
  const [, place, name = ""] = /^method\.request\.(\w+)\.(.+)$/.exec(parameter) ?? [];
  if (place === "header") {
    const lower = name.toLowerCase();
    return { name, isThere: ({ exchange }) => isText(exchange.request.headers[lower]) };
  }
  if (place === "path") {
    const index = [...path.matchAll(/\{([^}+]+)\+?\}/g)].findIndex((match) => match[1] === name);
    return { name, isThere: ({ parameters }) => isText(parameters[index]) };
  }
  return {
    name,
    isThere: ({ exchange }) => {
      const { names, values } = parseQuery(exchange.query);
      return isText(values[names.indexOf(name)]);
    },
  };
}

/** AWS: a parameter that is there and blank is missing. */
function isText(value: string | readonly string[] | undefined): boolean {
  return typeof value === "string"
    ? value.trim() !== ""
    : value !== undefined && value.some((text) => text.trim() !== "");
}

/** What is wrong with a body, in the words of AWS's validator; empty when it is valid. */
export function bodyErrors(schema: JsonSchema | undefined, body: Buffer): string[] {
  if (schema === undefined) return [];
  const text = body.toString("utf8");
  if (isNestedTooDeeply(text)) return ["the instance is nested too deeply to be validated"];
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return ["Invalid JSON"];
  }
  return schema.validate(value);
}

/** Before it is parsed: what is validated goes as deep as the value does. */
function isNestedTooDeeply(text: string): boolean {
  let depth = 0;
  let isInText = false;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (isInText) {
      if (code === 0x5c) index++;
      else if (code === 0x22) isInText = false;
    } else if (code === 0x22) {
      isInText = true;
    } else if (code === 0x7b || code === 0x5b) {
      if (++depth > limits.depthMax) return true;
    } else if (code === 0x7d || code === 0x5d) {
      depth--;
    }
  }
  return false;
}
