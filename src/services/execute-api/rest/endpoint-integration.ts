import { isBinaryMediaType, mediaType } from "../../../proxy/media-types.ts";
import { convertRequest, noBase64 } from "../integrations/content-handling.ts";
import type { PublishedEndpointIntegration, PublishedMethod } from "../port.ts";
import { compileBodyChoice } from "./body-templates.ts";
import { compileFunctionIntegration } from "./function-integration.ts";
import { overrideParameters } from "./overrides.ts";
import { compileHttpIntegration } from "./http-integration.ts";
import { refuse, type RestIntegration, type RestRequest, type RestStage } from "./request.ts";
import { compileRequestMapping, type MappedParameters } from "./request-mapping.ts";
import { refuseUnrendered } from "./rest-template.ts";
import { compileServiceIntegration } from "./service-integration.ts";

/** A request as an integration gets it: converted and mapped. */
export interface IntegrationRequest {
  readonly parameters: MappedParameters;
  readonly body: Buffer;
  /** Of the template that made the body; undefined for a body as the client sent it. */
  readonly contentType: string | undefined;
}

/** Sends a mapped request, and answers the client. */
export type IntegrationCall = (request: RestRequest, mapped: IntegrationRequest) => void;

/** `HTTP`, `HTTP_PROXY` and `AWS`: the body is converted and mapped, parameters are mapped, and the endpoint is called. */
export function compileEndpoint(
  stage: RestStage,
  method: PublishedMethod,
  integration: PublishedEndpointIntegration,
): RestIntegration {
  const call = compileCall(stage, method, integration);
  const mapParameters = compileRequestMapping(integration.requestParameters);
  const choose = compileBodyChoice(integration);
  const isProxy = integration.type === "HTTP_PROXY";
  return (request) => {
    const { contentType } = request.exchange.headers;
    const choice = isProxy ? passed : choose(contentType);
    if (choice.kind === "unsupported") return refuse(request, "UNSUPPORTED_MEDIA_TYPE");
    const type = contentType === "" ? "application/json" : mediaType(contentType);
    const isBinary = isBinaryMediaType(stage.binaryMediaTypes, type);
    const body =
      isProxy && integration.contentHandling === undefined
        ? request.body
        : convertRequest(request.body, isBinary, integration.contentHandling);
    if (body === undefined) {
      request.journal?.error(noBase64);
      return refuse(request, "API_CONFIGURATION_ERROR");
    }
    let mapped = body;
    try {
      if (choice.kind === "mapped") mapped = Buffer.from(choice.template(request, body.toString("utf8")), "utf8");
    } catch (error) {
      return refuseUnrendered(request, "request", error);
    }
    const parameters = mapParameters(request);
    if (request.overrides !== undefined) overrideParameters(parameters, request.overrides.request);
    call(request, {
      parameters,
      body: mapped,
      contentType: choice.kind === "mapped" ? choice.contentType : undefined,
    });
  };
}

const passed = { kind: "passed" } as const;

function compileCall(
  stage: RestStage,
  method: PublishedMethod,
  integration: PublishedEndpointIntegration,
): IntegrationCall {
  if (integration.type !== "AWS") return compileHttpIntegration(stage, method, integration);
  return (
    compileFunctionIntegration(stage, method, integration) ?? compileServiceIntegration(stage, method, integration)
  );
}
