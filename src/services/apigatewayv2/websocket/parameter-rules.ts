import type * as sdk from "@aws-sdk/client-apigatewayv2";
import type { ContentHandling } from "../../execute-api/port.ts";
import { badRequest } from "../errors.ts";
import type { ParameterConstraints } from "./records.ts";

type Parameters = Readonly<Record<string, string>>;

const literal = /^'[^']*'$/;
const contextOrVariable = /^(?:context\.[\w.:-]+|stageVariables\.\w+)$/;
const requestSource =
  /^(?:route|method)\.request\.(?:(?:querystring|header|multivaluequerystring|multivalueheader)\.[\w.$-]+|body(?:\..+)?)$/;
const responseSource = /^integration\.response\.(?:(?:header|multivalueheader)\.[\w-]+|body(?:\..+)?|statuscode)$/;

/** What an integration's request is given. Source: "Set up data mapping for WebSocket APIs in API Gateway". */
export function parseRequestParameters(parameters: Parameters | undefined): Parameters | undefined {
  for (const [target, source] of Object.entries(parameters ?? {})) {
    if (!/^integration\.request\.(?:header|querystring|path)\.[\w.$-]+$/.test(target)) throw invalid(target);
    if (!literal.test(source) && !contextOrVariable.test(source) && !requestSource.test(source)) {
      throw invalid(source);
    }
  }
  return nonEmpty(parameters);
}

/** What the answer to a handshake is given. */
export function parseResponseParameters(parameters: Parameters | undefined): Parameters | undefined {
  for (const [target, source] of Object.entries(parameters ?? {})) {
    if (!/^(?:route|method)\.response\.header\.[\w-]+$/.test(target)) throw invalid(target);
    const isSource = [literal, contextOrVariable, responseSource].some((pattern) => pattern.test(source));
    if (!isSource) throw invalid(source);
  }
  return nonEmpty(parameters);
}

/** AWS: the parameters of a request are those of a handshake; messages have none. */
export function parseRouteParameters(
  parameters: Readonly<Record<string, sdk.ParameterConstraints>> | undefined,
  routeKey: string,
): ParameterConstraints | undefined {
  const given = Object.entries(parameters ?? {});
  if (given.length > 0 && routeKey !== "$connect") {
    throw badRequest("Request parameters are only supported on the $connect route");
  }
  for (const [name] of given) {
    if (!/^route\.request\.(?:querystring|header|multivaluequerystring|multivalueheader)\.[\w.$-]+$/.test(name)) {
      throw invalid(name);
    }
  }
  return constraintsOf(given);
}

export function parseRouteResponseParameters(
  parameters: Readonly<Record<string, sdk.ParameterConstraints>> | undefined,
): ParameterConstraints | undefined {
  const given = Object.entries(parameters ?? {});
  for (const [name] of given) if (!/^route\.response\.header\.[\w-]+$/.test(name)) throw invalid(name);
  return constraintsOf(given);
}

export function describeConstraints(constraints: ParameterConstraints): Record<string, sdk.ParameterConstraints> {
  return Object.fromEntries(Object.entries(constraints).map(([name, { required }]) => [name, { Required: required }]));
}

function constraintsOf(
  given: readonly (readonly [string, sdk.ParameterConstraints])[],
): ParameterConstraints | undefined {
  if (given.length === 0) return undefined;
  return Object.fromEntries(given.map(([name, { Required }]) => [name, { required: Required ?? false }]));
}

export function parseContentHandling(strategy: string | undefined): ContentHandling | undefined {
  if (strategy === undefined || strategy === "") return undefined;
  if (strategy === "CONVERT_TO_TEXT" || strategy === "CONVERT_TO_BINARY") return strategy;
  throw badRequest("ContentHandlingStrategy must be one of CONVERT_TO_BINARY, CONVERT_TO_TEXT");
}

function nonEmpty(parameters: Parameters | undefined): Parameters | undefined {
  return parameters === undefined || Object.keys(parameters).length === 0 ? undefined : { ...parameters };
}

function invalid(expression: string) {
  return badRequest(`Invalid mapping expression specified: ${expression}`);
}
