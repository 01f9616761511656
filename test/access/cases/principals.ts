import { no, yes, type Group } from "./case.ts";

const page = "IAM user guide, Principal";
const notPage = "IAM user guide, NotPrincipal";
const action = "s3:GetObject";
const resource = "arn:aws:s3:::bucket/key";
const allow = { Effect: "Allow", Action: action, Resource: "*" };
const to = (Principal: unknown) => [{ ...allow, Principal }];
const allBut = (NotPrincipal: unknown) => [{ ...allow, Effect: "Deny", NotPrincipal }];
const user = "arn:aws:iam::111122223333:user/ann";
const role = "arn:aws:iam::111122223333:role/worker";
const session = "arn:aws:sts::111122223333:assumed-role/worker/job";
const account = "arn:aws:iam::111122223333:root";
const trust = { action: "sts:AssumeRole", resource: "arn:aws:iam::111122223333:role/target", required: true } as const;
const mayAssume = (Principal: unknown, more: object = {}) => [
  { Effect: "Allow", Action: "sts:AssumeRole", Resource: "*", Principal, ...more },
];

export const principalGroups: readonly Group[] = [
  {
    about: "users and roles",
    source: `${page}: IAM user principals, IAM role principals`,
    given: { action, resource },
    cases: [
      ["a user by ARN", { resourcePolicy: to({ AWS: user }) }, yes],
      [
        "a user with a path by the ARN without",
        { resourcePolicy: to({ AWS: "arn:aws:iam::111122223333:user/team/ann" }) },
        no,
      ],
      ["names of users have case", { resourcePolicy: to({ AWS: "arn:aws:iam::111122223333:user/Ann" }) }, no],
      ["one of a list", { resourcePolicy: to({ AWS: ["arn:aws:iam::111122223333:user/bob", user] }) }, yes],
      ["a user is not its account", { principal: "role", resourcePolicy: to({ AWS: user }) }, no],
      ["a role by ARN", { principal: "role", resourcePolicy: to({ AWS: role }) }, yes],
      [
        "a role is not its session's ARN of another name",
        { principal: "role", resourcePolicy: to({ AWS: "arn:aws:sts::111122223333:assumed-role/worker/other" }) },
        no,
      ],
      ["a session by ARN", { principal: "role", resourcePolicy: to({ AWS: session }) }, yes],
      [
        "a federated user by ARN",
        { principal: "federatedUser", resourcePolicy: to({ AWS: "arn:aws:sts::111122223333:federated-user/guest" }) },
        yes,
      ],
      [
        "another federated user",
        { principal: "federatedUser", resourcePolicy: to({ AWS: "arn:aws:sts::111122223333:federated-user/other" }) },
        no,
      ],
      [
        "another account's user of the same name",
        { resourcePolicy: to({ AWS: "arn:aws:iam::444455556666:user/ann" }) },
        no,
      ],
    ],
  },
  {
    about: "accounts",
    source: `${page}: AWS account principals`,
    given: { action, resource, owner: "444455556666", identity: [allow] },
    cases: [
      ["by ARN", { resourcePolicy: to({ AWS: account }) }, yes],
      ["by number", { resourcePolicy: to({ AWS: "111122223333" }) }, yes],
      ["one of several", { resourcePolicy: to({ AWS: ["999999999999", "111122223333"] }) }, yes],
      ["another", { resourcePolicy: to({ AWS: "999999999999" }) }, "nothing allows: resource"],
      ["by canonical user id", { resourcePolicy: to({ CanonicalUser: "THE CANONICAL ID OF 111122223333" }) }, yes],
      [
        "by another's canonical user id",
        { resourcePolicy: to({ CanonicalUser: "0".repeat(64) }) },
        "nothing allows: resource",
      ],
      [
        "canonical user id and account together",
        { resourcePolicy: to({ CanonicalUser: "0".repeat(64), AWS: "111122223333" }) },
        yes,
      ],
      ["the root's own request", { principal: "root", identity: [], resourcePolicy: to({ AWS: "111122223333" }) }, yes],
    ],
  },
  {
    about: "everybody",
    source: `${page}: All principals`,
    given: { action, resource },
    cases: [
      ['"*"', { principal: "anonymous", resourcePolicy: to("*") }, yes],
      ['{"AWS": "*"}', { principal: "anonymous", resourcePolicy: to({ AWS: "*" }) }, yes],
      ["a user of the account needs no more", { resourcePolicy: to("*") }, yes],
      ["a role of the account needs no more", { principal: "role", resourcePolicy: to("*") }, yes],
      ["a user of another account does", { owner: "444455556666", resourcePolicy: to("*") }, no],
      ["a service", { principal: "sns", resourcePolicy: to("*") }, yes],
      [
        "all but one, by a condition: the one",
        {
          identity: [allow],
          resourcePolicy: [
            { ...allow, Effect: "Deny", Principal: "*", Condition: { ArnNotEquals: { "aws:PrincipalArn": user } } },
          ],
        },
        yes,
      ],
      [
        "all but one, by a condition: another",
        {
          principal: "role",
          identity: [allow],
          resourcePolicy: [
            { ...allow, Effect: "Deny", Principal: "*", Condition: { ArnNotEquals: { "aws:PrincipalArn": user } } },
          ],
        },
        "denied: resource",
      ],
      [
        "all but one, by a condition: nobody",
        {
          principal: "anonymous",
          resourcePolicy: [
            { ...allow, Principal: "*" },
            { ...allow, Effect: "Deny", Principal: "*", Condition: { ArnNotEquals: { "aws:PrincipalArn": user } } },
          ],
        },
        "denied: resource",
      ],
    ],
  },
  {
    about: "services",
    source: `${page}: AWS service principals`,
    given: { action, resource, principal: "sns" },
    cases: [
      ["named", { resourcePolicy: to({ Service: "sns.amazonaws.com" }) }, yes],
      ["one of two", { resourcePolicy: to({ Service: ["ecs.amazonaws.com", "sns.amazonaws.com"] }) }, yes],
      ["another", { resourcePolicy: to({ Service: "sqs.amazonaws.com" }) }, "nothing allows: resource"],
      ["an account is no service", { resourcePolicy: to({ AWS: account }) }, "nothing allows: resource"],
      ["a user is no service", { principal: "user", resourcePolicy: to({ Service: "sns.amazonaws.com" }) }, no],
      ["without a policy", {}, "nothing allows: resource"],
    ],
  },
  {
    about: "a web identity may assume the role that trusts its provider",
    source: `${page}: Web identity session principals; AssumeRoleWithWebIdentity`,
    given: { ...trust, action: "sts:AssumeRoleWithWebIdentity", principal: "webIdentity" },
    cases: [
      [
        "trusted",
        {
          resourcePolicy: [
            {
              Effect: "Allow",
              Action: "sts:AssumeRoleWithWebIdentity",
              Resource: "*",
              Principal: { Federated: "accounts.google.com" },
            },
          ],
        },
        yes,
      ],
      [
        "another provider",
        {
          resourcePolicy: [
            {
              Effect: "Allow",
              Action: "sts:AssumeRoleWithWebIdentity",
              Resource: "*",
              Principal: { Federated: "graph.facebook.com" },
            },
          ],
        },
        "nothing allows: resource",
      ],
      [
        "for this audience",
        {
          resourcePolicy: [
            {
              Effect: "Allow",
              Action: "sts:AssumeRoleWithWebIdentity",
              Resource: "*",
              Principal: { Federated: "accounts.google.com" },
              Condition: { StringEquals: { "accounts.google.com:aud": "app" } },
            },
          ],
        },
        yes,
      ],
      [
        "for another audience",
        {
          resourcePolicy: [
            {
              Effect: "Allow",
              Action: "sts:AssumeRoleWithWebIdentity",
              Resource: "*",
              Principal: { Federated: "accounts.google.com" },
              Condition: { StringEquals: { "accounts.google.com:aud": "other" } },
            },
          ],
        },
        "nothing allows: resource",
      ],
      [
        "a role does not trust a provider as an account",
        {
          resourcePolicy: [
            { Effect: "Allow", Action: "sts:AssumeRoleWithWebIdentity", Resource: "*", Principal: { AWS: account } },
          ],
        },
        "nothing allows: resource",
      ],
      [
        "only with this action",
        { resourcePolicy: mayAssume({ Federated: "accounts.google.com" }) },
        "nothing allows: resource",
      ],
    ],
  },
  {
    about: "trust policies",
    source: "IAM user guide, Role trust policies; How to use an external ID",
    given: trust,
    cases: [
      ["trusts the user", { resourcePolicy: mayAssume({ AWS: user }) }, yes],
      [
        "trusts the account, and the user may",
        {
          identity: [{ Effect: "Allow", Action: "sts:AssumeRole", Resource: "*" }],
          resourcePolicy: mayAssume({ AWS: account }),
        },
        yes,
      ],
      ["trusts the account, and the user may not", { resourcePolicy: mayAssume({ AWS: account }) }, no],
      [
        "the user may, but nobody is trusted",
        { identity: [{ Effect: "Allow", Action: "sts:AssumeRole", Resource: "*" }] },
        "nothing allows: resource",
      ],
      [
        "trusts a service",
        { principal: "apigateway", resourcePolicy: mayAssume({ Service: "apigateway.amazonaws.com" }) },
        yes,
      ],
      [
        "trusts another service",
        { principal: "apigateway", resourcePolicy: mayAssume({ Service: "lambda.amazonaws.com" }) },
        "nothing allows: resource",
      ],
      [
        "with the external id",
        {
          context: { "sts:ExternalId": "12345" },
          resourcePolicy: mayAssume({ AWS: user }, { Condition: { StringEquals: { "sts:ExternalId": "12345" } } }),
        },
        yes,
      ],
      [
        "with another external id",
        {
          context: { "sts:ExternalId": "54321" },
          identity: [{ Effect: "Allow", Action: "sts:AssumeRole", Resource: "*" }],
          resourcePolicy: mayAssume({ AWS: user }, { Condition: { StringEquals: { "sts:ExternalId": "12345" } } }),
        },
        "nothing allows: resource",
      ],
      [
        "without the external id",
        { resourcePolicy: mayAssume({ AWS: user }, { Condition: { StringEquals: { "sts:ExternalId": "12345" } } }) },
        no,
      ],
      [
        "with MFA",
        {
          principal: "userWithMfa",
          resourcePolicy: mayAssume({ AWS: user }, { Condition: { Bool: { "aws:MultiFactorAuthPresent": "true" } } }),
        },
        yes,
      ],
      [
        "without MFA",
        { resourcePolicy: mayAssume({ AWS: user }, { Condition: { Bool: { "aws:MultiFactorAuthPresent": "true" } } }) },
        no,
      ],
    ],
  },
  {
    about: "the confused deputy: a service for somebody else's resource",
    source: "IAM user guide, The confused deputy problem: cross-service prevention",
    given: {
      action: "sns:Publish",
      resource: "arn:aws:sns:us-east-1:111122223333:topic",
      principal: "apigateway",
      resourcePolicy: [
        {
          Effect: "Allow",
          Principal: { Service: "apigateway.amazonaws.com" },
          Action: "sns:Publish",
          Resource: "*",
          Condition: {
            ArnLike: { "aws:SourceArn": "arn:aws:execute-api:us-east-1:111122223333:api1/*" },
            StringEquals: { "aws:SourceAccount": "111122223333" },
          },
        },
      ],
    },
    cases: [
      ["for the API that is named", {}, yes],
      ["for another service", { principal: "sns" }, "nothing allows: resource"],
      ["for a user, who has no source", { principal: "user" }, no],
    ],
  },
  {
    about: "NotPrincipal with Deny, a user",
    source: `${notPage}: IAM user in the same or a different account`,
    given: { action, resource, identity: [allow], resourcePolicy: allBut({ AWS: [user, account] }) },
    cases: [
      ["the user", {}, yes],
      ["a role of the account", { principal: "role" }, "denied: resource"],
      ["a service", { principal: "sns" }, "denied: resource"],
      ["nobody", { principal: "anonymous" }, "denied: resource"],
      ["the root of the account", { principal: "root" }, yes],
      ["the user, whose account is not listed", { resourcePolicy: allBut({ AWS: user }) }, "denied: resource"],
      ["a user of whom the account alone is listed", { resourcePolicy: allBut({ AWS: account }) }, "denied: resource"],
      ["whoever has a boundary", { boundary: [allow] }, "denied: resource"],
    ],
  },
  {
    about: "NotPrincipal with Deny, a session",
    source: `${notPage}: IAM role in the same or different account`,
    given: {
      action,
      resource,
      principal: "role",
      identity: [allow],
      resourcePolicy: allBut({ AWS: [session, role, account] }),
    },
    cases: [
      ["the session", {}, yes],
      ["a user", { principal: "user" }, "denied: resource"],
      ["the session without its role", { resourcePolicy: allBut({ AWS: [session, account] }) }, "denied: resource"],
      ["the role without the session", { resourcePolicy: allBut({ AWS: [role, account] }) }, "denied: resource"],
      [
        "the session of another name",
        { resourcePolicy: allBut({ AWS: [`${session}2`, role, account] }) },
        "denied: resource",
      ],
      ["it grants nothing", { identity: [] }, no],
    ],
  },
  {
    about: "NotPrincipal with Deny, a service",
    source: notPage,
    given: {
      action,
      resource,
      principal: "sns",
      resourcePolicy: [...to("*"), ...allBut({ Service: "sns.amazonaws.com" })],
    },
    cases: [
      ["the service", {}, yes],
      ["another service", { principal: "apigateway" }, "denied: resource"],
      ["a user", { principal: "user" }, "denied: resource"],
    ],
  },
];
