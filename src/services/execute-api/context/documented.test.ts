import { expect, test } from "vitest";
import { restVariableNames } from "./rest-context.ts";
import { webSocketVariableNames } from "./websocket-context.ts";

/** What an authorizer names itself, and what a signer's identity has, comes on top of the tables. */
const documented = {
  /** "Variables for data transformations for API Gateway": what there is here; the rest is empty as where there is no firewall, VPC or identity pool. */
  rest: [
    "accountId apiId authorizer.principalId awsEndpointRequestId deploymentId domainName domainPrefix error.message",
    "error.messageString error.responseType error.validationErrorString extendedRequestId httpMethod identity.accountId",
    "identity.apiKey identity.apiKeyId identity.caller identity.clientCert.clientCertPem identity.clientCert.issuerDN",
    "identity.clientCert.serialNumber identity.clientCert.subjectDN identity.clientCert.validity.notAfter",
    "identity.clientCert.validity.notBefore identity.sourceIp identity.user identity.userAgent identity.userArn",
    "isCanaryRequest path protocol requestId requestTime requestTimeEpoch resourceId resourcePath stage",
  ],
  /** "WebSocket API mapping template reference for API Gateway". */
  webSocket: [
    "apiId connectedAt connectionId domainName error.messageString error.validationErrorString eventType extendedRequestId",
    "identity.apiKey identity.apiKeyId identity.sourceIp identity.userAgent messageId requestId requestTime",
    "requestTimeEpoch routeKey stage status",
  ],
};
const namesOf = (lines: readonly string[]) => lines.flatMap((line) => line.split(" "));

test("REST APIs have every documented variable of templates", () => {
  expect(namesOf(documented.rest).filter((name) => !restVariableNames.includes(name))).toEqual([]);
});

test("WebSocket APIs have every documented variable of templates", () => {
  expect(namesOf(documented.webSocket).filter((name) => !webSocketVariableNames.includes(name))).toEqual([]);
});
