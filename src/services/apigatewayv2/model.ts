import type { Key, Reader, Transaction } from "../../kernel/store/store.ts";
import type { Call } from "../../wire/service.ts";
import type {
  PublishedClientCertificate,
  PublishedCors,
  PublishedHttpAuthorizer,
  PublishedRoute,
  PublishedWebSocketStage,
} from "../execute-api/port.ts";
import type { AuthorizerRecord } from "./authorizer-record.ts";
import type { AccessLogRecord } from "./access-log.ts";
import { apiNotFound } from "./errors.ts";
import { apiGatewayV2Limits as limits } from "./limits.ts";
import type { Made } from "../../wire/made.ts";
import type {
  IntegrationResponseRecord,
  ModelRecord,
  WebSocketIntegrationRecord,
  WebSocketRouteRecord,
  WebSocketSettings,
} from "./websocket/records.ts";

/** Where an API lives: state is per account and region. */
export type Place = Pick<Call, "account" | "region">;

export interface ApiRecord {
  readonly version: 1;
  readonly apiId: string;
  readonly name: string;
  readonly description?: string;
  /** The API's own version, as its owner counts. */
  readonly apiVersion?: string;
  readonly createdAt: number;
  readonly disableExecuteApiEndpoint: boolean;
  readonly ipAddressType: "ipv4" | "dualstack";
  readonly cors?: PublishedCors;
  readonly tags: Readonly<Record<string, string>>;
  /** The API is a WebSocket API; else it is an HTTP API. */
  readonly webSocket?: WebSocketSettings;
}

export interface RouteRecord extends Made {
  readonly routeId: string;
  readonly routeKey: string;
  readonly authorizationType: "NONE" | "AWS_IAM" | "CUSTOM" | "JWT";
  readonly authorizerId?: string;
  readonly authorizationScopes?: readonly string[];
  readonly operationName?: string;
  readonly integrationId?: string;
  /** Made by quick create. */
  readonly managed: boolean;
}

export interface IntegrationRecord extends Made {
  readonly integrationId: string;
  /** Absent in records of functions from before there were others. */
  readonly type?: "AWS_PROXY" | "HTTP_PROXY";
  /** Empty with a subtype. */
  readonly uri: string;
  /** Of an HTTP endpoint: `GET` … or `ANY`. */
  readonly method?: string;
  /** `SQS-SendMessage` … */
  readonly subtype?: string;
  readonly credentials?: string;
  /** The name that the endpoint's certificate must have, instead of the host's. */
  readonly serverName?: string;
  readonly requestParameters?: Readonly<Record<string, string>>;
  readonly responseParameters?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly payloadFormatVersion: "1.0" | "2.0";
  readonly timeoutMs: number;
  readonly description?: string;
  readonly managed: boolean;
}

/** What a deployment froze. */
export interface ApiSnapshot {
  readonly cors?: PublishedCors;
  readonly disableExecuteApiEndpoint: boolean;
  readonly routes: readonly PublishedRoute[];
  readonly authorizers?: readonly PublishedHttpAuthorizer[];
  /** Of a WebSocket API, which has no other routes. */
  readonly webSocket?: Pick<
    PublishedWebSocketStage,
    "routeSelectionExpression" | "apiKeySource" | "routes" | "authorizers" | "models"
  >;
}

/** An HTTP API as it was, with all that a definition of it has. */
export interface FrozenDefinition {
  readonly api: ApiRecord;
  readonly routes: readonly RouteRecord[];
  readonly integrations: readonly IntegrationRecord[];
  readonly authorizers: readonly AuthorizerRecord[];
}

export interface DeploymentRecord extends Made {
  readonly deploymentId: string;
  readonly description?: string;
  readonly createdAt: number;
  readonly autoDeployed: boolean;
  readonly snapshot: ApiSnapshot;
  /** What exports tell of it; absent where the stage follows its API, and in deployments from before it was kept. */
  readonly definition?: FrozenDefinition;
}

