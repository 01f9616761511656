import { no, yes, type Group, type Setting } from "./case.ts";

const page = "IAM user guide, AWS global condition context keys";
const when = (condition: object): Setting => ({
  action: "s3:GetObject",
  resource: "arn:aws:s3:::bucket/key",
  identity: [{ Effect: "Allow", Action: "*", Resource: "*", Condition: condition }],
});
const byResource = (condition: object): Setting => ({
  action: "s3:GetObject",
  resource: "arn:aws:s3:::bucket/key",
  resourcePolicy: [{ Effect: "Allow", Action: "*", Resource: "*", Principal: "*", Condition: condition }],
});
const none = "nothing allows: resource";

export const requestKeyGroups: readonly Group[] = [
  {
    about: "aws:SourceIp",
    source: `${page}: aws:SourceIp with aws:ViaAWSService`,
    given: {
      action: "s3:PutObject",
      resource: "arn:aws:s3:::my-service-bucket/a",
      sourceIp: "123.45.167.89",
      identity: [
        {
          Sid: "PrincipalPutObjectIfIpAddress",
          Effect: "Allow",
          Action: "s3:PutObject",
          Resource: "arn:aws:s3:::my-service-bucket/*",
          Condition: { Bool: { "aws:ViaAWSService": "false" }, IpAddress: { "aws:SourceIp": "123.45.167.89" } },
        },
        {
          Sid: "ServicePutObject",
          Effect: "Allow",
          Action: "s3:PutObject",
          Resource: "arn:aws:s3:::my-service-bucket/*",
          Condition: { Bool: { "aws:ViaAWSService": "true" } },
        },
      ],
    },
    cases: [
      ["from there", {}, yes],
      ["from elsewhere", { sourceIp: "123.45.167.90" }, no],
      ["by a service for the user", { sourceIp: "", calledVia: ["cloudformation.amazonaws.com"] }, yes],
      ["by nobody's address", { sourceIp: "" }, no],
    ],
  },
  {
    about: "aws:SecureTransport",
    source: `${page}: aws:SecureTransport`,
    given: { ...when({ Bool: { "aws:SecureTransport": "true" } }) },
    cases: [
      ["over TLS", {}, yes],
      ["in the clear", { secure: false }, no],
      [
        "in the clear, denied by the bucket",
        {
          secure: false,
          identity: [{ Effect: "Allow", Action: "*", Resource: "*" }],
          resourcePolicy: [
            {
              Effect: "Deny",
              Principal: "*",
              Action: "s3:*",
              Resource: "*",
              Condition: { Bool: { "aws:SecureTransport": "false" } },
            },
          ],
        },
        "denied: resource",
      ],
    ],
  },
  {
    about: "aws:CurrentTime",
    source: "IAM user guide, Example policies: Allows access based on date and time",
    given: when({
      DateGreaterThan: { "aws:CurrentTime": "2020-04-01T00:00:00Z" },
      DateLessThan: { "aws:CurrentTime": "2020-06-30T23:59:59Z" },
    }),
    cases: [
      ["within", { now: "2020-05-01T00:00:00Z" }, yes],
      ["before", { now: "2020-03-31T23:59:59Z" }, no],
      ["after", { now: "2020-07-01T00:00:00Z" }, no],
      ["at its very beginning", { now: "2020-04-01T00:00:00Z" }, no],
    ],
  },
  {
    about: "aws:EpochTime",
    source: `${page}: aws:EpochTime (date or numeric operators)`,
    given: when({ NumericLessThan: { "aws:EpochTime": "1767360000" } }),
    cases: [
      ["by number, before", { now: "2026-01-02T11:59:59Z" }, yes],
      ["by number, after", { now: "2026-01-02T13:20:00Z" }, no],
      ["by date", { ...when({ DateLessThan: { "aws:EpochTime": "2026-01-03T00:00:00Z" } }) }, yes],
    ],
  },
  {
    about: "aws:MultiFactorAuthPresent",
    source: `${page}: aws:MultiFactorAuthPresent, its combinations`,
    given: { ...when({ Bool: { "aws:MultiFactorAuthPresent": "true" } }) },
    cases: [
      ["Bool true: with MFA", { principal: "userWithMfa" }, yes],
      ["Bool true: a session without", { principal: "userWithSession" }, no],
      ["Bool true: an access key", {}, no],
      ["BoolIfExists true: an access key", when({ BoolIfExists: { "aws:MultiFactorAuthPresent": "true" } }), yes],
      [
        "BoolIfExists true: a session without",
        { ...when({ BoolIfExists: { "aws:MultiFactorAuthPresent": "true" } }), principal: "userWithSession" },
        no,
      ],
      [
        "BoolIfExists true: with MFA",
        { ...when({ BoolIfExists: { "aws:MultiFactorAuthPresent": "true" } }), principal: "userWithMfa" },
        yes,
      ],
      [
        "Null false: any session",
        { ...when({ Null: { "aws:MultiFactorAuthPresent": "false" } }), principal: "userWithSession" },
        yes,
      ],
      ["Null false: an access key", when({ Null: { "aws:MultiFactorAuthPresent": "false" } }), no],
      [
        "Deny with BoolIfExists false: an access key",
        {
          identity: [
            { Effect: "Allow", Action: "*", Resource: "*" },
            {
              Effect: "Deny",
              Action: "*",
              Resource: "*",
              Condition: { BoolIfExists: { "aws:MultiFactorAuthPresent": "false" } },
            },
          ],
        },
        "denied: identity",
      ],
      [
        "Deny with Bool false: an access key passes",
        {
          identity: [
            { Effect: "Allow", Action: "*", Resource: "*" },
            {
              Effect: "Deny",
              Action: "*",
              Resource: "*",
              Condition: { Bool: { "aws:MultiFactorAuthPresent": "false" } },
            },
          ],
        },
        yes,
      ],
      ["a role that was assumed with MFA", { principal: "roleWithMfa" }, yes],
      ["a role that was assumed without", { principal: "role" }, no],
    ],
  },
  {
    about: "aws:MultiFactorAuthAge",
    source: `${page}: aws:MultiFactorAuthAge`,
    given: { ...when({ NumericLessThan: { "aws:MultiFactorAuthAge": "3600" } }), principal: "userWithMfa" },
    cases: [
      ["half an hour ago", { now: "2026-01-02T11:30:00Z" }, yes],
      ["two hours ago", { now: "2026-01-02T13:00:00Z" }, no],
      ["without MFA", { principal: "userWithSession" }, no],
    ],
  },
  {
    about: "aws:TokenIssueTime",
    source: "IAM user guide, Revoking IAM role temporary security credentials",
    given: {
      action: "s3:GetObject",
      resource: "arn:aws:s3:::bucket/key",
      principal: "role",
      identity: [
        { Effect: "Allow", Action: "*", Resource: "*" },
        {
          Effect: "Deny",
          Action: ["*"],
          Resource: ["*"],
          Condition: { DateLessThan: { "aws:TokenIssueTime": "2026-01-02T11:00:00Z" } },
        },
      ],
    },
    cases: [
      ["a session from before", {}, "denied: identity"],
      ["an access key", { principal: "user" }, yes],
    ],
  },
  {
    about: "aws:SourceIdentity",
    source: `${page}: aws:SourceIdentity`,
    given: { ...when({ StringLike: { "aws:SourceIdentity": "*@example.com" } }), principal: "role" },
    cases: [
      ["a session that has one", {}, yes],
      ["another", when({ StringLike: { "aws:SourceIdentity": "*@example.org" } }), no],
      ["a session without", { principal: "roleWithMfa" }, no],
      ["a user", { principal: "user" }, no],
    ],
  },
  {
    about: "aws:FederatedProvider and the keys of its tokens",
    source: `${page}: aws:FederatedProvider; Available keys for AWS OIDC federation`,
    given: { ...when({ StringEquals: { "aws:FederatedProvider": "accounts.google.com" } }), principal: "webRole" },
    cases: [
      ["a role assumed with a token", {}, yes],
      ["any other role", { principal: "role" }, no],
      ["the token's subject", when({ StringEquals: { "accounts.google.com:sub": "1234" } }), yes],
      [
        "as a variable",
        {
          identity: [{ Effect: "Allow", Action: "*", Resource: "arn:aws:s3:::bucket/${accounts.google.com:sub}/*" }],
          resource: "arn:aws:s3:::bucket/1234/a",
        },
        yes,
      ],
      [
        "another's folder",
        {
          identity: [{ Effect: "Allow", Action: "*", Resource: "arn:aws:s3:::bucket/${accounts.google.com:sub}/*" }],
          resource: "arn:aws:s3:::bucket/9999/a",
        },
        no,
      ],
    ],
  },
  {
    about: "aws:PrincipalIsAWSService and aws:PrincipalServiceName",
    source: `${page}: aws:PrincipalIsAWSService, aws:PrincipalServiceName, aws:PrincipalServiceNamesList`,
    given: { ...byResource({ Bool: { "aws:PrincipalIsAWSService": "true" } }), principal: "sns" },
    cases: [
      ["a service", {}, yes],
      ["a user", { principal: "user" }, no],
      ["its name", byResource({ StringEquals: { "aws:PrincipalServiceName": "sns.amazonaws.com" } }), yes],
      ["another's name", byResource({ StringEquals: { "aws:PrincipalServiceName": "sqs.amazonaws.com" } }), none],
      [
        "one of its names",
        byResource({ "ForAnyValue:StringEquals": { "aws:PrincipalServiceNamesList": "sns.amazonaws.com" } }),
        yes,
      ],
      [
        "a user has no such name",
        { ...byResource({ StringEquals: { "aws:PrincipalServiceName": "sns.amazonaws.com" } }), principal: "user" },
        no,
      ],
    ],
  },
  {
    about: "aws:SourceArn and aws:SourceAccount",
    source: `${page}: aws:SourceArn, aws:SourceAccount`,
    given: {
      ...byResource({ ArnLike: { "aws:SourceArn": "arn:aws:execute-api:us-east-1:111122223333:api1/*" } }),
      principal: "apigateway",
    },
    cases: [
      ["the source", {}, yes],
      [
        "another source",
        byResource({ ArnLike: { "aws:SourceArn": "arn:aws:execute-api:us-east-1:111122223333:api2/*" } }),
        none,
      ],
      ["the source's account", byResource({ StringEquals: { "aws:SourceAccount": "111122223333" } }), yes],
      ["another account", byResource({ StringEquals: { "aws:SourceAccount": "444455556666" } }), none],
      ["a service that names no source", { principal: "sns" }, none],
      ["a user has none", { principal: "user" }, no],
    ],
  },
  {
    about: "aws:RequestedRegion",
    source: `${page}: aws:RequestedRegion`,
    given: when({ StringEquals: { "aws:RequestedRegion": ["eu-west-1", "eu-west-2", "eu-west-3"] } }),
    cases: [
      ["one of them", { region: "eu-west-2" }, yes],
      ["another", { region: "us-east-1" }, no],
    ],
  },
  {
    about: "aws:ResourceAccount",
    source: `${page}: aws:ResourceAccount`,
    given: when({ StringEquals: { "aws:ResourceAccount": "${aws:PrincipalAccount}" } }),
    cases: [
      ["one's own", {}, yes],
      [
        "another's",
        { owner: "444455556666", resourcePolicy: [{ Effect: "Allow", Principal: "*", Action: "*", Resource: "*" }] },
        no,
      ],
    ],
  },
  {
    about: "aws:RequestTag and aws:ResourceTag",
    source: "IAM user guide, Controlling access to AWS resources using tags",
    given: {
      action: "lambda:TagResource",
      resource: "arn:aws:lambda:us-east-1:111122223333:function:f",
      identity: [
        {
          Effect: "Allow",
          Action: "lambda:TagResource",
          Resource: "*",
          Condition: { StringEquals: { "aws:RequestTag/Owner": "${aws:username}", "aws:ResourceTag/Stage": "dev" } },
        },
      ],
    },
    cases: [
      ["both", { context: { "aws:RequestTag/Owner": "ann", "aws:ResourceTag/Stage": "dev" } }, yes],
      [
        "keys of tags have no case here",
        { context: { "aws:requesttag/owner": "ann", "aws:resourcetag/stage": "dev" } },
        yes,
      ],
      ["another owner", { context: { "aws:RequestTag/Owner": "bob", "aws:ResourceTag/Stage": "dev" } }, no],
      ["another stage", { context: { "aws:RequestTag/Owner": "ann", "aws:ResourceTag/Stage": "prod" } }, no],
      ["a resource without tags", { context: { "aws:RequestTag/Owner": "ann" } }, no],
    ],
  },
  {
    about: "aws:UserAgent and aws:Referer",
    source: `${page}: aws:UserAgent, aws:referer`,
    given: byResource({ StringLike: { "aws:Referer": ["http://www.example.com/*", "http://example.com/*"] } }),
    cases: [
      ["from the page", { principal: "anonymous", referer: "http://www.example.com/page" }, yes],
      ["from another", { principal: "anonymous", referer: "http://evil.example/" }, none],
      ["from none", { principal: "anonymous" }, none],
      [
        "a client by its name",
        { ...when({ StringLike: { "aws:UserAgent": "aws-cli/*" } }), userAgent: "aws-cli/2.9" },
        yes,
      ],
      ["another client", { ...when({ StringLike: { "aws:UserAgent": "aws-cli/*" } }), userAgent: "curl/8" }, no],
    ],
  },
  {
    about: "a service cannot set what the platform knows",
    source: `${page}: keys of the principal are the principal's`,
    given: when({ StringEquals: { "aws:username": "eve" } }),
    cases: [
      ["by the key", { context: { "aws:username": "eve" } }, no],
      ["by the key in other case", { context: { "AWS:UserName": "eve" } }, no],
    ],
  },
  {
    about: "keys that do not exist here are absent",
    source: `${page}: VPC and organization keys need a VPC endpoint and an organization`,
    given: { action: "s3:GetObject", resource: "arn:aws:s3:::bucket/key" },
    cases: [
      "aws:SourceVpc",
      "aws:SourceVpce",
      "aws:VpcSourceIp",
      "aws:PrincipalOrgID",
      "aws:PrincipalOrgPaths",
      "aws:ResourceOrgID",
      "aws:SourceOrgID",
      "aws:Ec2InstanceSourceVpc",
    ].map((key) => [key, when({ Null: { [key]: "true" } }), yes] as const),
  },
];
