import type { Principal } from "../../../aws/principal.ts";
import { identityOf, unknownIdentity, type EventIdentity } from "../../../proxy/caller-identity.ts";
import { sourceIp } from "../../../proxy/client-address.ts";
import type { Exchange } from "../../../proxy/exchange.ts";
import { quote } from "../../../proxy/json-text.ts";
import type { PublishedStage } from "../port.ts";
import { domainNameOf } from "../stage-needs.ts";
import type { StageNeeds } from "../stage-needs.ts";
import type { RequestFacts } from "./request-facts.ts";

/** What `$context` of REST and HTTP APIs is read from. */
export interface ContextSource extends RequestFacts {
  readonly stage: { readonly needs: StageNeeds; readonly published: PublishedStage };
  readonly exchange: Exchange;
  readonly caller: Principal | undefined;
}

export type Variables<Source> = Readonly<Record<string, (request: Source) => unknown>>;

/** How a signature was verified and `execute-api:Invoke` evaluated: of REST and WebSocket APIs. */
export const accessVariables: Variables<RequestFacts> = {
  "authenticate.error": ({ access }) => access?.authenticate?.error,
  "authenticate.latency": ({ access }) => access?.authenticate?.latencyMs,
  "authenticate.status": ({ access }) => access?.authenticate?.status,
  "authorize.error": ({ access }) => access?.authorize?.error,
  "authorize.latency": ({ access }) => access?.authorize?.latencyMs,
  "authorize.status": ({ access }) => access?.authorize?.status,
};

/** Variables of what was found out on the way, which all kinds of APIs have. */
export const factVariables: Variables<RequestFacts> = {
  "authorizer.error": ({ access }) => access?.authorizer?.error,
  "authorizer.integrationLatency": ({ access }) => access?.authorizer?.integrationLatencyMs,
  "authorizer.integrationStatus": ({ access }) => access?.authorizer?.integrationStatus,
  "authorizer.latency": ({ access }) => access?.authorizer?.latencyMs,
  "authorizer.requestId": ({ access }) => access?.authorizer?.requestId,
  "authorizer.status": ({ access }) => access?.authorizer?.status,
  awsEndpointRequestId: ({ integration }) => integration?.requestId,
  "error.message": ({ failure }) => failure?.message,
  "error.messageString": ({ failure }) =>
    failure === undefined ? undefined : failure.message === null ? null : quote(failure.message),
  "error.responseType": ({ failure }) => failure?.type,
  "error.validationErrorString": ({ failure }) => failure?.validationError,
  "integration.error": ({ integration }) => integration?.error,
  "integration.integrationStatus": ({ integration }) => integration?.integrationStatus ?? integration?.status,
  "integration.latency": ({ integration }) => integration?.latencyMs,
  "integration.requestId": ({ integration }) => integration?.requestId,
  "integration.status": ({ integration }) => integration?.status,
  integrationErrorMessage: ({ integration }) => integration?.error,
  integrationLatency: ({ integration }) => integration?.latencyMs,
  integrationStatus: ({ integration }) => integration?.integrationStatus ?? integration?.status,
  responseLatency: ({ answered }) => answered?.latencyMs,
  responseLength: ({ answered }) => answered?.bytes,
  status: ({ answered }) => answered?.status,
};

/** Variables that REST and HTTP APIs have in common, by name without `context.`. */
export const sharedVariables: Variables<ContextSource> = {
  ...factVariables,
  accountId: ({ stage }) => stage.published.account,
  apiId: ({ stage }) => stage.published.apiId,
  "authorizer.principalId": ({ authorizer }) => authorizer?.principalId,
  "customDomain.basePathMatched": ({ exchange }) => exchange.domain?.basePathMatched,
  domainName: domainName,
  domainPrefix: (request) => domainName(request).split(".", 1)[0],
  extendedRequestId: ({ exchange }) => exchange.extendedId,
  httpMethod: ({ exchange }) => exchange.method,
  "identity.accountId": (request) => identity(request).accountId ?? undefined,
  "identity.clientCert.clientCertPem": ({ exchange }) => exchange.domain?.clientCertificate?.clientCertPem,
  "identity.clientCert.issuerDN": ({ exchange }) => exchange.domain?.clientCertificate?.issuerDN,
  "identity.clientCert.serialNumber": ({ exchange }) => exchange.domain?.clientCertificate?.serialNumber,
  "identity.clientCert.subjectDN": ({ exchange }) => exchange.domain?.clientCertificate?.subjectDN,
  "identity.clientCert.validity.notAfter": ({ exchange }) => exchange.domain?.clientCertificate?.validity.notAfter,
  "identity.clientCert.validity.notBefore": ({ exchange }) => exchange.domain?.clientCertificate?.validity.notBefore,
  "identity.caller": (request) => identity(request).caller ?? undefined,
  "identity.sourceIp": ({ exchange }) => sourceIp(exchange.request),
  "identity.user": (request) => identity(request).user ?? undefined,
  "identity.userAgent": ({ exchange }) => exchange.headers.userAgent || undefined,
  "identity.userArn": (request) => identity(request).userArn ?? undefined,
  protocol: ({ exchange }) => `HTTP/${exchange.request.httpVersion}`,
  requestTime: ({ exchange, stage }) => stage.needs.identities.logTime(exchange.now),
  requestTimeEpoch: ({ exchange }) => exchange.now,
  stage: ({ stage }) => stage.published.stageName,
};

/**
 * Reads variables by name: those of the table, and the authorizer's own. What does not exist is undefined.
 *
 * AWS: `$context.authorizer.claims` itself is null; values of a REST API's authorizer are text (`text`).
 */
export function variableReader<Source extends ContextSource>(
  table: Variables<Source>,
  authorizerValue: (value: unknown) => unknown,
): (request: Source, name: string) => unknown {
  const variables = new Map(Object.entries(table));
  return (request, name) => {
    const read = variables.get(name);
    if (!name.startsWith(authorizerPrefix)) return read?.(request);
    const { authorizer } = request;
    if (name.startsWith(claimsPrefix)) return own(authorizer?.claims, name.slice(claimsPrefix.length));
    // What an authorizer returned goes before what access logs tell of it under the same name.
    const value = own(authorizer?.context, name.slice(authorizerPrefix.length));
    return value === undefined || value === null ? read?.(request) : authorizerValue(value);
  };
}

const authorizerPrefix = "authorizer.";
const claimsPrefix = "authorizer.claims.";

function own<T>(record: Readonly<Record<string, T>> | undefined, name: string): T | undefined {
  return record !== undefined && Object.hasOwn(record, name) ? record[name] : undefined;
}

function domainName({ exchange, stage }: ContextSource): string {
  return domainNameOf(stage.published, exchange);
}

function identity({ caller }: ContextSource): EventIdentity {
  return caller === undefined ? unknownIdentity : identityOf(caller);
}
