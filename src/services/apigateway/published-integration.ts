import type { PublishedIntegrationResponse, PublishedMethod } from "../execute-api/port.ts";
import type { IntegrationRecord, IntegrationResponseRecord } from "./model.ts";

/** An integration as stages answer with it. */
export function publishedIntegration(integration: IntegrationRecord): PublishedMethod["integration"] {
  const { type, uri = "", credentials, timeoutMs } = integration;
  const streams = integration.responseTransferMode === "STREAM" ? { streams: true } : {};
  if (type === "AWS_PROXY") {
    const asCaller = credentials !== undefined && /^arn:[\w-]+:iam::\*:user\/\*$/.test(credentials);
    const who = asCaller ? { asCaller } : credentials === undefined ? {} : { credentials };
    return { type, uri, timeoutMs, ...who, ...streams };
  }
  const mapped = {
    requestTemplates: integration.requestTemplates ?? {},
    passthroughBehavior: integration.passthroughBehavior,
    responses: Object.values(integration.responses).map(publishedResponse),
  };
  if (type === "MOCK") return { type, ...mapped };
  return {
    type,
    uri,
    httpMethod: integration.httpMethod ?? "POST",
    timeoutMs,
    ...(credentials === undefined ? {} : { credentials }),
    requestParameters: integration.requestParameters ?? {},
    ...mapped,
    ...(integration.contentHandling === undefined ? {} : { contentHandling: integration.contentHandling }),
    ...(integration.insecureSkipVerification === true ? { insecure: true } : {}),
    ...streams,
  };
}

/** What the stage's cache tells answers apart by. */
export function publishedCacheKey(
  integration: IntegrationRecord,
): Pick<PublishedMethod, "cacheKeyParameters" | "cacheNamespace"> {
  const { cacheKeyParameters, cacheNamespace } = integration;
  return {
    ...(cacheKeyParameters === undefined ? {} : { cacheKeyParameters }),
    ...(cacheNamespace === undefined ? {} : { cacheNamespace }),
  };
}

function publishedResponse(response: IntegrationResponseRecord): PublishedIntegrationResponse {
  const { statusCode, selectionPattern, responseParameters = {}, responseTemplates = {}, contentHandling } = response;
  return {
    statusCode,
    ...(selectionPattern === undefined ? {} : { selectionPattern }),
    responseParameters,
    responseTemplates,
    ...(contentHandling === undefined ? {} : { contentHandling }),
  };
}
