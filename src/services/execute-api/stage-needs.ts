import type { Seal } from "../../access/server-keys.ts";
import type { InvokeAccess } from "./access.ts";
import type { AuthorizerNeeds } from "./authorizers/authorizer-needs.ts";
import type { Exchange, ExchangeMeter, RequestPaths } from "../../proxy/exchange.ts";
import type { HttpRequest, HttpResponse } from "../../proxy/http-exchange.ts";
import type { IntegrationNeeds } from "./integrations/integration-needs.ts";
import type { GatewayLogs } from "./logging/gateway-logs.ts";
import type { LambdaCallNeeds } from "./lambda-call.ts";
import type { StageCaches } from "./caching/stage-caches.ts";
import type { StageLimits } from "./throttling/stage-limits.ts";
import type { PublishedStage } from "./port.ts";
import type { RequestIdentities } from "../../proxy/request-identity.ts";
import type { WebSocketRoutes } from "./websocket/stage.ts";

/** What compiled stages answer with. */
export interface StageNeeds extends LambdaCallNeeds {
  readonly identities: RequestIdentities;
  readonly access: InvokeAccess;
  readonly limits: StageLimits;
  readonly caches: StageCaches;
  readonly authorizers: AuthorizerNeeds;
  readonly integrations: IntegrationNeeds;
  /** Opens the keys of client certificates. */
  readonly seal: Pick<Seal, "open">;
  readonly meter?: ExchangeMeter;
  /** Absent: nothing is logged. */
  readonly logs?: GatewayLogs;
}

/** The host the client reached the API by, without a port; the API's own name where it used an address or a path. */
export function domainNameOf(stage: PublishedStage, { domain, headers }: Exchange): string {
  if (domain !== undefined) return domain.name;
  const { host } = headers;
  const label = `${stage.apiId}.execute-api.`;
  if (host.length > label.length && host.slice(0, label.length).toLowerCase() === label) {
    const colon = host.lastIndexOf(":");
    return colon === -1 ? host : host.slice(0, colon);
  }
  return `${label}${stage.region}.localhost`;
}

/**
 * `$context.path` of a REST API, which names the stage.
 *
 * AWS: by a custom domain name it is the path that the client sent, with the base path and without the stage.
 */
export function contextPathOf(stage: PublishedStage, { domain, fullPath, path }: Exchange): string {
  return domain === undefined ? `/${stage.stageName}${path}` : fullPath;
}

/** A stage made ready: answers every request it is given, once. */
export interface CompiledStage {
  answer(request: HttpRequest, response: HttpResponse, paths: RequestPaths): void;
  /** Of a WebSocket API. */
  readonly webSocket?: WebSocketRoutes;
}
