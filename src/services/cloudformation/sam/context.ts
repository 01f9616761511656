import type { Generated } from "./generated.ts";
import { resolveMappings, resolveParameters } from "./intrinsics.ts";
import type { Culprit } from "./problems.ts";
import type { Dict } from "./values.ts";

/** What the transform of one template knows and gathers. Nothing outlives the call. */
export interface Context {
  /** The template as Globals, implicit APIs and events have completed it. */
  readonly source: Dict;
  /** The resources of `source`: events write into the APIs and buckets they name. */
  readonly resources: Dict;
  /** The template that is handed back; generated resources replace what they come from. */
  readonly output: Dict;
  readonly parameters: Dict;
  readonly mappings: Dict;
  readonly region: string;
  readonly partition: string;
  /** Names of managed policies to their ARNs. */
  readonly managedPolicies: Readonly<Record<string, string>>;
  /** Milliseconds since 1970: only `AlwaysDeploy` looks at it. */
  readonly now: number;
  readonly recordSetGroups: Map<string, Generated>;
  readonly sharedUsagePlan: SharedUsagePlan;
  readonly deployments: Map<string, Deployment>;
  /** Names of functions that name themselves, by the REST API that their events name. */
  readonly functionNames: Map<string, string>;
}

/** The usage plan of all APIs that say `CreateUsagePlan: SHARED`. */
export interface SharedUsagePlan {
  readonly apis: string[];
  readonly planStages: Dict[];
  readonly keyStages: Dict[];
  readonly conditions: Set<string>;
  someUnconditional: boolean;
  deletionPolicy: unknown;
  updateReplacePolicy: unknown;
}

/** A function's deployment preference. */
export interface Deployment {
  readonly type: unknown;
  readonly alarms: unknown;
  readonly role: unknown;
  readonly triggers: unknown;
  readonly preTraffic: unknown;
  readonly postTraffic: unknown;
  readonly condition: string | undefined;
  readonly tags: Dict | undefined;
}

export function resolve(context: Context, value: unknown): unknown {
  return resolveParameters(value, context.parameters);
}

export function resolveWithMappings(context: Context, value: unknown): unknown {
  return resolveMappings(resolve(context, value), context.mappings);
}

/** A SAM resource whose properties have been checked. */
export interface SamResource {
  readonly id: string;
  readonly type: string;
  readonly resource: Dict;
  readonly properties: Dict;
  /** Its own attributes, and those that everything generated inherits. */
  readonly attributes: Dict;
  readonly inherited: Dict;
  readonly culprit: Culprit;
}
