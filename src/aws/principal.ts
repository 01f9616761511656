/** Who makes a call. Established by a signature, or by the platform for its own services. */
export type Principal =
  /** The account's root: may do everything in its account. */
  | {
      readonly type: "root";
      readonly account: string;
      readonly arn: string;
      readonly accessKeyId: string;
      readonly tokenIssuedAt?: number;
      readonly mfaAt?: number;
    }
  | {
      readonly type: "user";
      readonly account: string;
      /** `arn:aws:iam::ACCOUNT:user/path/NAME` */
      readonly arn: string;
      readonly userId: string;
      readonly userName: string;
      readonly accessKeyId: string;
      /** Of temporary credentials: when they were issued, epoch milliseconds (`aws:TokenIssueTime`). */
      readonly tokenIssuedAt?: number;
      /** Of temporary credentials that a code of an MFA device was shown for: when, epoch milliseconds. */
      readonly mfaAt?: number;
    }
  | {
      readonly type: "assumedRole";
      readonly account: string;
      /** `arn:aws:sts::ACCOUNT:assumed-role/NAME/SESSION` */
      readonly arn: string;
      /** `arn:aws:iam::ACCOUNT:role/path/NAME` */
      readonly roleArn: string;
      readonly roleId: string;
      readonly sessionName: string;
      readonly accessKeyId: string;
      /** Session policies that narrow the role, JSON documents and ARNs of managed policies; empty when there are none. */
      readonly sessionPolicies: readonly string[];
      readonly sessionTags: Readonly<Record<string, string>>;
      readonly tokenIssuedAt?: number;
      /** When whoever assumed the role had shown a code of an MFA device, epoch milliseconds. */
      readonly mfaAt?: number;
      /** `aws:SourceIdentity`: set once, and carried over to roles that are assumed from this one. */
      readonly sourceIdentity?: string;
      /** Keys of session tags that are carried over to roles assumed from this one. */
      readonly transitiveTagKeys?: readonly string[];
      /** Of a role that was assumed with a token: who vouched for it. */
      readonly webIdentity?: WebIdentity;
    }
  /** A session of GetFederationToken: may do what both its policies and its user's (or the root) allow. */
  | {
      readonly type: "federatedUser";
      readonly account: string;
      /** `arn:aws:sts::ACCOUNT:federated-user/NAME` */
      readonly arn: string;
      readonly name: string;
      /** Whose key asked for the session. */
      readonly issuer:
        | { readonly type: "root"; readonly arn: string }
        | { readonly type: "user"; readonly arn: string; readonly userId: string; readonly userName: string };
      readonly accessKeyId: string;
      /** Without any it may do only what resources' policies allow to it. */
      readonly sessionPolicies: readonly string[];
      readonly sessionTags: Readonly<Record<string, string>>;
      readonly tokenIssuedAt?: number;
    }
  /** Whoever holds a verified token and has no credentials yet. Only a role's trust policy can allow it, to assume the role. */
  | ({ readonly type: "webIdentity" } & WebIdentity)
  /** A service of the platform acting on a resource's behalf, as `apigateway.amazonaws.com`. Only resource policies can allow it. */
  | {
      readonly type: "service";
      readonly service: string;
      readonly sourceArn?: string;
      readonly sourceAccount?: string;
    }
  | { readonly type: "anonymous" };

/** A token of an OpenID Connect provider, verified. */
export interface WebIdentity {
  /** As a trust policy names it: the ARN of an OIDC provider of the account, or `cognito-identity.amazonaws.com`. */
  readonly provider: string;
  /** Condition keys, lower case, as `{ "accounts.google.com:sub": ["1"] }`. */
  readonly context: Readonly<Record<string, readonly string[]>>;
}
