import type { ClientOf } from "../../wire/service.ts";

/**
 * A CloudFormation resource type, implemented by the slice that owns the resource, as a client of the slice's own
 * operations. Property names, requiredness and update behaviour come from AWS's resource specification (generated
 * tables); `properties` lists those that act. Any other property of the type is refused by name before anything is
 * created.
 */
export interface ResourceType {
  /** `AWS::Lambda::Function` */
  readonly type: string;
  /**
   * Every property that acts, top level; nested ones as `Code.S3Bucket`, list items as `Tags[].Key`, members of maps as
   * `RouteSettings.*.ThrottlingRateLimit`. `Code.*`, and `Code` when nothing below it is listed, admit a whole subtree.
   */
  readonly properties: readonly string[];
  /** Attributes that `Fn::GetAtt` may read: `*` for any, `Outputs.*` for any below. */
  readonly attributes: readonly string[];
  /**
   * Make it. When it throws, nothing may be left behind. The error's message is what the stack's events say. Runs again
   * with the same names and token (`resumed`) when the process died before the outcome was recorded.
   */
  create(context: ResourceContext): Promise<ResourceState>;
  /** An update that gives another physical id has replaced the resource: the former one is deleted, or is what is gone back to. */
  readonly replacesByUpdate?: true;
  /**
   * Change in place; called only when no changed property requires replacement. `undefined` in the spec table means
   * that the type is always replaced.
   */
  update(
    context: ResourceContext & { readonly previous: Properties; readonly state: ResourceState },
  ): Promise<ResourceState>;
  /** Remove. The resource being gone already is success. */
  delete(context: ResourceContext & { readonly state: ResourceState }): Promise<void>;
}

export type Properties = Readonly<Record<string, unknown>>;

/** What a resource has become. */
export interface ResourceState {
  /** What `Ref` gives, and the physical resource id. */
  readonly physicalId: string;
  /** Resolved when created: `{ Arn: "…" }`. Names may be dotted. */
  readonly attributes: Readonly<Record<string, unknown>>;
  /** The attributes are not to be shown. */
  readonly noEcho?: boolean;
}

export interface ResourceContext {
  readonly stackName: string;
  readonly stackId: string;
  readonly logicalId: string;
  /** As the template names it: of custom resources, what their author calls it. */
  readonly type: string;
  /**
   * Resolved: intrinsics evaluated, `AWS::NoValue` removed, and each value of the type that AWS's specification gives the
   * property (a number parameter's text has become a number where a number is due). Required ones are there.
   */
  readonly properties: Properties;
  readonly account: string;
  readonly region: string;
  /** The platform's address, as whoever deploys reached it: for URLs in attributes. */
  readonly endpoint?: string;
  /** `Stack tags` merged with `aws:cloudformation:*`: for types that take tags. */
  readonly tags: Readonly<Record<string, string>>;
  /** A physical name as CloudFormation makes them: `stack-LogicalId-1A2B3C4D5E6F`, at most `max` characters, stable for this resource incarnation. */
  generateName(max: number, style?: "as-is" | "lowercase"): string;
  /** A repeatable token for idempotent creates of this incarnation. */
  readonly clientToken: string;
  /**
   * True when this same step may have been carried out before, wholly or in part, by a process that died: a create that
   * finds the resource of its own name there takes it over instead of failing.
   */
  readonly resumed?: boolean;
  /** True when an update gives a resource back what it was before one that failed, or may have. */
  readonly restores?: boolean;
  /**
   * Operations of a service, as whoever deploys (the caller, or the stack's service role).
   *
   * @param creationToken `clientToken`, where an operation makes something without a name that must be made once
   */
  client<Sdk>(service: string, creationToken?: string): ClientOf<Sdk>;
  /** Wait; rejects when the operation is cancelled. */
  wait(ms: number): Promise<void>;
  readonly signal: AbortSignal;
}