export interface StageRecord extends Made {
  readonly stageName: string;
  readonly description?: string;
  readonly autoDeploy: boolean;
  readonly deploymentId?: string;
  readonly variables: Readonly<Record<string, string>>;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly statusMessage?: string;
  readonly accessLog?: AccessLogRecord;
  /** Of a WebSocket API. Certificates do not change: this is what endpoints are shown. */
  readonly clientCertificate?: PublishedClientCertificate & { readonly id: string };
  readonly defaultRouteSettings?: RouteSettingsRecord;
  /** By route key. */
  readonly routeSettings?: Readonly<Record<string, RouteSettingsRecord>>;
  /** When what its authorizers said was last flushed. */
  readonly authorizersFlushedAt?: number;
  readonly tags: Readonly<Record<string, string>>;
  readonly managed: boolean;
}

/** How a stage treats a route; absent members are not set. */
export interface RouteSettingsRecord {
  readonly detailedMetricsEnabled?: boolean;
  readonly throttlingBurstLimit?: number;
  readonly throttlingRateLimit?: number;
  /** Of WebSocket APIs; off where it is absent. */
  readonly loggingLevel?: "ERROR" | "INFO" | "OFF";
  readonly dataTraceEnabled?: boolean;
}

interface Children {
  readonly webSocketRoute: WebSocketRouteRecord;
  readonly webSocketIntegration: WebSocketIntegrationRecord;
  readonly integrationResponse: IntegrationResponseRecord;
  readonly route: RouteRecord;
  readonly integration: IntegrationRecord;
  readonly deployment: DeploymentRecord;
  readonly stage: StageRecord;
  readonly authorizer: AuthorizerRecord;
  readonly model: ModelRecord;
}

export type ChildKind = keyof Children;

/** What an API has of a kind. */
export type Child<K extends ChildKind> = Children[K];

const childrenMax: Readonly<Record<ChildKind, number>> = {
  route: limits.routesPerApiMax,
  webSocketRoute: limits.routesPerApiMax,
  webSocketIntegration: limits.integrationsPerApiMax,
  integrationResponse: limits.integrationResponsesPerApiMax,
  integration: limits.integrationsPerApiMax,
  deployment: limits.deploymentsPerApiMax + limits.stagesPerApiMax,
  stage: limits.stagesPerApiMax,
  authorizer: limits.authorizersPerApiMax,
  model: limits.modelsPerApiMax,
};

export async function listApis(reader: Reader, place: Place): Promise<ApiRecord[]> {
  const entries = await reader.range<ApiRecord>({ prefix: apiPrefix(place) }, { limit: limits.apisPerRegionMax });
  return entries.map((entry) => entry.value);
}

/** Throws NotFoundException. */
export async function readApi(reader: Reader, place: Place, apiId: string): Promise<ApiRecord> {
  const api = await reader.get<ApiRecord>([...apiPrefix(place), apiId]);
  if (api === undefined) throw apiNotFound(place.account, apiId);
  return api;
}

export function writeApi(tx: Transaction, place: Place, api: ApiRecord): void {
  tx.set([...apiPrefix(place), api.apiId], api);
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
  const entries = await reader.range<Children[K]>(
    { prefix: childPrefix(place, apiId, kind) },
    { limit: childrenMax[kind] },
  );
  return entries.map((entry) => entry.value);
}

export function findChild<K extends ChildKind>(
  reader: Reader,
  place: Place,
  apiId: string,
  kind: K,
  id: string,
): Promise<Children[K] | undefined> {
  return reader.get<Children[K]>([...childPrefix(place, apiId, kind), id]);
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

function apiPrefix({ account, region }: Place): Key {
  return ["apigatewayv2", account, region, "api"];
}

function childPrefix({ account, region }: Place, apiId: string, kind: ChildKind): Key {
  return ["apigatewayv2", account, region, kind, apiId];
}
