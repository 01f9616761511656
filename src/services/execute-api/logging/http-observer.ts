import { httpVariable } from "../context/http-context.ts";
import type { PublishedHttpStage, PublishedRoute } from "../port.ts";
import type { HttpRequest } from "../http/request.ts";
import type { StageNeeds } from "../stage-needs.ts";
import { compileAccessFormat } from "./access-format.ts";
import { whenAnswered } from "./observe.ts";

/** Follows a request to its end, for logs and metrics. */
export type HttpObserver = (request: HttpRequest) => void;

/** What writes the stage's access log; undefined where it has none. */
export function compileHttpAccessLog(needs: StageNeeds, published: PublishedHttpStage): HttpObserver | undefined {
  const { accessLog, account, region } = published;
  const { clock, logs } = needs;
  if (accessLog === undefined || logs === undefined) return undefined;
  const line = compileAccessFormat(accessLog.format, httpVariable);
  const place = { account, region, logGroup: accessLog.logGroup };
  return (request) => logs.write(place, [{ timestamp: clock.now(), message: line(request) }]);
}

/**
 * What follows the requests to a route: undefined where nothing does, and then they pay nothing for it.
 *
 * @param route undefined for requests to none
 */
export function compileHttpObserver(
  needs: StageNeeds,
  published: PublishedHttpStage,
  route: PublishedRoute | undefined,
  accessLog: HttpObserver | undefined,
): HttpObserver | undefined {
  const hasDetail = route && (published.detailedMetrics?.[route.routeKey] ?? published.detailedMetrics?.["$default"]);
  const detail = hasDetail === true ? needs.meter?.ofRoute?.(route.routeKey) : undefined;
  if (accessLog === undefined && detail === undefined) return undefined;
  return (request) => {
    whenAnswered(request.exchange.response, request.exchange.now, needs, (answered) => {
      request.answered = answered;
      accessLog?.(request);
      detail?.(answered.status, answered.latencyMs, request.integration?.latencyMs);
    });
  };
}
