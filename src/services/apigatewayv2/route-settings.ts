import type * as sdk from "@aws-sdk/client-apigatewayv2";
import type {
  PublishedHttpStage,
  PublishedRate,
  PublishedRouteSetting,
  PublishedRouteSettings,
} from "../execute-api/port.ts";
import { badRequest } from "./errors.ts";
import type { RouteSettingsRecord, StageRecord } from "./model.ts";

/** A stage's settings of routes, as it is made or changed: those of a route that is not named stay as they are. */
export function parseRouteSettings(
  operation: string,
  input: {
    readonly DefaultRouteSettings?: sdk.RouteSettings | undefined;
    readonly RouteSettings?: Readonly<Record<string, sdk.RouteSettings>> | undefined;
  },
  before?: StageRecord,
): Pick<StageRecord, "defaultRouteSettings" | "routeSettings"> {
  const routes: Record<string, RouteSettingsRecord> = { ...before?.routeSettings };
  for (const [routeKey, settings] of Object.entries(input.RouteSettings ?? {})) {
    routes[routeKey] = { ...routes[routeKey], ...parseSettings(operation, settings) };
  }
  const defaults =
    input.DefaultRouteSettings === undefined
      ? before?.defaultRouteSettings
      : { ...before?.defaultRouteSettings, ...parseSettings(operation, input.DefaultRouteSettings) };
  return {
    ...(defaults === undefined ? {} : { defaultRouteSettings: defaults }),
    ...(Object.keys(routes).length === 0 ? {} : { routeSettings: routes }),
  };
}

/** What the data plane of an HTTP API does with them. */
export function publishedRouteSettings(stage: StageRecord): Pick<PublishedHttpStage, "throttling" | "detailedMetrics"> {
  const { defaultRouteSettings, routeSettings = {} } = stage;
  const routes: Record<string, PublishedRate> = {};
  const detailed: Record<string, boolean> = {};
  if (defaultRouteSettings?.detailedMetricsEnabled === true) detailed["$default"] = true;
  for (const [routeKey, settings] of Object.entries(routeSettings)) {
    const rate = rateOf(settings);
    if (rate !== undefined) routes[routeKey] = rate;
    if (settings.detailedMetricsEnabled !== undefined) detailed[routeKey] = settings.detailedMetricsEnabled;
  }
  const fallback = rateOf(defaultRouteSettings ?? {});
  return {
    ...(fallback === undefined && Object.keys(routes).length === 0
      ? {}
      : { throttling: { routes, ...(fallback === undefined ? {} : { default: fallback }) } }),
    ...(Object.keys(detailed).length === 0 ? {} : { detailedMetrics: detailed }),
  };
}

export function describeRouteSettings(stage: StageRecord) {
  const routes = Object.entries(stage.routeSettings ?? {});
  return {
    DefaultRouteSettings: { DetailedMetricsEnabled: false, ...describe(stage.defaultRouteSettings ?? {}) },
    RouteSettings: Object.fromEntries(routes.map(([routeKey, settings]) => [routeKey, describe(settings)])),
  };
}

function parseSettings(operation: string, settings: sdk.RouteSettings): RouteSettingsRecord {
  const { DataTraceEnabled, LoggingLevel, ThrottlingBurstLimit, ThrottlingRateLimit, DetailedMetricsEnabled } =
    settings;
  for (const limit of [ThrottlingBurstLimit, ThrottlingRateLimit]) {
    if (limit !== undefined && !(limit >= 0)) throw badRequest(`${operation}: throttling limits must not be negative`);
  }
  return {
    ...(DetailedMetricsEnabled === undefined ? {} : { detailedMetricsEnabled: DetailedMetricsEnabled }),
    ...(ThrottlingBurstLimit === undefined ? {} : { throttlingBurstLimit: ThrottlingBurstLimit }),
    ...(ThrottlingRateLimit === undefined ? {} : { throttlingRateLimit: ThrottlingRateLimit }),
    ...(LoggingLevel === undefined ? {} : { loggingLevel: LoggingLevel }),
    ...(DataTraceEnabled === undefined ? {} : { dataTraceEnabled: DataTraceEnabled }),
  };
}

/** AWS: execution logs are of WebSocket APIs. Throws BadRequestException. */
export function refuseLogging(stage: StageRecord): void {
  if (allSettings(stage).some(asksForLogs)) throw badRequest("Execution logs are not supported on protocol type HTTP");
}

function asksForLogs({ dataTraceEnabled, loggingLevel = "OFF" }: RouteSettingsRecord): boolean {
  return dataTraceEnabled === true || loggingLevel !== "OFF";
}

/** Whether a stage writes execution logs. */
export function logsExecutions(stage: StageRecord): boolean {
  return allSettings(stage).some(({ loggingLevel = "OFF" }) => loggingLevel !== "OFF");
}

function allSettings({ defaultRouteSettings = {}, routeSettings = {} }: StageRecord): RouteSettingsRecord[] {
  return [defaultRouteSettings, ...Object.values(routeSettings)];
}

/** What the data plane of a WebSocket API does with them. */
export function publishedWebSocketSettings(stage: StageRecord): { readonly settings?: PublishedRouteSettings } {
  const { defaultRouteSettings, routeSettings = {} } = stage;
  if (defaultRouteSettings === undefined && Object.keys(routeSettings).length === 0) return {};
  const routes = Object.entries(routeSettings).map(([routeKey, settings]) => [routeKey, toRouteSetting(settings)]);
  return {
    settings: {
      ...(defaultRouteSettings === undefined ? {} : { default: toRouteSetting(defaultRouteSettings) }),
      routes: Object.fromEntries(routes),
    },
  };
}

function toRouteSetting(settings: RouteSettingsRecord): PublishedRouteSetting {
  const { dataTraceEnabled, detailedMetricsEnabled, loggingLevel } = settings;
  const throttling = rateOf(settings);
  return {
    ...(throttling === undefined ? {} : { throttling }),
    ...(loggingLevel === undefined ? {} : { loggingLevel }),
    ...(dataTraceEnabled === undefined ? {} : { dataTrace: dataTraceEnabled }),
    ...(detailedMetricsEnabled === undefined ? {} : { metrics: detailedMetricsEnabled }),
  };
}

/** Without a rate there is the account's, and without a burst what comes in a second may come at once. */
function rateOf({ throttlingRateLimit, throttlingBurstLimit }: RouteSettingsRecord): PublishedRate | undefined {
  if (throttlingRateLimit === undefined && throttlingBurstLimit === undefined) return undefined;
  const rateLimit = throttlingRateLimit ?? 10_000;
  return { rateLimit, burstLimit: throttlingBurstLimit ?? Math.ceil(rateLimit) };
}

function describe(settings: RouteSettingsRecord) {
  const { dataTraceEnabled, detailedMetricsEnabled, loggingLevel, throttlingBurstLimit, throttlingRateLimit } =
    settings;
  return {
    ...(dataTraceEnabled === undefined ? {} : { DataTraceEnabled: dataTraceEnabled }),
    ...(loggingLevel === undefined ? {} : { LoggingLevel: loggingLevel }),
    ...(detailedMetricsEnabled === undefined ? {} : { DetailedMetricsEnabled: detailedMetricsEnabled }),
    ...(throttlingBurstLimit === undefined ? {} : { ThrottlingBurstLimit: throttlingBurstLimit }),
    ...(throttlingRateLimit === undefined ? {} : { ThrottlingRateLimit: throttlingRateLimit }),
  };
}
