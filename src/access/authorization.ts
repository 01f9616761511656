import type { Principal } from "../aws/principal.ts";
import type { ConditionKeys } from "./further-keys.ts";

/** One question to the policy evaluator: may this principal do this to that? */
export interface AuthorizationRequest {
  /** `lambda:InvokeFunction` */
  readonly action: string;
  /** The resource's ARN, or `*` for actions that have none. */
  readonly resource: string;
  /** The account that owns the resource. Default: the call's account. */
  readonly resourceAccount?: string;
  /** The resource's own policy (a JSON document), where there is one. */
  readonly resourcePolicy?: string;
  /** What the resource's access control list allows, as a policy document: it counts beside the resource's own policy. */
  readonly accessControlList?: string;
  /** The resource's own policy must allow it, whatever identities' policies say: role trust policies, KMS keys. */
  readonly resourcePolicyRequired?: boolean;
  /** Condition keys beside the global ones, as `{ "s3:prefix": ["a/"] }`. Names are compared without case. */
  readonly context?: ConditionKeys;
  /** More of them, worked out only where a policy looks at such a key; `context` goes before. */
  readonly furtherContext?: () => ConditionKeys | Promise<ConditionKeys>;
}

/**
 * Decides, with default deny. Throws the AWS error for a denial, in AWS's words (`User: … is not authorized to perform: …`): at
 * once, where nothing had to be waited for.
 */
export interface Authorizer {
  authorize(principal: Principal, request: AuthorizationRequest, environment: RequestEnvironment): Promise<void> | void;
}

/** Where a request came from: the source of the global condition keys. */
export interface RequestEnvironment {
  readonly account: string;
  readonly region: string;
  readonly sourceIp: string;
  readonly secureTransport: boolean;
  readonly userAgent: string;
  /** Epoch milliseconds. */
  readonly now: number;
  /** What the request is looked up by when somebody asks why it was denied. */
  readonly requestId?: string;
  /** Another id of the same request, where clients may have been told this one. */
  readonly extendedRequestId?: string;
  /** The `Referer` header, where there is one. */
  readonly referer?: string;
  /** The services that ask with the caller's own permissions, the first of them first: `cloudformation.amazonaws.com`. */
  readonly calledVia?: readonly string[];
  /** The service that answers: a denial is told in its dialect, whatever service's action was asked for. Default: the action's. */
  readonly service?: string;
}
