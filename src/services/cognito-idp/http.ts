import { isEncrypted } from "../../proxy/client-address.ts";
import type { HttpRequest, HttpResponse } from "../../proxy/http-exchange.ts";
import type { Cognito } from "./core.ts";
import { domainBase } from "./domain-base.ts";
import { answerUpload, uploadDomain } from "./imports/upload.ts";
import { type Pool, readPool } from "./model.ts";
import type { UserPoolsHttp } from "./port.ts";
import { issuerOf } from "./tokens/issuer.ts";

/** @param answerDomain answers for what is at pools' domains: the OAuth endpoints and the hosted pages */
export function createUserPoolsHttp(
  cognito: Cognito,
  answerDomain: (domain: string, target: string, request: HttpRequest, response: HttpResponse) => Promise<void>,
): UserPoolsHttp {
  return (domain, target, request, response) => {
    const answered =
      domain === undefined
        ? answerDocument(cognito, target, request, response)
        : domain === uploadDomain
          ? answerUpload(cognito, target, request, response)
          : answerDomain(domain, target, request, response);
    answered.catch((error: unknown) => {
      cognito.log.error("A request to a user pool failed", { error });
      if (response.headersSent) response.destroy();
      else answerJson(response, 500, { message: "Internal server error" });
    });
  };
}

/** `/{poolId}/.well-known/jwks.json` and `/{poolId}/.well-known/openid-configuration`. */
async function answerDocument(
  cognito: Cognito,
  target: string,
  request: HttpRequest,
  response: HttpResponse,
): Promise<void> {
  const [, poolId = "", , document = ""] = (target.split("?", 1)[0] ?? "").split("/");
  const pool = await cognito.store.read((reader) => readPool(reader, poolId));
  if (!pool) return answerJson(response, 404, { message: `User pool ${poolId} does not exist.` });
  if (request.method !== "GET" && request.method !== "HEAD")
    return answerJson(response, 405, { message: "Method Not Allowed" });
  if (document === "jwks.json") {
    return answerJson(response, 200, { keys: await cognito.keys.jwks(pool.id, cognito.clock.now()) });
  }
  answerJson(response, 200, discovery(cognito, pool, endpointOf(request)));
}

/** The platform's address as a client has reached it, without labels that name a pool's domain or a service. */
export function endpointOf(request: HttpRequest): string {
  const host = (request.headers.host ?? "").toLowerCase();
  const scheme = isEncrypted(request) ? "https" : "http";
  if (!/^(?:[a-z0-9.-]{1,253}|\[[\da-f:]{2,45}\])(?::\d{1,5})?$/.test(host)) {
    return `${scheme}://127.0.0.1:${request.socket.localPort ?? 0}`;
  }
  return `${scheme}://${host.replace(/^(?:[a-z0-9-]+\.auth|cognito-idp)\.[a-z]{2}(?:-[a-z]+){1,3}-\d{1,2}\./, "")}`;
}

function discovery(cognito: Cognito, pool: Pool, endpoint: string) {
  const issuer = issuerOf(cognito.issuer, pool, endpoint);
  const domain = pool.domain ?? pool.customDomain;
  const base = domain === undefined ? undefined : domainBase(endpoint, domain);
  return {
    ...(base !== undefined && {
      authorization_endpoint: `${base}/oauth2/authorize`,
      end_session_endpoint: `${base}/logout`,
    }),
    id_token_signing_alg_values_supported: ["RS256"],
    issuer,
    // By the address that was reached: an issuer of AWS's name is not where the keys are.
    jwks_uri: `${endpoint}/${pool.id}/.well-known/jwks.json`,
    response_types_supported: ["code", "token"],
    ...(base !== undefined && { revocation_endpoint: `${base}/oauth2/revoke` }),
    scopes_supported: ["openid", "email", "phone", "profile"],
    subject_types_supported: ["public"],
    ...(base !== undefined && {
      token_endpoint: `${base}/oauth2/token`,
      token_endpoint_auth_methods_supported: ["client_secret_basic", "client_secret_post"],
      userinfo_endpoint: `${base}/oauth2/userInfo`,
    }),
  };
}

export function answerJson(response: HttpResponse, status: number, value: object): void {
  const body = JSON.stringify(value);
  response.writeHead(status, {
    "content-type": "application/json",
    "content-length": Buffer.byteLength(body),
    "access-control-allow-origin": "*",
    ...(status === 200 && { "cache-control": "public, max-age=3600" }),
  });
  response.end(body);
}
