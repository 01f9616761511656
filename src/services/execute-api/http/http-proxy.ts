import type { PublishedHttpProxyIntegration } from "../port.ts";
import { type HttpIntegration, type HttpStage, refuse } from "./request.ts";

/** `HTTP_PROXY`: an HTTP endpoint answers. */
export function compileHttpProxy(
  _stage: HttpStage,
  _path: string,
  _integration: PublishedHttpProxyIntegration,
): HttpIntegration {
  return (request) => refuse(request, 500, "Internal Server Error");
}
