import { pathVariables } from "../router.ts";
import type { PublishedMethodSettings, PublishedRestStage } from "../port.ts";
import type { RestRequest, RestStep } from "../rest/request.ts";
import type { StageNeeds } from "../stage-needs.ts";
import { bodyText, createExecutionJournal, headersText } from "./execution-journal.ts";
import { maskSecret, secretValues } from "./secrets.ts";

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
  return {
    begin: (request) => {
      const journal = createExecutionJournal({
        level,
        traces,
        now: () => clock.now(),
        ...(traces && { secrets: secretValues(request.exchange.request.rawHeaders) }),
      });
      journal.info(`Extended Request Id: ${request.exchange.extendedId}`);
      followRequest(request, journal);
    },
    end: (request) => {
      const { journal, exchange } = request;
      if (journal === undefined) return;
      tellRefusal(request);
      tellEnd(request);
      const { requestId } = request.integration ?? {};
      if (requestId !== undefined) journal.info(`AWS Integration Endpoint RequestId : ${requestId}`);
      logs.write(
        place,
        journal.lines.map(({ at, text }) => ({ timestamp: at, message: `(${exchange.requestId}) ${text}` })),
      );
    },
  };
}

/** What becomes of a request is told to a journal from now on. */
export function followRequest(request: RestRequest, journal: NonNullable<RestRequest["journal"]>): void {
  request.journal = journal;
  if (journal.traces) request.exchange.capture = (_status, headers, body) => journal.answered(headers, body);
}

/** Before the steps that limit a method which requires no key: AWS tells that it looks for one all the same. */
export const tellNoPlan: RestStep = (request, next) => {
  const { journal, exchange, method, stage } = request;
  const { apiId, stageName } = stage.published;
  journal?.info(`Verifying Usage Plan for request: ${exchange.requestId}. API Key:  API Stage: ${apiId}/${stageName}`);
  journal?.info(
    `API Key  authorized because method '${method.httpMethod} ${method.path}' does not require API Key. Request will not contribute to throttle or quota limits`,
  );
  journal?.info(`Usage Plan check succeeded for API Key  and API Stage ${apiId}/${stageName}`);
  next();
};

/** Before a method's request is validated, once its caller may call it: how it begins. */
export const tellStart: RestStep = (request, next) => {
  const { journal, exchange, method, apiKey } = request;
  journal?.info(`Starting execution for request: ${exchange.requestId}`);
  journal?.info(`HTTP Method: ${exchange.method}, Resource Path: ${method.path}`);
  if (apiKey !== undefined) journal?.info(`API Key: ${maskSecret(apiKey.value)}`);
  if (journal?.traces === true) for (const line of requestOf(request)) journal.info(line);
  next();
};

/** What data tracing adds: the request as it came, without its secrets. */
function requestOf({ exchange, method, parameters, body }: RestRequest): string[] {
  const names = pathVariables(method.path);
  const path = names.map((name, index) => `${name}=${parameters[index] ?? ""}`);
  const query = [...new URLSearchParams(exchange.query)].map(([name, value]) => `${name}=${value}`);
  return [
    `Method request path: {${path.join(", ")}}`,
    `Method request query string: {${query.join(", ")}}`,
    `Method request headers: ${headersText(sentHeaders(exchange.request.rawHeaders))}`,
    `Method request body before transformations: ${bodyText(body)}`,
  ];
}

/** Without those of the connection. */
function sentHeaders(raw: readonly string[]): string[] {
  return raw.filter((_, index) => !/^(?:connection|content-length|transfer-encoding)$/i.test(raw[index & ~1] ?? ""));
}

function tellRefusal({ journal, failure, answered }: RestRequest): void {
  if (journal === undefined || failure === undefined) return;
  journal.error(`Gateway response type: ${failure.type} with status code: ${answered?.status ?? 0}`);
  journal.error(`Gateway response body: ${JSON.stringify({ message: failure.message })}`);
}

/** How a request has ended, as its journal's last lines. */
export function tellEnd({ journal, failure, answered, exchange }: RestRequest): void {
  if (journal === undefined) return;
  const status = answered?.status ?? 0;
  if (failure?.validationError !== undefined) {
    const type = exchange.headers.contentType || "application/json";
    journal.error(`Request body does not match model schema for content type ${type}: ${failure.validationError}`);
  }
  if (failure === undefined) journal.info("Successfully completed execution");
  if (failure === undefined) journal.info(`Method completed with status: ${status}`);
  else journal.error(`Method completed with status: ${status}`);
}
