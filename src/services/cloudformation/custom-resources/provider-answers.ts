import type { Log } from "../../../kernel/log.ts";
import type { HttpRequest, HttpResponse } from "../../../proxy/http-exchange.ts";
import { readBody } from "../../../proxy/request-body.ts";
import { cloudFormationLimits as limits } from "../limits.ts";
import { openResponsePath, type ProviderNeeds, responsePath, takeResponse } from "./provider-requests.ts";
import { parseProviderResponse } from "./provider-response.ts";

/** Takes what providers of custom resources answer. Returns false where the path is none of these addresses. */
export type ProviderAnswers = (path: string, request: HttpRequest, response: HttpResponse) => boolean;

export function createProviderAnswers(needs: ProviderNeeds & { readonly log: Log }): ProviderAnswers {
  const take = async (path: string, body: Buffer | undefined, response: HttpResponse): Promise<void> => {
    const place = openResponsePath(needs, path);
    const taken =
      place &&
      (await takeResponse(needs, place.subject, place.requestId, (asked) => parseProviderResponse(body, asked)));
    if (taken === undefined) answer(response, 403, "The address is not valid, has been used, or has expired.");
    else if (taken.status === "INVALID") answer(response, 400, taken.reason);
    else answer(response, 200, "");
  };
  return (path, request, response) => {
    if (!path.startsWith(responsePath)) return false;
    if (request.method !== "PUT") {
      request.resume();
      answer(response, 405, "Method Not Allowed");
      return true;
    }
    readBody(request, true, limits.customResponseBytesMax, (body) => {
      if (body === undefined) request.resume();
      take(path, body, response).catch((error: unknown) => {
        needs.log.error("An answer of a custom resource's provider could not be taken", { error });
        if (response.headersSent) response.destroy();
        else answer(response, 500, "Internal Server Error");
      });
    });
    return true;
  };
}

function answer(response: HttpResponse, status: number, text: string): void {
  response.writeHead(status, { "content-type": "text/plain", "content-length": Buffer.byteLength(text) });
  response.end(text);
}
