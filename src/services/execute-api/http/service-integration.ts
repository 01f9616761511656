import type { PublishedRoute, PublishedServiceIntegration } from "../port.ts";
import { type HttpIntegration, type HttpStage, refuse } from "./request.ts";

/** A service of the platform answers. */
export function compileServiceIntegration(
  _stage: HttpStage,
  _route: PublishedRoute,
  _path: string,
  _integration: PublishedServiceIntegration,
): HttpIntegration {
  return (request) => refuse(request, 500, "Internal Server Error");
}
