import { webSocketVariable } from "../context/websocket-context.ts";
import { compileAccessFormat } from "../logging/access-format.ts";
import { type ExecutionJournal, createExecutionJournal, headersText } from "../logging/execution-journal.ts";
import { secretValues } from "../logging/secrets.ts";
import type { RouteMeter } from "./meter.ts";
import type { PublishedWebSocketRoute } from "./published.ts";
import type { RouteOutcome, WebSocketIntegration, WebSocketRequest, WebSocketStage } from "./request.ts";
import { settingsOf } from "./route-settings.ts";

/** Follows an event from its beginning to its end. */
type Observer = (request: WebSocketRequest) => (outcome: RouteOutcome) => void;

/** What writes the stage's access log; undefined where it has none. */
export function compileAccessLog({
  needs,
  published,
}: WebSocketStage): ((request: WebSocketRequest) => void) | undefined {
  const { accessLog, account, region } = published;
  const { clock, logs } = needs;
  if (accessLog === undefined || logs === undefined) return undefined;
  const line = compileAccessFormat(accessLog.format, webSocketVariable);
  const place = { account, region, logGroup: accessLog.logGroup };
  return (request) => logs.write(place, [{ timestamp: clock.now(), message: line(request) }]);
}

/** What a route does with an event, followed by the logs and metrics that its stage's settings ask for. */
export function observed(
  stage: WebSocketStage,
  route: PublishedWebSocketRoute,
  accessLog: ((request: WebSocketRequest) => void) | undefined,
  run: WebSocketIntegration,
): WebSocketIntegration {
  const { clock } = stage.needs;
  const observers = [compileExecutionLog(stage, route), compileMeter(stage, route)].filter(
    (observer) => observer !== undefined,
  );
  if (observers.length === 0 && accessLog === undefined) return run;
  return (request, done) => {
    const enders = observers.map((observe) => observe(request));
    run(request, (outcome) => {
      const bytes = outcome.outcome === "answered" && route.responds ? Buffer.byteLength(outcome.body) : 0;
      request.answered = { status: outcome.status, bytes, latencyMs: clock.now() - request.now };
      for (const end of enders) end(outcome);
      accessLog?.(request);
      done(outcome);
    });
  };
}

function compileMeter({ needs, published }: WebSocketStage, route: PublishedWebSocketRoute): Observer | undefined {
  const meter = needs.webSocketMeter;
  if (meter === undefined) return undefined;
  const { routeKey, integration } = route;
  const meters: RouteMeter[] = [meter];
  if (routeKey !== "" && settingsOf(published.settings, routeKey).metrics === true)
    meters.push(meter.ofRoute(routeKey));
  return (request) => {
    if (request.event.type === "MESSAGE") for (const each of meters) each.count("MessageCount");
    return ({ outcome, status }) => {
      const asked = request.integration;
      const isRefused = asked === undefined && outcome === "failed" && status < 500;
      const latencyMs = integration?.type === "MOCK" ? undefined : asked?.latencyMs;
      for (const each of meters) {
        if (asked !== undefined && routeKey === "$connect") each.count("ConnectCount");
        if (isRefused) each.count("ClientError");
        else if (outcome === "failed") each.count("ExecutionError");
        else if (status >= 400) each.count("IntegrationError");
        if (latencyMs !== undefined) each.integrated(latencyMs);
      }
    };
  };
}

/**
 * The execution log of a route, in the lines that REST APIs have.
 *
 * Source: "Set up CloudWatch logging for WebSocket APIs"; the log group is `/aws/apigateway/{api}/{stage}`.
 */
function compileExecutionLog(
  { needs, published }: WebSocketStage,
  route: PublishedWebSocketRoute,
): Observer | undefined {
  const { clock, logs } = needs;
  const { loggingLevel: level, dataTrace = false } = settingsOf(published.settings, route.routeKey);
  if (level === undefined || level === "OFF" || logs === undefined || route.routeKey === "") return undefined;
  const { account, region, apiId, stageName } = published;
  const place = { account, region, logGroup: `/aws/apigateway/${apiId}/${stageName}` };
  return (request) => {
    const { event, requestId } = request;
    const journal = createExecutionJournal({
      level,
      traces: dataTrace,
      now: () => clock.now(),
      ...(dataTrace && event.type === "CONNECT" && { secrets: secretValues(event.exchange.request.rawHeaders) }),
    });
    request.journal = journal;
    tellStart(request, journal);
    return (outcome) => {
      tellEnd(request, journal, outcome);
      if (journal.lines.length === 0) return;
      logs.write(
        place,
        journal.lines.map(({ at, text }) => ({ timestamp: at, message: `(${requestId}) ${text}` })),
      );
    };
  };
}

function tellStart({ connection, event, requestId, route }: WebSocketRequest, journal: ExecutionJournal): void {
  journal.info(`Extended Request Id: ${requestId}`);
  journal.info(`Starting execution for request: ${requestId}`);
  journal.info(`Connection Id: ${connection.connectionId}, Route: ${route.routeKey}, Event type: ${event.type}`);
  if (!journal.traces) return;
  if (event.type === "MESSAGE") journal.info(`Route request body before transformations: ${event.body}`);
  if (event.type === "CONNECT")
    journal.info(`Route request headers: ${headersText(event.exchange.request.rawHeaders)}`);
}

function tellEnd({ failure }: WebSocketRequest, journal: ExecutionJournal, outcome: RouteOutcome): void {
  if (outcome.outcome === "answered") {
    journal.answered(outcome.headers, outcome.body);
    journal.info("Successfully completed execution");
    journal.info(`Route completed with status: ${outcome.status}`);
    return;
  }
  if (failure?.validationError !== undefined) {
    journal.error(`Request body does not match model schema: ${failure.validationError}`);
  }
  journal.error(`Gateway response type: ${failure?.type ?? ""} with status code: ${outcome.status}`);
  journal.error(`Gateway response body: ${JSON.stringify({ message: outcome.message })}`);
  journal.error(`Route completed with status: ${outcome.status}`);
}
