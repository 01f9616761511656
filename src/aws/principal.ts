/** Who makes a call. Established by a signature, or by the platform for its own services. */
export type Principal =
  /** The account's root: may do everything in its account. */
  | {
      readonly type: "root";
      readonly account: string;
      readonly arn: string;
      readonly accessKeyId: string;
      readonly tokenIssuedAt?: number;
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
    }
  /** A service of the platform acting on a resource's behalf, as `apigateway.amazonaws.com`. Only resource policies can allow it. */
  | {
      readonly type: "service";
      readonly service: string;
      readonly sourceArn?: string;
      readonly sourceAccount?: string;
    }
  | { readonly type: "anonymous" };
