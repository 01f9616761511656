import type { ConditionKeys } from "../../access/further-keys.ts";
import type { WebIdentity } from "../../aws/principal.ts";
import type { Call } from "../../wire/service.ts";

/** What other services may ask of STS. */
export interface StsPort {
  /**
   * Assume a role for whoever a token was verified of; the role's trust policy decides, by the identity's condition keys.
   * Throws AccessDenied (`Not authorized to perform sts:AssumeRoleWithWebIdentity`) where it does not allow it.
   */
  assumeRoleWithWebIdentity(
    request: {
      readonly roleArn: string;
      readonly sessionName: string;
      readonly identity: WebIdentity;
      readonly durationSeconds?: number;
      /** A session policy, a JSON document. */
      readonly policy?: string;
      readonly policyArns?: readonly string[];
      /** Session tags: the trust policy must allow `sts:TagSession` too. */
      readonly tags?: Readonly<Record<string, string>>;
      readonly transitiveTagKeys?: readonly string[];
      readonly sourceIdentity?: string;
      /** Condition keys for the trust policy alone, beside the identity's. */
      readonly context?: ConditionKeys;
    },
    call: Pick<Call, "now" | "region" | "http">,
  ): Promise<WebIdentitySession>;
}

interface WebIdentitySession {
  readonly assumedRoleId: string;
  /** `arn:aws:sts::ACCOUNT:assumed-role/NAME/SESSION` */
  readonly arn: string;
  readonly packedPercent: number;
  readonly credentials: {
    readonly AccessKeyId: string;
    readonly SecretAccessKey: string;
    readonly SessionToken: string;
    readonly Expiration: Date;
  };
}
