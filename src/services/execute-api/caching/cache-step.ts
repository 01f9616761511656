import { answer, refuse, type RestRequest, type RestStage, type RestStep } from "../rest/request.ts";
import { sourceArn } from "../lambda-call.ts";
import type { PublishedCaching, PublishedMethod } from "../port.ts";
import { compileCacheKey } from "./cache-key.ts";

const ignored = "199 Cache-control headers were ignored because the caller was unauthorized.";

/** A method's caching; nothing where its answers are not cached. */
export function cacheSteps(stage: RestStage, method: PublishedMethod): RestStep[] {
  const { cache } = stage.published;
  const caching = cachingOf(stage, method);
  if (cache === undefined || caching === undefined || caching.ttlSeconds === 0) return [];
  const keyOf = compileCacheKey(method);
  return keyOf === undefined ? [] : [cacheStep(stage, caching, keyOf)];
}

/** AWS: what is set for all methods caches GET alone; others are cached where they have settings of their own. */
function cachingOf({ published }: RestStage, { path, httpMethod }: PublishedMethod): PublishedCaching | undefined {
  const settings = published.methodSettings ?? {};
  const own = settings[`${path.slice(1)}/${httpMethod}`];
  if (own !== undefined) return own.caching;
  return httpMethod === "GET" ? settings["*/*"]?.caching : undefined;
}

/**
 * Answers from the stage's cache, or lets the integration answer and keeps that, errors too.
 *
 * AWS: `Cache-Control: max-age=0` renews an entry, for callers who may `execute-api:InvalidateCache` where that is required.
 */
function cacheStep(stage: RestStage, caching: PublishedCaching, keyOf: (request: RestRequest) => string): RestStep {
  const { needs, published } = stage;
  if (published.cache === undefined) throw new Error("A stage without a cache caches nothing");
  const cache = needs.caches.of(published.cacheName ?? `${published.apiId}/${published.stageName}`, published.cache);

  const serve = (request: RestRequest, next: () => void, warns: boolean) => {
    const { exchange } = request;
    const key = keyOf(request);
    const found = cache.get(key, exchange.now);
    exchange.meter?.cached?.(found !== undefined);
    if (found !== undefined) {
      const headers = warns ? [...found.headers, "Warning", ignored] : [...found.headers];
      return answer(exchange, found.status, headers, found.body);
    }
    fill(request, key, warns);
    next();
  };
  const fill = ({ exchange }: RestRequest, key: string, warns: boolean) => {
    const told = exchange.capture;
    exchange.capture = (status, headers, body) => {
      cache.set(key, { status, headers: [...headers], body, expiresAt: needs.clock.now() + caching.ttlSeconds * 1000 });
      if (warns) headers.push("Warning", ignored);
      told?.(status, headers, body);
    };
  };
  const renew = (request: RestRequest, next: () => void) => {
    request.exchange.meter?.cached?.(false);
    fill(request, keyOf(request), false);
    next();
  };

  return (request, next) => {
    if (!asksForRenewal(request)) return serve(request, next, false);
    if (!caching.requiresAuthorization) return renew(request, next);
    mayInvalidate(request).then(
      (may) => {
        if (may) return renew(request, next);
        if (caching.unauthorizedStrategy === "FAIL_WITH_403") return refuse(request, "ACCESS_DENIED");
        serve(request, next, caching.unauthorizedStrategy === "SUCCEED_WITH_RESPONSE_HEADER");
      },
      (error: unknown) => {
        needs.log.error("Whether a caller may renew an entry of a cache could not be found out", { error });
        refuse(request, "API_CONFIGURATION_ERROR");
      },
    );
  };
}

function asksForRenewal({ exchange }: RestRequest): boolean {
  const value = exchange.request.headers["cache-control"];
  return value !== undefined && value.split(",").some((directive) => directive.trim().toLowerCase() === "max-age=0");
}

async function mayInvalidate({ exchange, body, stage }: RestRequest): Promise<boolean> {
  const { needs, published } = stage;
  const { account, region } = published;
  const arn = sourceArn(published, exchange.method, exchange.path);
  return needs.access.may(exchange, body, { account, region, arn }, "execute-api:InvalidateCache");
}
