import type { HttpRequest, HttpResponse } from "../../../proxy/http-exchange.ts";
import type { Cognito } from "../core.ts";
import { createFederation } from "../federation/federation.ts";
import type { Outbound } from "../federation/outbound.ts";
import { createExternalProviders } from "../federation/provider.ts";
import { domainKey, readPool, type Domain } from "../model.ts";
import { createHostedPages } from "../pages/hosted.ts";
import type { PublicApi } from "../pages/public-api.ts";
import { answerAuthorize } from "./authorize.ts";
import { json, readDomainRequest, type Answer, type DomainRequest } from "./exchange.ts";
import { answerLogout } from "./logout.ts";
import { createRateLimit } from "./rate.ts";
import { answerRevoke } from "./revoke.ts";
import { answerToken } from "./token-endpoint.ts";
import { answerUserInfo } from "./user-info.ts";

/** Answers what is asked at a pool's domain: the endpoints of OAuth and OpenID Connect, and the hosted pages. */
export type DomainHttp = (
  domain: string,
  target: string,
  request: HttpRequest,
  response: HttpResponse,
) => Promise<void>;

export function createDomainHttp(needs: {
  readonly cognito: Cognito;
  readonly api: PublicApi;
  readonly outbound: Outbound;
}): DomainHttp {
  const { cognito, outbound } = needs;
  const { clock, seal, store } = cognito;
  const federation = createFederation(cognito, createExternalProviders({ outbound, clock, seal }));
  const pages = createHostedPages(needs);
  const isWithinRate = createRateLimit();

  const endpoints: Readonly<Record<string, (request: DomainRequest) => Promise<Answer>>> = {
    "GET /oauth2/authorize": (request) => answerAuthorize(cognito, federation, request),
    "GET /oauth2/idpresponse": (request) => federation.answerReturn(request),
    "POST /oauth2/token": (request) => answerToken(cognito, request),
    "POST /oauth2/revoke": (request) => answerRevoke(cognito, request),
    "GET /oauth2/userInfo": (request) => answerUserInfo(cognito, request),
    "POST /oauth2/userInfo": (request) => answerUserInfo(cognito, request),
    "GET /logout": (request) => answerLogout(cognito, request),
  };
  const known = new Set([...Object.keys(endpoints), "POST /oauth2/authorize"].map((name) => name.split(" ")[1]));

  return async (name, target, request, response) => {
    const place = await store.read(async (reader) => {
      const domain = await reader.get<Domain>(domainKey(name));
      const pool = domain && (await readPool(reader, domain.poolId));
      return domain && pool && { domain, pool, now: clock.now() };
    });
    if (place === undefined) return send(request, response, notFound);
    const asked = readDomainRequest(request, target, place);
    const head = asked.method === "HEAD" ? { ...asked, method: "GET" } : asked;
    if (head.method === "OPTIONS" && known.has(head.path)) return send(request, response, preflight);
    if (!isWithinRate(place.pool.id, place.now)) return send(request, response, tooMany);
    const endpoint = endpoints[`${head.method} ${head.path}`];
    const answer = endpoint === undefined ? await pages(head) : await endpoint(head);
    return send(request, response, answer ?? (known.has(head.path) ? wrongMethod : notFound));
  };
}

const notFound: Answer = { status: 404, headers: { "content-type": "text/plain" }, body: "Not Found" };
const wrongMethod: Answer = json(405, { error: "invalid_request" });
const tooMany: Answer = json(429, { error: "too_many_requests" });

/** Pages of other origins ask for tokens: AWS lets all of them. */
const preflight: Answer = {
  status: 200,
  headers: {
    "access-control-allow-origin": "*",
    "access-control-allow-methods": "GET, POST, OPTIONS",
    "access-control-allow-headers":
      "authorization, content-type, x-amz-user-agent, amz-sdk-request, amz-sdk-invocation-id",
    "access-control-max-age": "7200",
  },
};

function send(request: HttpRequest, response: HttpResponse, answer: Answer): void {
  const body = answer.body ?? "";
  // A body that nobody has read must not be taken for the next request.
  if (!request.complete) request.resume();
  const cookies = answer.cookies ?? [];
  response.writeHead(answer.status, {
    ...answer.headers,
    ...(cookies.length > 0 && { "set-cookie": [...cookies] }),
    "content-length": Buffer.byteLength(body),
  });
  response.end(request.method === "HEAD" ? undefined : body);
}
