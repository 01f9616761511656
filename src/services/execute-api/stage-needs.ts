import type { IncomingMessage, ServerResponse } from "node:http";
import type { InvokeAccess } from "./access.ts";
import type { Exchange, RequestPaths } from "./exchange.ts";
import type { LambdaCallNeeds } from "./lambda-call.ts";
import type { PublishedStage } from "./port.ts";
import { readHeaders, type RequestHeaders } from "./request-headers.ts";
import type { RequestIdentities } from "./request-identity.ts";

/** What compiled stages answer with. */
export interface StageNeeds extends LambdaCallNeeds {
  readonly identities: RequestIdentities;
  readonly access: InvokeAccess;
}

export function startExchange(
  needs: StageNeeds,
  request: IncomingMessage,
  response: ServerResponse,
  paths: RequestPaths,
): Exchange {
  const headers = readHeaders(request);
  const now = needs.clock.now();
  return {
    request,
    response,
    method: request.method ?? "GET",
    path: paths.path,
    fullPath: paths.fullPath,
    query: paths.query,
    headers,
    now,
    requestId: needs.identities.uuid(),
    extendedId: needs.identities.extendedId(),
    trace: traceRoot(headers, () => needs.identities.traceRoot(now)),
  };
}

/** The host the client reached the API by, without a port; the API's own name where it used an address or a path. */
export function domainNameOf(stage: PublishedStage, host: string): string {
  const label = `${stage.apiId}.execute-api.`;
  if (host.length > label.length && host.slice(0, label.length).toLowerCase() === label) {
    const colon = host.lastIndexOf(":");
    return colon === -1 ? host : host.slice(0, colon);
  }
  return `${label}${stage.region}.localhost`;
}

function traceRoot(headers: RequestHeaders, make: () => string): string {
  if (headers.trace === "") return make();
  const root = headers.trace.split(";").find((part) => part.trim().startsWith("Root="));
  const sent = root?.trim().slice("Root=".length) ?? "";
  return /^1-[0-9a-f]{8}-[0-9a-f]{24}$/i.test(sent) ? sent : make();
}
