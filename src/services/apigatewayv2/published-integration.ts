import type { PublishedRoute } from "../execute-api/port.ts";
import type { IntegrationRecord } from "./model.ts";

/** An integration as stages answer with it. */
export function publishedIntegration(integration: IntegrationRecord): PublishedRoute["integration"] {
  const { uri, timeoutMs, credentials, serverName, subtype } = integration;
  const mapped = {
    ...(integration.requestParameters === undefined ? {} : { requestParameters: integration.requestParameters }),
    ...(integration.responseParameters === undefined ? {} : { responseParameters: integration.responseParameters }),
  };
  if (integration.type === "HTTP_PROXY") {
    const httpMethod = integration.method ?? "ANY";
    return {
      type: "HTTP_PROXY",
      uri,
      httpMethod,
      timeoutMs,
      ...(serverName === undefined ? {} : { serverName }),
      ...mapped,
    };
  }
  if (subtype !== undefined)
    return { type: "AWS_PROXY", subtype, credentials: credentials ?? "", timeoutMs, ...mapped };
  const asCaller = credentials !== undefined && /^arn:[\w-]+:iam::\*:user\/\*$/.test(credentials);
  return {
    type: "AWS_PROXY",
    uri,
    payloadFormatVersion: integration.payloadFormatVersion,
    timeoutMs,
    ...(asCaller ? { asCaller } : credentials === undefined ? {} : { credentials }),
    ...mapped,
  };
}
