import type { AuthorizationRequest } from "../../access/authorization.ts";
import type { Principal } from "../../aws/principal.ts";

/** What other services may ask of IAM. */
export interface IamPort {
  /**
   * Take on a role for a service of the platform: the role's trust policy must allow `sts:AssumeRole` to `service`.
   * Throws AccessDenied when it does not, or when there is no such role.
   */
  assumeRole(request: {
    readonly roleArn: string;
    readonly service: string;
    readonly sessionName: string;
    readonly sourceArn?: string;
  }): Promise<Extract<Principal, { type: "assumedRole" }>>;
  /** Temporary credentials, verifiable on every node, for a principal that was assumed. */
  issueCredentials(
    principal: Extract<Principal, { type: "assumedRole" }>,
    durationSeconds: number,
  ): {
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
    readonly sessionToken: string;
    readonly expiresAt: number;
  };
  /** A role as STS needs it; undefined when there is none of exactly this ARN. */
  findRole(roleArn: string): Promise<AssumableRole | undefined>;
  /** The account's OIDC provider of this issuer; undefined when there is none. */
  findOidcProvider(account: string, issuer: string): Promise<TrustedProvider | undefined>;
  /** Whether the user's MFA device shows this code now. A code is taken once. */
  takeMfaCode(asked: {
    readonly account: string;
    readonly userId: string;
    readonly serialNumber: string;
    readonly code: string;
  }): Promise<boolean>;
  /** The account of a user's access key; undefined when there is no such key. */
  findKeyAccount(accessKeyId: string): Promise<string | undefined>;
  /** The `iam:PassRole` question, with `iam:PassedToService` set: for `call.authorize`. */
  passRole(roleArn: string, service: string): AuthorizationRequest;
}

export interface AssumableRole {
  readonly roleArn: string;
  readonly roleId: string;
  readonly roleName: string;
  /** A JSON document: the role's resource policy. */
  readonly trustPolicy: string;
  readonly maxSessionSeconds: number;
  readonly tags: Readonly<Record<string, string>>;
}

export interface TrustedProvider {
  readonly arn: string;
  /** Audiences that its tokens may be for. */
  readonly clientIds: readonly string[];
}
