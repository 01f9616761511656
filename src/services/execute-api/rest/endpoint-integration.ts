import type { PublishedEndpointIntegration, PublishedMethod } from "../port.ts";
import { refuse, type RestIntegration, type RestStage } from "./request.ts";

/** `HTTP`, `HTTP_PROXY` and `AWS`. */
export function compileEndpoint(
  _stage: RestStage,
  _method: PublishedMethod,
  _integration: PublishedEndpointIntegration,
): RestIntegration {
  return (request) => refuse(request, "API_CONFIGURATION_ERROR");
}
