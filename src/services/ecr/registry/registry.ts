import { isLoopbackAddress } from "../../../access/loopback.ts";
import { AwsError } from "../../../aws/error.ts";
import { openLogin, type RegistryLogin } from "../credentials.ts";
import { parseRegistryHost } from "../find-image.ts";
import type { Layers } from "../layers.ts";
import type { Place } from "../model.ts";
import { isEncrypted, sourceIp } from "../../../proxy/client-address.ts";
import type { HttpRequest, HttpResponse } from "../../../proxy/http-exchange.ts";
import type { EcrNeeds } from "../needs.ts";
import { namePattern, onRepository } from "../repositories.ts";
import { answer, answerError, fromAwsError, RegistryError } from "./answers.ts";
import { answerBlob, continueUpload, startUpload } from "./blobs.ts";
import type { RegistryExchange } from "./exchange.ts";
import { answerManifest, answerReferrers, answerTags } from "./manifests.ts";

type Needs = EcrNeeds & { readonly layers: Layers };

/**
 * The registry that `docker`, `skopeo` and `crane` push to and pull from. Source: OCI distribution specification 1.1, which
 * Docker's registry API v2 is part of. Never rejects.
 */
export function createRegistry(needs: Needs): (request: HttpRequest, response: HttpResponse) => Promise<void> {
  return async (request, response) => {
    request.on("error", () => {});
    try {
      await answerRequest(request, response, needs);
    } catch (error) {
      if (response.headersSent || response.destroyed) {
        // The client has gone, or the content ended short of what was promised: it must not be taken for whole.
        response.destroy();
        return;
      }
      if (error instanceof RegistryError) return answerError(response, error);
      if (error instanceof AwsError) return answerError(response, fromAwsError(error));
      needs.log.error("The registry failed", { error, method: request.method, path: request.url?.slice(0, 200) });
      answerError(response, new RegistryError("UNKNOWN", 500, "The registry failed"));
    }
  };
}

async function answerRequest(request: HttpRequest, response: HttpResponse, needs: Needs): Promise<void> {
  const now = needs.clock.now();
  const login = readLogin(request, needs, now);
  const place = placeOf(request, login);
  const [path = "", query = ""] = (request.url ?? "").split("?", 2);
  const environment = {
    account: login.principal.account,
    region: place.region,
    sourceIp: sourceIp(request),
    secureTransport: isEncrypted(request) || isLoopbackAddress(sourceIp(request)),
    userAgent: request.headers["user-agent"] ?? "",
    now,
    service: "ecr",
  };
  if (path === "/v2" || path === "/v2/") {
    request.resume();
    return answer(response, 200, { "content-type": "application/json" }, "{}");
  }
  const route = /^\/v2\/(.+)\/(manifests|blobs|tags|referrers)\/(uploads\/)?([^/]*)$/.exec(path);
  const name = route?.[1] ?? "";
  if (!route) throw new RegistryError("UNSUPPORTED", 404, "There is nothing here");
  if (!namePattern.test(name) || name.length > 256) throw new RegistryError("NAME_INVALID", 400, "The name is invalid");
  const exchange: RegistryExchange = {
    request,
    response,
    method: request.method ?? "GET",
    query: new URLSearchParams(query),
    place,
    name,
    now,
    authorize: async (action, repository = name) =>
      needs.authorizer.authorize(
        login.principal,
        await onRepository(needs.store, action, place, repository),
        environment,
      ),
  };
  const [, , kind, uploads, reference = ""] = route;
  if (uploads !== undefined && kind === "blobs") {
    return reference === "" ? startUpload(exchange, needs) : continueUpload(exchange, reference, needs);
  }
  if (kind === "blobs" && uploads === undefined) {
    // Clients begin uploads at `…/blobs/uploads` too.
    if (reference === "uploads") return startUpload(exchange, needs);
    return answerBlob(exchange, reference, needs);
  }
  if (uploads === undefined && kind === "manifests") return answerManifest(exchange, reference, needs);
  if (uploads === undefined && kind === "referrers") return answerReferrers(exchange, reference, needs);
  if (uploads === undefined && kind === "tags" && reference === "list") return answerTags(exchange, needs);
  throw new RegistryError("UNSUPPORTED", 404, "There is nothing here");
}

function readLogin(request: HttpRequest, { seal }: Needs, now: number): RegistryLogin {
  const basic = /^Basic ([A-Za-z0-9+/=]+)$/i.exec(request.headers.authorization ?? "")?.[1] ?? "";
  const [user, password] = Buffer.from(basic, "base64").toString("latin1").split(":", 2);
  if (user !== "AWS" || password === undefined) throw notAuthorized(request, "Not Authorized");
  const login = openLogin(seal, password);
  if (!login) throw notAuthorized(request, "Not Authorized");
  if (login.expiresAt <= now) {
    throw notAuthorized(request, "Your authorization token has expired. Reauthenticate and try again.");
  }
  return login;
}

/** What AWS's registry asks for. */
function notAuthorized(request: HttpRequest, message: string): RegistryError {
  const scheme = isEncrypted(request) ? "https" : "http";
  const host = (request.headers.host ?? "").replace(/[^\w.:[\]-]/g, "");
  return new RegistryError("UNAUTHORIZED", 401, message, {
    "www-authenticate": `Basic realm="${scheme}://${host}/",service="ecr.amazonaws.com"`,
  });
}

/** By the host's name, or else the registry that the password was asked for. */
function placeOf(request: HttpRequest, login: RegistryLogin): Place {
  return parseRegistryHost(request.headers.host ?? "") ?? { account: login.principal.account, region: login.region };
}
