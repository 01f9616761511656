import { no, yes, type Group } from "./case.ts";

const logic = "IAM user guide, Policy evaluation logic";
const action = "s3:GetObject";
const resource = "arn:aws:s3:::bucket/key";
const allow = { Effect: "Allow", Action: action, Resource: "arn:aws:s3:::bucket/*" };
const deny = { ...allow, Effect: "Deny" };
const other = { ...allow, Action: "s3:PutObject" };
const to = (Principal: unknown) => ({ ...allow, Principal });
const notTo = (Principal: unknown) => ({ ...deny, Principal });
const user = "arn:aws:iam::111122223333:user/ann";
const role = "arn:aws:iam::111122223333:role/worker";
const session = "arn:aws:sts::111122223333:assumed-role/worker/job";
const federated = "arn:aws:sts::111122223333:federated-user/guest";
const account = "arn:aws:iam::111122223333:root";
const elsewhere = "444455556666";

export const evaluationGroups: readonly Group[] = [
  {
    about: "within an account",
    source: `${logic}: Determining whether a request is allowed or denied within an account`,
    given: { action, resource },
    cases: [
      ["nothing allows", {}, no],
      ["the root has full access", { principal: "root" }, yes],
      ["an identity's policy", { identity: [allow] }, yes],
      ["a resource's policy", { resourcePolicy: [to({ AWS: user })] }, yes],
      ["both", { identity: [allow], resourcePolicy: [to({ AWS: user })] }, yes],
      ["an explicit deny wins", { identity: [allow, deny] }, "denied: identity"],
      ["in whatever order", { identity: [deny, allow] }, "denied: identity"],
      ["a deny of the resource", { identity: [allow], resourcePolicy: [notTo("*")] }, "denied: resource"],
      [
        "a deny of the identity against the resource",
        { identity: [deny], resourcePolicy: [to("*")] },
        "denied: identity",
      ],
      [
        "a resource can deny its account's root",
        { principal: "root", resourcePolicy: [notTo("*")] },
        "denied: resource",
      ],
      ["a deny of another action", { identity: [allow, { ...deny, Action: "s3:PutObject" }] }, yes],
      ["a deny of another resource", { identity: [allow, { ...deny, Resource: "arn:aws:s3:::other/*" }] }, yes],
      ["a role's session", { principal: "role", identity: [allow] }, yes],
      ["nobody without a policy for all", { principal: "anonymous" }, "nothing allows: resource"],
      ["nobody where everybody may", { principal: "anonymous", resourcePolicy: [to("*")] }, yes],
    ],
  },
  {
    about: "permissions boundaries",
    source: `${logic}: Evaluating identity-based policies with permissions boundaries`,
    given: { action, resource },
    cases: [
      ["both allow", { identity: [allow], boundary: [allow] }, yes],
      ["the boundary alone", { boundary: [allow] }, no],
      ["the boundary leaves it out", { identity: [allow], boundary: [other] }, "nothing allows: boundary"],
      [
        "the boundary is empty of it for a role",
        { principal: "role", identity: [allow], boundary: [other] },
        "nothing allows: boundary",
      ],
      ["the boundary denies", { identity: [allow], boundary: [allow, deny] }, "denied: boundary"],
      ["the root has none", { principal: "root", boundary: [] }, yes],
    ],
  },
  {
    about: "session policies",
    source: `${logic}: session policies; Policies and permissions: Session policies`,
    given: { action, resource, principal: "role" },
    cases: [
      ["none is no limit for a role's session", { identity: [allow] }, yes],
      ["both allow", { identity: [allow], session: [allow] }, yes],
      ["the session's policy alone", { session: [allow] }, no],
      ["it leaves it out", { identity: [allow], session: [other] }, "nothing allows: session"],
      ["it denies", { identity: [allow], session: [allow, deny] }, "denied: session"],
      ["boundary and session policy, both allow", { identity: [allow], boundary: [allow], session: [allow] }, yes],
      ["the boundary does not", { identity: [allow], boundary: [other], session: [allow] }, "nothing allows: boundary"],
      [
        "a federated user without one has nothing",
        { principal: "federatedUser", identity: [allow] },
        "nothing allows: session",
      ],
      ["a federated user with one", { principal: "federatedUser", identity: [allow], session: [allow] }, yes],
      ["… has no more than its user", { principal: "federatedUser", identity: [other], session: [allow] }, no],
      ["a federated root with one", { principal: "federatedRoot", session: [allow] }, yes],
      ["a federated root without", { principal: "federatedRoot" }, "nothing allows: session"],
    ],
  },
  {
    about: "what a resource's policy grants against implicit denies, in the same account",
    source: `${logic}: Resource-based policies and implicit denies in other policy types (same account)`,
    given: { action, resource },
    cases: [
      ["to the user: no boundary limits it", { boundary: [other], resourcePolicy: [to({ AWS: user })] }, yes],
      ["to the user by its unique id", { resourcePolicy: [to({ AWS: "AIDAEXAMPLEEXAMPLE001" })] }, yes],
      ["… not by another's", { resourcePolicy: [to({ AWS: "AIDAEXAMPLEEXAMPLE999" })] }, no],
      ["to the role", { principal: "role", resourcePolicy: [to({ AWS: role })] }, yes],
      [
        "to the role by its unique id",
        { principal: "role", resourcePolicy: [to({ AWS: "AROAEXAMPLEEXAMPLE001" })] },
        yes,
      ],
      [
        "to the role: its boundary limits it",
        { principal: "role", boundary: [other], resourcePolicy: [to({ AWS: role })] },
        "nothing allows: boundary",
      ],
      [
        "to the role: the session policy limits it",
        { principal: "role", session: [other], resourcePolicy: [to({ AWS: role })] },
        "nothing allows: session",
      ],
      ["to the session", { principal: "role", resourcePolicy: [to({ AWS: session })] }, yes],
      [
        "to the session: no boundary limits it",
        { principal: "role", boundary: [other], resourcePolicy: [to({ AWS: session })] },
        yes,
      ],
      [
        "to the session: no session policy limits it",
        { principal: "role", session: [other], resourcePolicy: [to({ AWS: session })] },
        yes,
      ],
      ["to another session of the role", { principal: "role", resourcePolicy: [to({ AWS: `${session}-2` })] }, no],
      ["to the federated user", { principal: "federatedUser", resourcePolicy: [to({ AWS: federated })] }, yes],
      [
        "to the user who federated: the session policy limits it",
        { principal: "federatedUser", session: [other], resourcePolicy: [to({ AWS: user })] },
        "nothing allows: session",
      ],
      [
        "to the user who federated, within the session policy",
        { principal: "federatedUser", session: [allow], resourcePolicy: [to({ AWS: user })] },
        yes,
      ],
      ["to the account: identities' policies decide", { resourcePolicy: [to({ AWS: account })] }, no],
      ["to the account by its number", { resourcePolicy: [to({ AWS: "111122223333" })] }, no],
      ["to the account, and an identity's policy", { identity: [allow], resourcePolicy: [to({ AWS: account })] }, yes],
      [
        "a deny of the identity counts in any case",
        { principal: "role", identity: [deny], resourcePolicy: [to({ AWS: session })] },
        "denied: identity",
      ],
      [
        "a deny of the boundary counts in any case",
        { boundary: [deny], resourcePolicy: [to({ AWS: user })] },
        "denied: boundary",
      ],
    ],
  },
  {
    about: "to everybody, with aws:PrincipalArn",
    source: "IAM user guide, Principal: IAM role principals (aws:PrincipalArn with a wildcard principal)",
    given: {
      action,
      resource,
      principal: "role",
      resourcePolicy: [{ ...to("*"), Condition: { ArnEquals: { "aws:PrincipalArn": role } } }],
    },
    cases: [
      ["a session of the role", {}, yes],
      ["no boundary limits it", { boundary: [other] }, yes],
      ["no session policy limits it", { session: [other] }, yes],
      ["unless it denies", { session: [deny] }, "denied: session"],
      ["a user", { principal: "user" }, no],
      ["nobody", { principal: "anonymous" }, "nothing allows: resource"],
    ],
  },
  {
    about: "across accounts",
    source: "IAM user guide, Cross-account policy evaluation logic",
    given: { action, resource, owner: elsewhere },
    cases: [
      ["neither", {}, no],
      ["the identity's policy alone", { identity: [allow] }, "nothing allows: resource"],
      ["the resource's policy alone", { resourcePolicy: [to({ AWS: user })] }, no],
      ["both, by the user's ARN", { identity: [allow], resourcePolicy: [to({ AWS: user })] }, yes],
      ["both, by the account's ARN", { identity: [allow], resourcePolicy: [to({ AWS: account })] }, yes],
      ["both, by the account's number", { identity: [allow], resourcePolicy: [to({ AWS: "111122223333" })] }, yes],
      ["both, everybody", { identity: [allow], resourcePolicy: [to("*")] }, yes],
      [
        "both, another account",
        { identity: [allow], resourcePolicy: [to({ AWS: "777788889999" })] },
        "nothing allows: resource",
      ],
      [
        "a session's ARN does not do without the identity's policy",
        { principal: "role", resourcePolicy: [to({ AWS: session })] },
        no,
      ],
      [
        "the boundary counts",
        { identity: [allow], boundary: [other], resourcePolicy: [to({ AWS: user })] },
        "nothing allows: boundary",
      ],
      [
        "the session policy counts",
        { principal: "role", identity: [allow], session: [other], resourcePolicy: [to({ AWS: role })] },
        "nothing allows: session",
      ],
      ["the root needs the resource's policy", { principal: "root" }, "nothing allows: resource"],
      ["the root with it", { principal: "root", resourcePolicy: [to({ AWS: account })] }, yes],
      [
        "a deny on either side: identity",
        { identity: [deny], resourcePolicy: [to({ AWS: user })] },
        "denied: identity",
      ],
      [
        "a deny on either side: resource",
        { identity: [allow], resourcePolicy: [notTo({ AWS: account })] },
        "denied: resource",
      ],
    ],
  },
  {
    about: "role trust policies and key policies must allow",
    source: `${logic}: IAM role trust policies and KMS key policies are exceptions`,
    given: { action: "kms:Decrypt", resource: "arn:aws:kms:us-east-1:111122223333:key/k", required: true },
    cases: [
      [
        "an identity's policy alone",
        { identity: [{ Effect: "Allow", Action: "kms:*", Resource: "*" }] },
        "nothing allows: resource",
      ],
      [
        "the key's policy alone, for the user",
        { resourcePolicy: [{ Effect: "Allow", Action: "kms:*", Resource: "*", Principal: { AWS: user } }] },
        yes,
      ],
      [
        "the key's policy for the account",
        { resourcePolicy: [{ Effect: "Allow", Action: "kms:*", Resource: "*", Principal: { AWS: account } }] },
        no,
      ],
      [
        "… and the identity's policy",
        {
          identity: [{ Effect: "Allow", Action: "kms:*", Resource: "*" }],
          resourcePolicy: [{ Effect: "Allow", Action: "kms:*", Resource: "*", Principal: { AWS: account } }],
        },
        yes,
      ],
      ["the root without the key's policy", { principal: "root" }, "nothing allows: resource"],
    ],
  },
  {
    about: "guard rails of the operator, as a service control policy",
    source: "Organizations user guide, SCP evaluation; IAM user guide, Policy evaluation logic: Organizations SCPs",
    given: { action, resource, identity: [allow], guardRails: [{ Effect: "Allow", Action: "*", Resource: "*" }] },
    cases: [
      ["they allow all", {}, yes],
      [
        "they allow something else",
        { guardRails: [{ Effect: "Allow", Action: "lambda:*", Resource: "*" }] },
        "nothing allows: guard rails",
      ],
      ["they alone grant nothing", { identity: [] }, no],
      ["they deny", { guardRails: [{ Effect: "Allow", Action: "*", Resource: "*" }, deny] }, "denied: guard rails"],
      [
        "they limit the root",
        { principal: "root", guardRails: [{ Effect: "Allow", Action: "*", Resource: "*" }, deny] },
        "denied: guard rails",
      ],
      [
        "the root is allowed no more than they allow",
        { principal: "root", guardRails: [{ Effect: "Allow", Action: "lambda:*", Resource: "*" }] },
        "nothing allows: guard rails",
      ],
      [
        "they limit what a resource's policy grants",
        {
          principal: "role",
          identity: [],
          resourcePolicy: [to({ AWS: session })],
          guardRails: [{ Effect: "Allow", Action: "*", Resource: "*" }, deny],
        },
        "denied: guard rails",
      ],
      [
        "they do not limit services",
        { principal: "sns", identity: [], resourcePolicy: [to({ Service: "sns.amazonaws.com" })], guardRails: [deny] },
        yes,
      ],
      [
        "they do not limit strangers",
        { principal: "anonymous", identity: [], resourcePolicy: [to("*")], guardRails: [deny] },
        yes,
      ],
      [
        "a region is closed",
        {
          region: "eu-west-1",
          guardRails: [
            { Effect: "Allow", Action: "*", Resource: "*" },
            {
              Effect: "Deny",
              Action: "*",
              Resource: "*",
              Condition: { StringNotEquals: { "aws:RequestedRegion": "us-east-1" } },
            },
          ],
        },
        "denied: guard rails",
      ],
      [
        "an account is exempt",
        {
          guardRails: [
            { Effect: "Allow", Action: "*", Resource: "*" },
            { ...deny, Condition: { StringNotEquals: { "aws:PrincipalAccount": "111122223333" } } },
          ],
        },
        yes,
      ],
    ],
  },
  {
    about: "Carlos and his buckets",
    source: `${logic}: Example identity-based and resource-based policy evaluation`,
    given: {
      action: "s3:PutObject",
      resource: "arn:aws:s3:::carlossalazar/a",
      identity: [
        {
          Sid: "AllowS3ListRead",
          Effect: "Allow",
          Action: [
            "s3:GetBucketLocation",
            "s3:GetAccountPublicAccessBlock",
            "s3:ListAccessPoints",
            "s3:ListAllMyBuckets",
          ],
          Resource: "arn:aws:s3:::*",
        },
        {
          Sid: "AllowS3Self",
          Effect: "Allow",
          Action: "s3:*",
          Resource: ["arn:aws:s3:::carlossalazar/*", "arn:aws:s3:::carlossalazar"],
        },
        { Sid: "DenyS3Logs", Effect: "Deny", Action: "s3:*", Resource: "arn:aws:s3:::*log*" },
      ],
    },
    cases: [
      ["his own bucket", {}, yes],
      ["the bucket itself", { action: "s3:ListBucket", resource: "arn:aws:s3:::carlossalazar" }, yes],
      ["his logs", { resource: "arn:aws:s3:::carlossalazar-logs/a" }, "denied: identity"],
      ["an object with log in its name", { resource: "arn:aws:s3:::carlossalazar/dialogue" }, "denied: identity"],
      [
        "his logs, though the bucket allows",
        {
          resource: "arn:aws:s3:::carlossalazar-logs/a",
          resourcePolicy: [{ Effect: "Allow", Principal: { AWS: user }, Action: "s3:*", Resource: "*" }],
        },
        "denied: identity",
      ],
      ["another's bucket", { resource: "arn:aws:s3:::martha/a" }, no],
      ["where a bucket is", { action: "s3:GetBucketLocation", resource: "arn:aws:s3:::martha" }, yes],
      ["what is in it", { action: "s3:ListBucket", resource: "arn:aws:s3:::martha" }, no],
    ],
  },
  {
    about: "explicit and implicit denies",
    source: `${logic}: The difference between explicit and implicit denies`,
    given: {
      resource: "arn:aws:iam::111122223333:user/ann",
      identity: [
        { Sid: "AllowGetList", Effect: "Allow", Action: ["iam:Get*", "iam:List*"], Resource: "*" },
        { Sid: "DenyReports", Effect: "Deny", Action: "iam:*Report", Resource: "*" },
      ],
    },
    cases: [
      ["iam:GetUser", { action: "iam:GetUser" }, yes],
      ["iam:ListUsers", { action: "iam:ListUsers" }, yes],
      ["iam:CreatePolicy", { action: "iam:CreatePolicy" }, no],
      ["iam:GetOrganizationsAccessReport", { action: "iam:GetOrganizationsAccessReport" }, "denied: identity"],
      ["iam:GenerateCredentialReport", { action: "iam:GenerateCredentialReport" }, "denied: identity"],
      [
        "… allowed by another statement",
        {
          action: "iam:GenerateCredentialReport",
          identity: [
            { Effect: "Deny", Action: "iam:*Report", Resource: "*" },
            { Effect: "Allow", Action: "iam:*", Resource: "*" },
          ],
        },
        "denied: identity",
      ],
    ],
  },
];
