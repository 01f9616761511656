import type { PublishedGatewayResponse } from "../execute-api/port.ts";
import type { AuthorizerRecord } from "./authorizer-record.ts";
import { apiGatewayLimits as limits } from "./limits.ts";
import type { ResourceRecord, RestApiRecord } from "./model.ts";

/** A data model: a JSON Schema of draft 4, by name. */
export interface ModelRecord {
  readonly id: string;
  readonly name: string;
  readonly description?: string;
  readonly schema: string;
  readonly contentType: string;
}

export interface RequestValidatorRecord {
  readonly id: string;
  readonly name?: string;
  readonly validateRequestBody: boolean;
  readonly validateRequestParameters: boolean;
  /** By which whoever asked for it finds it again. */
  readonly creationToken?: string;
}

export interface DocumentationLocation {
  readonly type: DocumentationType;
  readonly path?: string;
  readonly method?: string;
  readonly statusCode?: string;
  readonly name?: string;
}

export type DocumentationType =
  | "API"
  | "AUTHORIZER"
  | "MODEL"
  | "RESOURCE"
  | "METHOD"
  | "PATH_PARAMETER"
  | "QUERY_PARAMETER"
  | "REQUEST_HEADER"
  | "REQUEST_BODY"
  | "RESPONSE"
  | "RESPONSE_HEADER"
  | "RESPONSE_BODY";

export interface DocumentationPartRecord {
  readonly id: string;
  readonly location: DocumentationLocation;
  /** JSON: an object of whatever describes the entity. */
  readonly properties: string;
}

/** A snapshot of all documentation parts, for stages and exports. */
export interface DocumentationVersionRecord {
  readonly version: string;
  readonly description?: string;
  readonly createdAt: number;
  readonly parts: readonly DocumentationPartRecord[];
}

/** What an API was when it was deployed, as exports tell it. */
export interface FrozenApiRecord {
  readonly deploymentId: string;
  readonly api: RestApiRecord;
  readonly resources: readonly ResourceRecord[];
  readonly models: readonly ModelRecord[];
  readonly validators: readonly RequestValidatorRecord[];
  readonly gatewayResponses: readonly PublishedGatewayResponse[];
  /** Absent in deployments from before they were kept. */
  readonly authorizers?: readonly AuthorizerRecord[];
}

/** Children of an API that say what it is like, rather than what it does. */
export interface DescribingChildren {
  readonly model: ModelRecord;
  readonly "request-validator": RequestValidatorRecord;
  readonly "documentation-part": DocumentationPartRecord;
  readonly "documentation-version": DocumentationVersionRecord;
  /** By deployment. */
  readonly "frozen-api": FrozenApiRecord;
}

export const describingChildrenMax: Readonly<Record<keyof DescribingChildren, number>> = {
  model: limits.modelsPerApiMax,
  "request-validator": limits.requestValidatorsPerApiMax,
  "documentation-part": limits.documentationPartsPerApiMax,
  "documentation-version": limits.documentationVersionsPerApiMax,
  "frozen-api": limits.deploymentsPerApiMax,
};

/** How `NotFoundException` names a kind. */
export const describingSpoken: Readonly<Record<keyof DescribingChildren, string>> = {
  model: "model",
  "request-validator": "Request Validator",
  "documentation-part": "Documentation part",
  "documentation-version": "Documentation version",
  "frozen-api": "Deployment",
};
