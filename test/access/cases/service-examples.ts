import { no, yes, type Group } from "./case.ts";

const page = "IAM user guide, Example IAM identity-based policies";
const account = "111122223333";

export const serviceExampleGroups: readonly Group[] = [
  {
    about: "S3: only one's own folder, with the console",
    source: `${page}: Allows IAM users access to their S3 home directory`,
    given: {
      identity: [
        { Effect: "Allow", Action: ["s3:ListAllMyBuckets", "s3:GetBucketLocation"], Resource: "*" },
        {
          Effect: "Allow",
          Action: "s3:ListBucket",
          Resource: "arn:aws:s3:::bucket-name",
          Condition: { StringLike: { "s3:prefix": ["", "home/", "home/${aws:username}/*"] } },
        },
        {
          Effect: "Allow",
          Action: "s3:*",
          Resource: [
            "arn:aws:s3:::bucket-name/home/${aws:username}",
            "arn:aws:s3:::bucket-name/home/${aws:username}/*",
          ],
        },
      ],
      resource: "arn:aws:s3:::bucket-name",
    },
    cases: [
      ["the buckets", { action: "s3:ListAllMyBuckets", resource: "*" }, yes],
      ["the top", { action: "s3:ListBucket", context: { "s3:prefix": "" } }, yes],
      ["the homes", { action: "s3:ListBucket", context: { "s3:prefix": "home/" } }, yes],
      ["her home", { action: "s3:ListBucket", context: { "s3:prefix": "home/ann/2026" } }, yes],
      ["his home", { action: "s3:ListBucket", context: { "s3:prefix": "home/bob/" } }, no],
      ["her object", { action: "s3:PutObject", resource: "arn:aws:s3:::bucket-name/home/ann/a" }, yes],
      ["his object", { action: "s3:GetObject", resource: "arn:aws:s3:::bucket-name/home/bob/a" }, no],
    ],
  },
  {
    about: "S3: production objects with MFA only",
    source: `${page}: Limits managing to specific S3 buckets, and MFA`,
    given: {
      action: "s3:DeleteObject",
      resource: "arn:aws:s3:::Production/ProductionAccess/a",
      identity: [
        { Sid: "ListAllBuckets", Effect: "Allow", Action: ["s3:ListAllMyBuckets", "s3:DeleteObject"], Resource: "*" },
        {
          Sid: "RequireMFAForProductionBucket",
          Effect: "Deny",
          Action: "s3:*",
          Resource: ["arn:aws:s3:::Production/*", "arn:aws:s3:::Production"],
          Condition: { NumericGreaterThanIfExists: { "aws:MultiFactorAuthAge": "1800" } },
        },
      ],
    },
    cases: [
      ["with MFA of ten minutes ago", { principal: "userWithMfa", now: "2026-01-02T11:10:00Z" }, yes],
      ["with MFA of an hour ago", { principal: "userWithMfa", now: "2026-01-02T12:00:00Z" }, "denied: identity"],
      ["without MFA", {}, "denied: identity"],
      ["another bucket", { resource: "arn:aws:s3:::Test/a" }, yes],
    ],
  },
  {
    about: "S3: bucket policies",
    source: "S3 user guide, Bucket policy examples",
    given: {
      action: "s3:PutObject",
      resource: "arn:aws:s3:::bucket/a",
      principal: "role",
      identity: [{ Effect: "Allow", Action: "s3:*", Resource: "*" }],
    },
    cases: [
      [
        "only encrypted, encrypted",
        {
          context: { "s3:x-amz-server-side-encryption": "aws:kms" },
          resourcePolicy: [
            {
              Effect: "Deny",
              Principal: "*",
              Action: "s3:PutObject",
              Resource: "arn:aws:s3:::bucket/*",
              Condition: { StringNotEquals: { "s3:x-amz-server-side-encryption": "aws:kms" } },
            },
          ],
        },
        yes,
      ],
      [
        "only encrypted, not said",
        {
          resourcePolicy: [
            {
              Effect: "Deny",
              Principal: "*",
              Action: "s3:PutObject",
              Resource: "arn:aws:s3:::bucket/*",
              Condition: { StringNotEquals: { "s3:x-amz-server-side-encryption": "aws:kms" } },
            },
          ],
        },
        "denied: resource",
      ],
      [
        "only with full control for the owner",
        {
          context: { "s3:x-amz-acl": "bucket-owner-full-control" },
          resourcePolicy: [
            {
              Effect: "Deny",
              Principal: "*",
              Action: "s3:PutObject",
              Resource: "arn:aws:s3:::bucket/*",
              Condition: { Null: { "s3:x-amz-acl": "true" } },
            },
          ],
        },
        yes,
      ],
      [
        "with a tag of these",
        {
          context: { "s3:RequestObjectTagKeys": ["Owner", "CreationDate"] },
          resourcePolicy: [
            {
              Effect: "Deny",
              Principal: "*",
              Action: "s3:PutObject",
              Resource: "arn:aws:s3:::bucket/*",
              Condition: { "ForAnyValue:StringNotEquals": { "s3:RequestObjectTagKeys": ["Owner", "CreationDate"] } },
            },
          ],
        },
        yes,
      ],
      [
        "with another tag",
        {
          context: { "s3:RequestObjectTagKeys": ["Owner", "Other"] },
          resourcePolicy: [
            {
              Effect: "Deny",
              Principal: "*",
              Action: "s3:PutObject",
              Resource: "arn:aws:s3:::bucket/*",
              Condition: { "ForAnyValue:StringNotEquals": { "s3:RequestObjectTagKeys": ["Owner", "CreationDate"] } },
            },
          ],
        },
        "denied: resource",
      ],
      [
        "read by everybody",
        {
          principal: "anonymous",
          action: "s3:GetObject",
          identity: [],
          resourcePolicy: [
            {
              Effect: "Allow",
              Principal: "*",
              Action: ["s3:GetObject", "s3:GetObjectVersion"],
              Resource: ["arn:aws:s3:::bucket/*"],
            },
          ],
        },
        yes,
      ],
      [
        "… and not written",
        {
          principal: "anonymous",
          identity: [],
          resourcePolicy: [
            { Effect: "Allow", Principal: "*", Action: ["s3:GetObject"], Resource: ["arn:aws:s3:::bucket/*"] },
          ],
        },
        "nothing allows: resource",
      ],
      [
        "… and not listed",
        {
          principal: "anonymous",
          action: "s3:ListBucket",
          resource: "arn:aws:s3:::bucket",
          identity: [],
          resourcePolicy: [
            { Effect: "Allow", Principal: "*", Action: ["s3:GetObject"], Resource: ["arn:aws:s3:::bucket/*"] },
          ],
        },
        "nothing allows: resource",
      ],
    ],
  },
  {
    about: "Lambda: who may invoke a function",
    source: "Lambda developer guide, Resource-based policies; Service Authorization Reference, AWS Lambda",
    given: {
      action: "lambda:InvokeFunction",
      resource: `arn:aws:lambda:us-east-1:${account}:function:f`,
      principal: "apigateway",
      resourcePolicy: [
        {
          Sid: "gateway",
          Effect: "Allow",
          Principal: { Service: "apigateway.amazonaws.com" },
          Action: "lambda:InvokeFunction",
          Resource: `arn:aws:lambda:us-east-1:${account}:function:f`,
          Condition: { ArnLike: { "AWS:SourceArn": `arn:aws:execute-api:us-east-1:${account}:api1/*/GET/pets` } },
        },
      ],
    },
    cases: [
      ["the method that is named", {}, yes],
      ["another function", { resource: `arn:aws:lambda:us-east-1:${account}:function:g` }, "nothing allows: resource"],
      [
        "an alias that is not named",
        { resource: `arn:aws:lambda:us-east-1:${account}:function:f:prod` },
        "nothing allows: resource",
      ],
      ["another service", { principal: "sns" }, "nothing allows: resource"],
      [
        "a function URL for everybody",
        {
          principal: "anonymous",
          action: "lambda:InvokeFunctionUrl",
          context: { "lambda:FunctionUrlAuthType": "NONE" },
          resourcePolicy: [
            {
              Effect: "Allow",
              Principal: "*",
              Action: "lambda:InvokeFunctionUrl",
              Resource: "*",
              Condition: { StringEquals: { "lambda:FunctionUrlAuthType": "NONE" } },
            },
          ],
        },
        yes,
      ],
      [
        "a function URL that asks for signatures",
        {
          principal: "anonymous",
          action: "lambda:InvokeFunctionUrl",
          context: { "lambda:FunctionUrlAuthType": "AWS_IAM" },
          resourcePolicy: [
            {
              Effect: "Allow",
              Principal: "*",
              Action: "lambda:InvokeFunctionUrl",
              Resource: "*",
              Condition: { StringEquals: { "lambda:FunctionUrlAuthType": "NONE" } },
            },
          ],
        },
        "nothing allows: resource",
      ],
    ],
  },
  {
    about: "API Gateway: methods and paths as actions and resources",
    source: "API Gateway developer guide, Control access to an API with IAM permissions; execute-api policies",
    given: {
      identity: [
        {
          Effect: "Allow",
          Action: "execute-api:Invoke",
          Resource: `arn:aws:execute-api:us-east-1:${account}:api1/prod/GET/pets/*`,
        },
      ],
      action: "execute-api:Invoke",
    },
    cases: [
      ["the method and path", { resource: `arn:aws:execute-api:us-east-1:${account}:api1/prod/GET/pets/1` }, yes],
      ["another method", { resource: `arn:aws:execute-api:us-east-1:${account}:api1/prod/POST/pets/1` }, no],
      ["another stage", { resource: `arn:aws:execute-api:us-east-1:${account}:api1/test/GET/pets/1` }, no],
      ["another API", { resource: `arn:aws:execute-api:us-east-1:${account}:api2/prod/GET/pets/1` }, no],
      ["its control plane", { action: "apigateway:GET", resource: "arn:aws:apigateway:us-east-1::/restapis/api1" }, no],
      [
        "the control plane, by its own actions",
        {
          action: "apigateway:GET",
          resource: "arn:aws:apigateway:us-east-1::/restapis/api1",
          identity: [
            { Effect: "Allow", Action: "apigateway:GET", Resource: "arn:aws:apigateway:us-east-1::/restapis/*" },
          ],
        },
        yes,
      ],
      [
        "… and no other method",
        {
          action: "apigateway:DELETE",
          resource: "arn:aws:apigateway:us-east-1::/restapis/api1",
          identity: [{ Effect: "Allow", Action: "apigateway:GET", Resource: "*" }],
        },
        no,
      ],
    ],
  },
  {
    about: "CloudFormation: templates from one place",
    source:
      "CloudFormation user guide, Controlling access with IAM: cloudformation:TemplateUrl, ResourceTypes, RoleArn",
    given: {
      action: "cloudformation:CreateStack",
      resource: `arn:aws:cloudformation:us-east-1:${account}:stack/s/*`,
      identity: [
        {
          Effect: "Allow",
          Action: ["cloudformation:CreateStack", "cloudformation:UpdateStack"],
          Resource: "*",
          Condition: { StringEquals: { "cloudformation:TemplateUrl": ["https://s3.amazonaws.com/templates/a.yaml"] } },
        },
      ],
    },
    cases: [
      [
        "that template",
        { context: { "cloudformation:TemplateUrl": "https://s3.amazonaws.com/templates/a.yaml" } },
        yes,
      ],
      ["another", { context: { "cloudformation:TemplateUrl": "https://s3.amazonaws.com/templates/b.yaml" } }, no],
      ["one in the request", {}, no],
      [
        "with a role that may be used",
        {
          context: { "cloudformation:RoleArn": `arn:aws:iam::${account}:role/deploy` },
          identity: [
            {
              Effect: "Allow",
              Action: "cloudformation:*",
              Resource: "*",
              Condition: { ArnEquals: { "cloudformation:RoleArn": `arn:aws:iam::${account}:role/deploy` } },
            },
          ],
        },
        yes,
      ],
    ],
  },
  {
    about: "Logs: groups and streams",
    source: "Service Authorization Reference, Amazon CloudWatch Logs: forms of ARNs",
    given: {
      action: "logs:PutLogEvents",
      resource: `arn:aws:logs:us-east-1:${account}:log-group:/aws/lambda/f:log-stream:s`,
    },
    cases: [
      [
        "the group and all in it",
        {
          identity: [
            {
              Effect: "Allow",
              Action: "logs:*",
              Resource: `arn:aws:logs:us-east-1:${account}:log-group:/aws/lambda/f:*`,
            },
          ],
        },
        yes,
      ],
      [
        "the stream",
        {
          identity: [
            {
              Effect: "Allow",
              Action: "logs:*",
              Resource: `arn:aws:logs:us-east-1:${account}:log-group:/aws/lambda/f:log-stream:s`,
            },
          ],
        },
        yes,
      ],
      [
        "the group alone is not its streams",
        {
          identity: [
            {
              Effect: "Allow",
              Action: "logs:*",
              Resource: `arn:aws:logs:us-east-1:${account}:log-group:/aws/lambda/f`,
            },
          ],
        },
        no,
      ],
      ["all groups", { identity: [{ Effect: "Allow", Action: "logs:*", Resource: "arn:aws:logs:*:*:*" }] }, yes],
      [
        "another group",
        {
          identity: [
            {
              Effect: "Allow",
              Action: "logs:*",
              Resource: `arn:aws:logs:us-east-1:${account}:log-group:/aws/lambda/g:*`,
            },
          ],
        },
        no,
      ],
    ],
  },
];
