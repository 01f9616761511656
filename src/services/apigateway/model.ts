import type { Key, Reader, Transaction } from "../../kernel/store/store.ts";
import type { Call } from "../../wire/service.ts";
import type { PublishedGatewayResponse, PublishedMethod, PublishedRestAuthorizer } from "../execute-api/port.ts";
import type { AuthorizerRecord } from "./authorizer-record.ts";
import { apiNotFound, childNotFound } from "./errors.ts";
import { apiGatewayLimits as limits } from "./limits.ts";
import type { AccessLogRecord } from "./stage-logging.ts";
import { type DescribingChildren, describingChildrenMax, describingSpoken } from "./records.ts";

/** Where an API lives: state is per account and region. */
export type Place = Pick<Call, "account" | "region">;

export interface RestApiRecord {
  readonly version: 1;
  readonly id: string;
  readonly name: string;
  readonly description?: string;
  /** The API's own version, as its owner counts. */
  readonly apiVersion?: string;
  readonly createdAt: number;
  readonly binaryMediaTypes: readonly string[];
  readonly apiKeySource: "HEADER" | "AUTHORIZER";
  readonly endpointType: "EDGE" | "REGIONAL";
  readonly ipAddressType: "ipv4" | "dualstack";
  readonly disableExecuteApiEndpoint: boolean;
  /** Absent: payloads are not compressed. */
  readonly minimumCompressionSize?: number;
  readonly rootResourceId: string;
  /** The resource policy: a JSON document. */
  readonly policy?: string;
  readonly tags: Readonly<Record<string, string>>;
}

export interface ResourceRecord {
  readonly id: string;
  /** Absent at the root. */
  readonly parentId?: string;
  readonly pathPart?: string;
  readonly path: string;
  readonly methods: Readonly<Record<string, MethodRecord>>;
}

export interface MethodRecord {
  readonly httpMethod: string;
  readonly authorizationType: "NONE" | "AWS_IAM" | "CUSTOM" | "COGNITO_USER_POOLS";
  readonly authorizerId?: string;
  readonly authorizationScopes?: readonly string[];
  readonly apiKeyRequired?: boolean;
  readonly operationName?: string;
  readonly requestParameters?: Readonly<Record<string, boolean>>;
  /** Names of models by content type. */
  readonly requestModels?: Readonly<Record<string, string>>;
  readonly requestValidatorId?: string;
  readonly methodResponses?: Readonly<Record<string, MethodResponseRecord>>;
  readonly integration?: IntegrationRecord;
}

export interface MethodResponseRecord {
  readonly statusCode: string;
  readonly responseParameters?: Readonly<Record<string, boolean>>;
  /** Names of models by content type. */
  readonly responseModels?: Readonly<Record<string, string>>;
}

export interface IntegrationRecord {
  readonly type: "AWS" | "AWS_PROXY" | "HTTP" | "HTTP_PROXY" | "MOCK";
  /** Always given, but with MOCK. */
  readonly uri?: string;
  /** Of the endpoint: always given, but with MOCK and in records of functions from before it was kept. */
  readonly httpMethod?: string;
  /** A role, or `arn:aws:iam::*:user/*`: whoever called the API. */
  readonly credentials?: string;
  readonly connectionType?: "INTERNET";
  readonly requestParameters?: Readonly<Record<string, string>>;
  readonly requestTemplates?: Readonly<Record<string, string>>;
  readonly passthroughBehavior: "WHEN_NO_MATCH" | "WHEN_NO_TEMPLATES" | "NEVER";
  readonly contentHandling?: "CONVERT_TO_TEXT" | "CONVERT_TO_BINARY";
  readonly timeoutMs: number;
  /** Default: the resource's identifier. */
  readonly cacheNamespace?: string;
  readonly cacheKeyParameters?: readonly string[];
  readonly insecureSkipVerification?: boolean;
  readonly responseTransferMode?: "BUFFERED" | "STREAM";
  readonly responses: Readonly<Record<string, IntegrationResponseRecord>>;
}

export interface IntegrationResponseRecord {
  readonly statusCode: string;
  readonly selectionPattern?: string;
  readonly responseParameters?: Readonly<Record<string, string>>;
  readonly responseTemplates?: Readonly<Record<string, string>>;
  readonly contentHandling?: "CONVERT_TO_TEXT" | "CONVERT_TO_BINARY";
}

/** What a deployment froze: later changes of the API do not reach it. */
export interface DeploymentRecord {
  readonly id: string;
  readonly description?: string;
  readonly createdAt: number;
  /** By which whoever asked for it finds it again. */
  readonly creationToken?: string;
  readonly snapshot: {
    /** Absent in deployments from before it was kept. */
    readonly apiName?: string;
    /** Absent for the header `x-api-key`. */
    readonly apiKeySource?: "HEADER" | "AUTHORIZER";
    readonly binaryMediaTypes: readonly string[];
    readonly disableExecuteApiEndpoint: boolean;
    /** Absent in deployments from before it was kept. */
    readonly endpointType?: "EDGE" | "REGIONAL";
    readonly gatewayResponses: readonly PublishedGatewayResponse[];
    readonly methods: readonly PublishedMethod[];
    readonly models?: Readonly<Record<string, string>>;
    readonly authorizers?: readonly PublishedRestAuthorizer[];
    readonly policy?: string;
    readonly minimumCompressionSize?: number;
  };
}

