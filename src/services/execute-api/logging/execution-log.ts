import { pathVariables } from "../router.ts";
import type { PublishedMethodSettings, PublishedRestStage } from "../port.ts";
import type { RestRequest } from "../rest/request.ts";
import type { StageNeeds } from "../stage-needs.ts";
import { loggingLimits as limits } from "./limits.ts";

/** Tells how requests to a method were carried out, in AWS's lines. */
export interface ExecutionLog {
  begin(request: RestRequest): void;
  end(request: RestRequest): void;
}

/** Undefined where the method's logging is off. */
export function compileExecutionLog(
  { clock, logs }: StageNeeds,
  published: PublishedRestStage,
  settings: PublishedMethodSettings | undefined,
): ExecutionLog | undefined {
  const level = settings?.loggingLevel;
  if (level === undefined || logs === undefined) return undefined;
  const { account, region, apiId, stageName } = published;
  const place = { account, region, logGroup: `API-Gateway-Execution-Logs_${apiId}/${stageName}` };
  const traces = settings?.dataTrace === true;
  const write = (request: RestRequest, lines: readonly string[]) => {
    const id = request.exchange.requestId;
    logs.write(
      place,
      clock.now(),
      lines.map((line) => cut(`(${id}) ${line}`)),
    );
  };
  return {
    begin: (request) => {
      if (level === "INFO") write(request, [...startOf(request), ...(traces ? requestOf(request) : [])]);
    },
    end: (request) => {
      const failed = failureOf(request);
      if (level === "INFO") write(request, [...integrationOf(request), ...failed, ...endOf(request)]);
      else if (failed.length > 0) write(request, failed);
    },
  };
}

function startOf({ exchange, method }: RestRequest): string[] {
  return [
    `Extended Request Id: ${exchange.extendedId}`,
    `Starting execution for request: ${exchange.requestId}`,
    `HTTP Method: ${exchange.method}, Resource Path: ${method.path}`,
  ];
}

/** What data tracing adds: the request as it came, without its secrets. */
function requestOf({ exchange, method, parameters, body }: RestRequest): string[] {
  const names = pathVariables(method.path);
  const path = names.map((name, index) => `${name}=${parameters[index] ?? ""}`);
  const query = [...new URLSearchParams(exchange.query)].map(([name, value]) => `${name}=${value}`);
  return [
    `Method request path: {${path.join(", ")}}`,
    `Method request query string: {${query.join(", ")}}`,
    `Method request headers: {${headersOf(exchange.request.rawHeaders).join(", ")}}`,
    `Method request body before transformations: ${textOf(body)}`,
  ];
}

function integrationOf({ integration }: RestRequest): string[] {
  if (integration?.status === undefined) return [];
  const latency = integration.latencyMs === undefined ? "" : `, Integration latency: ${integration.latencyMs} ms`;
  return [`Received response. Status: ${integration.status}${latency}`];
}

function failureOf({ failure, integration, answered }: RestRequest): string[] {
  const lines: string[] = [];
  if (integration?.error !== undefined) {
    lines.push(`Execution failed due to configuration error: ${integration.error}`);
  }
  if (failure !== undefined) {
    if (failure.validationError !== undefined)
      lines.push(`Request body does not match model schema: ${failure.validationError}`);
    if (failure.type !== undefined) {
      lines.push(`Gateway response type: ${failure.type} with status code: ${answered?.status ?? 0}`);
    }
    lines.push(`Gateway response body: ${JSON.stringify({ message: failure.message })}`);
  }
  return lines;
}

function endOf({ failure, answered }: RestRequest): string[] {
  return [
    ...(failure === undefined ? ["Successfully completed execution"] : []),
    `Method completed with status: ${answered?.status ?? 0}`,
  ];
}

/** AWS: credentials are told by their last characters. */
const secretHeaders = /^(?:authorization|proxy-authorization|x-api-key|x-amz-security-token|cookie)$/i;
const shownCharacters = 6;

function headersOf(raw: readonly string[]): string[] {
  const told: string[] = [];
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const [name = "", value = ""] = [raw[index], raw[index + 1]];
    told.push(`${name}=${secretHeaders.test(name) ? redacted(value) : value}`);
  }
  return told;
}

function redacted(value: string): string {
  const hidden = Math.max(value.length - shownCharacters, Math.ceil(value.length / 2));
  return `${"*".repeat(hidden)}${value.slice(hidden)}`;
}

function textOf(body: Buffer): string {
  return body.toString("utf8", 0, limits.executionLineBytesMax);
}

function cut(line: string): string {
  return line.length <= limits.executionLineBytesMax
    ? line
    : `${line.slice(0, limits.executionLineBytesMax)} [TRUNCATED]`;
}
