import { restVariable } from "../context/rest-context.ts";
import type { PublishedMethod, PublishedRestStage } from "../port.ts";
import type { RestRequest } from "../rest/request.ts";
import type { StageNeeds } from "../stage-needs.ts";
import { compileAccessFormat } from "./access-format.ts";
import { compileExecutionLog } from "./execution-log.ts";
import { settingsOf } from "./method-settings.ts";
import { whenAnswered } from "./observe.ts";

/** Follows a request to its end, for logs and metrics. */
export type RestObserver = (request: RestRequest) => void;

/** What writes the stage's access log; undefined where it has none. */
export function compileRestAccessLog(needs: StageNeeds, published: PublishedRestStage): RestObserver | undefined {
  const { accessLog, account, region } = published;
  const { clock, logs } = needs;
  if (accessLog === undefined || logs === undefined) return undefined;
  const line = compileAccessFormat(accessLog.format, restVariable);
  const place = { account, region, logGroup: accessLog.logGroup };
  return (request) => logs.write(place, [{ timestamp: clock.now(), message: line(request) }]);
}

/**
 * What follows the requests to a method: undefined where nothing does, and then they pay nothing for it.
 *
 * @param method undefined for requests to none
 */
export function compileRestObserver(
  needs: StageNeeds,
  published: PublishedRestStage,
  method: PublishedMethod | undefined,
  accessLog: RestObserver | undefined,
): RestObserver | undefined {
  const settings = method && settingsOf(published.methodSettings, method);
  const executionLog = compileExecutionLog(needs, published, settings);
  const detail =
    method && settings?.metrics === true ? needs.meter?.ofMethod?.(method.path, method.httpMethod) : undefined;
  if (accessLog === undefined && executionLog === undefined && detail === undefined) return undefined;
  return (request) => {
    executionLog?.begin(request);
    whenAnswered(request.exchange.response, request.exchange.now, needs, (answered) => {
      request.answered = answered;
      accessLog?.(request);
      executionLog?.end(request);
      detail?.(answered.status, answered.latencyMs, request.integration?.latencyMs);
    });
  };
}