export interface StageRecord {
  readonly stageName: string;
  readonly deploymentId: string;
  readonly description?: string;
  readonly variables: Readonly<Record<string, string>>;
  readonly documentationVersion?: string;
  readonly clientCertificateId?: string;
  /** By path without its first slash, `/` and method; `*` as both for all others. */
  readonly methodSettings?: Readonly<Record<string, MethodSettingsRecord>>;
  readonly accessLog?: AccessLogRecord;
  readonly cacheCluster?: StageCacheRecord;
  readonly canary?: StageCanaryRecord;
  /** When what its authorizers said was last flushed. */
  readonly authorizersFlushedAt?: number;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly tags: Readonly<Record<string, string>>;
}

/** What AWS tells of a method's settings: all of them, once one is set. */
export interface MethodSettingsRecord {
  readonly throttlingBurstLimit: number;
  readonly throttlingRateLimit: number;
  readonly cachingEnabled: boolean;
  readonly cacheTtlInSeconds: number;
  readonly cacheDataEncrypted: boolean;
  readonly requireAuthorizationForCacheControl: boolean;
  readonly unauthorizedCacheControlHeaderStrategy:
    "FAIL_WITH_403" | "SUCCEED_WITH_RESPONSE_HEADER" | "SUCCEED_WITHOUT_RESPONSE_HEADER";
  readonly metricsEnabled: boolean;
  readonly loggingLevel: "OFF" | "ERROR" | "INFO";
  readonly dataTraceEnabled: boolean;
}

export interface StageCacheRecord {
  readonly enabled: boolean;
  /** GB, as AWS writes it. */
  readonly size?: string;
  /** Another one after each flush. */
  readonly generation: string;
}

export interface StageCanaryRecord {
  readonly percentTraffic: number;
  readonly deploymentId: string;
  readonly stageVariableOverrides: Readonly<Record<string, string>>;
  readonly useStageCache: boolean;
}

interface Children extends DescribingChildren {
  readonly resource: ResourceRecord;
  readonly deployment: DeploymentRecord;
  readonly stage: StageRecord;
  readonly authorizer: AuthorizerRecord;
  readonly "gateway-response": PublishedGatewayResponse;
}

export type ChildKind = keyof Children;

const childrenMax: Readonly<Record<ChildKind, number>> = {
  resource: limits.resourcesPerApiMax,
  deployment: limits.deploymentsPerApiMax,
  stage: limits.stagesPerApiMax,
  authorizer: limits.authorizersPerApiMax,
  "gateway-response": limits.gatewayResponsesMax,
  ...describingChildrenMax,
};

/** How `NotFoundException` names a kind. */
const spoken: Readonly<Record<ChildKind, string>> = {
  resource: "Resource",
  deployment: "Deployment",
  stage: "stage",
  authorizer: "Authorizer",
  "gateway-response": "GatewayResponse",
  ...describingSpoken,
};

export async function listApis(reader: Reader, place: Place): Promise<RestApiRecord[]> {
  const entries = await reader.range<RestApiRecord>({ prefix: apiPrefix(place) }, { limit: limits.apisPerRegionMax });
  return entries.map((entry) => entry.value);
}

/** Throws NotFoundException. */
export async function readApi(reader: Reader, place: Place, apiId: string | undefined): Promise<RestApiRecord> {
  const api = apiId ? await reader.get<RestApiRecord>([...apiPrefix(place), apiId]) : undefined;
  if (api === undefined) throw apiNotFound(place.account, apiId ?? "");
  return api;
}

export function writeApi(tx: Transaction, place: Place, api: RestApiRecord): void {
  tx.set([...apiPrefix(place), api.id], api);
}

export function deleteApiRecord(tx: Transaction, place: Place, apiId: string): void {
  tx.delete([...apiPrefix(place), apiId]);
}

export async function listChildren<K extends ChildKind>(
  reader: Reader,
  place: Place,
  apiId: string,
  kind: K,
): Promise<Children[K][]> {
  const range = { prefix: childPrefix(place, apiId, kind) };
  const entries = await reader.range<Children[K]>(range, { limit: childrenMax[kind] });
  return entries.map((entry) => entry.value);
}

export function findChild<K extends ChildKind>(
  reader: Reader,
  place: Place,
  apiId: string,
  kind: K,
  id: string | undefined,
): Promise<Children[K] | undefined> {
  return reader.get<Children[K]>([...childPrefix(place, apiId, kind), id ?? ""]);
}

/** Throws NotFoundException, for the API too. */
export async function readChild<K extends ChildKind>(
  reader: Reader,
  place: Place,
  apiId: string | undefined,
  kind: K,
  id: string | undefined,
): Promise<Children[K]> {
  const api = await readApi(reader, place, apiId);
  const child = await findChild(reader, place, api.id, kind, id);
  if (child === undefined) throw childNotFound(spoken[kind]);
  return child;
}

export function writeChild<K extends ChildKind>(
  tx: Transaction,
  place: Place,
  apiId: string,
  kind: K,
  id: string,
  child: Children[K],
): void {
  tx.set([...childPrefix(place, apiId, kind), id], child);
}

export function deleteChild(tx: Transaction, place: Place, apiId: string, kind: ChildKind, id: string): void {
  tx.delete([...childPrefix(place, apiId, kind), id]);
}

/** Everything that an API has, of whatever kind, is deleted. */
export async function deleteChildren(tx: Transaction, place: Place, apiId: string): Promise<void> {
  for (const [kind, limit] of Object.entries(childrenMax)) {
    const entries = await tx.range({ prefix: childPrefix(place, apiId, kind) }, { limit });
    for (const entry of entries) tx.delete(entry.key);
  }
}

/** The role API Gateway may write logs with, per account and region. */
export function accountKey({ account, region }: Place): Key {
  return ["apigateway", account, region, "account"];
}

function apiPrefix({ account, region }: Place): Key {
  return ["apigateway", account, region, "api"];
}

function childPrefix({ account, region }: Place, apiId: string, kind: string): Key {
  return ["apigateway", account, region, kind, apiId];
}
