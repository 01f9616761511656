import type { PublishedMethodSettings } from "../../execute-api/port.ts";
import { badRequest } from "../errors.ts";
import type { MethodSettingsRecord, StageRecord } from "../model.ts";
import { parseFlag, type PatchTable } from "../patch.ts";

type Settings = Readonly<Record<string, MethodSettingsRecord>>;

/** What a method's settings are before any is set. Source: the documentation of MethodSetting, and the account's limits. */
const unset: MethodSettingsRecord = {
  throttlingBurstLimit: 5_000,
  throttlingRateLimit: 10_000,
  cachingEnabled: false,
  cacheTtlInSeconds: 300,
  cacheDataEncrypted: false,
  requireAuthorizationForCacheControl: true,
  unauthorizedCacheControlHeaderStrategy: "SUCCEED_WITH_RESPONSE_HEADER",
  metricsEnabled: false,
  loggingLevel: "OFF",
  dataTraceEnabled: false,
};

const strategies = ["FAIL_WITH_403", "SUCCEED_WITH_RESPONSE_HEADER", "SUCCEED_WITHOUT_RESPONSE_HEADER"] as const;

/** By what follows the method in a patch's path. */
const setters: Readonly<Record<string, (value: string) => Partial<MethodSettingsRecord>>> = {
  "throttling/burstLimit": (value) => ({ throttlingBurstLimit: numberFrom(value, true) }),
  "throttling/rateLimit": (value) => ({ throttlingRateLimit: numberFrom(value, false) }),
  "caching/enabled": (value) => ({ cachingEnabled: parseFlag(value) }),
  "caching/ttlInSeconds": (value) => ({ cacheTtlInSeconds: ttlFrom(value) }),
  "caching/dataEncrypted": (value) => ({ cacheDataEncrypted: parseFlag(value) }),
  "caching/requireAuthorizationForCacheControl": (value) => ({ requireAuthorizationForCacheControl: parseFlag(value) }),
  "caching/unauthorizedCacheControlHeaderStrategy": (value) => ({
    unauthorizedCacheControlHeaderStrategy: strategyFrom(value),
  }),
  "metrics/enabled": (value) => ({ metricsEnabled: parseFlag(value) }),
  "logging/loglevel": (value) => {
    if (value === "OFF" || value === "ERROR" || value === "INFO") return { loggingLevel: value };
    throw badRequest("Invalid logging level, must be one of OFF, ERROR, INFO");
  },
  "logging/dataTrace": (value) => ({ dataTraceEnabled: parseFlag(value) }),
};

/**
 * `/{path}/{METHOD}/throttling/rateLimit` and the like. AWS: the path's slashes are written `~1`, its first one may be left
 * out, and `/*` + `/*` is every method that has no settings of its own.
 */
export const methodSettingPatches: PatchTable<StageRecord> = [
  {
    path: /^\/.*\/(?:\*|[A-Z]+)\/(?:throttling|caching|metrics|logging)\/\w+$/,
    apply: {
      replace: (stage, value, _name, path) => {
        const [, address = "", setting = ""] = /^\/(.*)\/(\w+\/\w+)$/.exec(path) ?? [];
        const set = setters[setting];
        if (set === undefined) throw badRequest(`Invalid method setting path: ${path}`);
        const key = keyOf(address);
        const before = stage.methodSettings?.[key] ?? stage.methodSettings?.["*/*"] ?? unset;
        return { ...stage, methodSettings: { ...stage.methodSettings, [key]: { ...before, ...set(value) } } };
      },
    },
  },
  {
    path: /^\/[^/]*\/(?:\*|GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS|ANY)$/,
    apply: {
      remove: (stage, _value, _name, path) => {
        const { [keyOf(path.slice(1))]: gone, ...methodSettings } = stage.methodSettings ?? {};
        if (gone === undefined)
          throw badRequest(`Cannot remove method setting ${path} because there is no method setting for this method`);
        return { ...stage, methodSettings };
      },
    },
  },
];

/** How the data plane is told; settings that change nothing are left out. */
export function publishedMethodSettings(
  settings: Settings | undefined,
): Readonly<Record<string, PublishedMethodSettings>> {
  const published: Record<string, PublishedMethodSettings> = {};
  for (const [key, record] of Object.entries(settings ?? {})) {
    const { throttlingRateLimit: rateLimit, throttlingBurstLimit: burstLimit } = record;
    published[key] = {
      // AWS: -1 is no limit of the method's own.
      ...(rateLimit < 0 || burstLimit < 0 ? {} : { throttling: { rateLimit, burstLimit } }),
      ...(record.cachingEnabled
        ? {
            caching: {
              ttlSeconds: record.cacheTtlInSeconds,
              requiresAuthorization: record.requireAuthorizationForCacheControl,
              unauthorizedStrategy: record.unauthorizedCacheControlHeaderStrategy,
            },
          }
        : {}),
      ...(record.loggingLevel === "OFF" ? {} : { loggingLevel: record.loggingLevel }),
      ...(record.dataTraceEnabled ? { dataTrace: true } : {}),
      ...(record.metricsEnabled ? { metrics: true } : {}),
    };
  }
  return published;
}

/** `~1pets~1{id}/GET` and `/pets/{id}/GET` are the same: `pets/{id}/GET`. */
function keyOf(address: string): string {
  const slash = address.lastIndexOf("/");
  const path = address.slice(0, Math.max(slash, 0)).replaceAll("~1", "/").replaceAll("~0", "~").replace(/^\/+/, "");
  return `${path}/${address.slice(slash + 1)}`;
}

function numberFrom(value: string, whole: boolean): number {
  const number = Number(value);
  const isValid = value.trim() !== "" && Number.isFinite(number) && (number >= 0 || number === -1);
  if (isValid && (!whole || Number.isInteger(number))) return number;
  throw badRequest(`Invalid throttling limit ${value}: must be a number that is not negative, or -1`);
}

function ttlFrom(value: string): number {
  const seconds = Number(value);
  if (/^\d+$/.test(value) && seconds <= 3600) return seconds;
  throw badRequest("Invalid cache TTL, must be between 0 and 3600");
}

function strategyFrom(value: string): MethodSettingsRecord["unauthorizedCacheControlHeaderStrategy"] {
  const found = strategies.find((strategy) => strategy === value);
  if (found === undefined) throw badRequest(`Invalid unauthorizedCacheControlHeaderStrategy ${value}`);
  return found;
}
