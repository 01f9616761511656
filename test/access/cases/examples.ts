import { no, yes, type Group } from "./case.ts";

const page = "IAM user guide, Example IAM identity-based policies";
const account = "111122223333";

export const exampleGroups: readonly Group[] = [
  {
    about: "AWS: denies access based on the source IP",
    source: `${page}: Denies access to AWS based on the source IP`,
    given: {
      action: "lambda:ListFunctions",
      resource: "*",
      identity: [
        { Effect: "Allow", Action: "*", Resource: "*" },
        {
          Effect: "Deny",
          Action: "*",
          Resource: "*",
          Condition: {
            NotIpAddress: { "aws:SourceIp": ["192.0.2.0/24", "203.0.113.0/24"] },
            Bool: { "aws:ViaAWSService": "false" },
          },
        },
      ],
    },
    cases: [
      ["from inside", { sourceIp: "192.0.2.7" }, yes],
      ["from outside", { sourceIp: "198.51.100.7" }, "denied: identity"],
      ["by a service for the user", { sourceIp: "", calledVia: ["cloudformation.amazonaws.com"] }, yes],
    ],
  },
  {
    about: "DynamoDB: a specific table",
    source: `${page}: Allows access to a specific table`,
    given: {
      identity: [
        {
          Sid: "ListAndDescribe",
          Effect: "Allow",
          Action: [
            "dynamodb:List*",
            "dynamodb:DescribeReservedCapacity*",
            "dynamodb:DescribeLimits",
            "dynamodb:DescribeTimeToLive",
          ],
          Resource: "*",
        },
        {
          Sid: "SpecificTable",
          Effect: "Allow",
          Action: [
            "dynamodb:BatchGet*",
            "dynamodb:DescribeStream",
            "dynamodb:DescribeTable",
            "dynamodb:Get*",
            "dynamodb:Query",
            "dynamodb:Scan",
            "dynamodb:BatchWrite*",
            "dynamodb:CreateTable",
            "dynamodb:Delete*",
            "dynamodb:Update*",
            "dynamodb:PutItem",
          ],
          Resource: "arn:aws:dynamodb:*:*:table/MyTable",
        },
      ],
      resource: "arn:aws:dynamodb:us-east-1:111122223333:table/MyTable",
    },
    cases: [
      ["GetItem", { action: "dynamodb:GetItem" }, yes],
      ["BatchWriteItem", { action: "dynamodb:BatchWriteItem" }, yes],
      [
        "another table",
        { action: "dynamodb:GetItem", resource: "arn:aws:dynamodb:us-east-1:111122223333:table/MyTable2" },
        no,
      ],
      [
        "an index of the table",
        { action: "dynamodb:Query", resource: "arn:aws:dynamodb:us-east-1:111122223333:table/MyTable/index/i" },
        no,
      ],
      ["ListTables", { action: "dynamodb:ListTables", resource: "*" }, yes],
      ["TagResource", { action: "dynamodb:TagResource" }, no],
    ],
  },
  {
    about: "DynamoDB: items whose key is the Cognito user",
    source: `${page}: Allows item-level access based on an Amazon Cognito ID`,
    given: {
      action: "dynamodb:GetItem",
      resource: "arn:aws:dynamodb:us-east-1:111122223333:table/MyTable",
      principal: "webRole",
      identity: [
        {
          Effect: "Allow",
          Action: [
            "dynamodb:DeleteItem",
            "dynamodb:GetItem",
            "dynamodb:PutItem",
            "dynamodb:Query",
            "dynamodb:UpdateItem",
          ],
          Resource: ["arn:aws:dynamodb:*:*:table/MyTable"],
          Condition: { "ForAllValues:StringEquals": { "dynamodb:LeadingKeys": ["${accounts.google.com:sub}"] } },
        },
      ],
    },
    cases: [
      ["one's own item", { context: { "dynamodb:LeadingKeys": ["1234"] } }, yes],
      ["another's", { context: { "dynamodb:LeadingKeys": ["9999"] } }, no],
      ["both", { context: { "dynamodb:LeadingKeys": ["1234", "9999"] } }, no],
      ["a role without such a token", { principal: "role", context: { "dynamodb:LeadingKeys": ["1234"] } }, no],
      ["Scan is not listed", { action: "dynamodb:Scan" }, no],
    ],
  },
  {
    about: "DynamoDB: specific attributes",
    source: `${page}: Allows access to specific columns`,
    given: {
      resource: "arn:aws:dynamodb:us-east-1:111122223333:table/MyTable",
      action: "dynamodb:GetItem",
      identity: [
        {
          Effect: "Allow",
          Action: ["dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query", "dynamodb:PutItem"],
          Resource: ["arn:aws:dynamodb:*:*:table/MyTable"],
          Condition: {
            "ForAllValues:StringEquals": { "dynamodb:Attributes": ["column-name-1", "column-name-2"] },
            StringEqualsIfExists: {
              "dynamodb:Select": "SPECIFIC_ATTRIBUTES",
              "dynamodb:ReturnValues": ["NONE", "UPDATED_OLD", "UPDATED_NEW"],
            },
          },
        },
      ],
    },
    cases: [
      ["those", { context: { "dynamodb:Attributes": ["column-name-1"] } }, yes],
      ["and another", { context: { "dynamodb:Attributes": ["column-name-1", "secret"] } }, no],
      [
        "selecting these",
        { context: { "dynamodb:Attributes": ["column-name-1"], "dynamodb:Select": "SPECIFIC_ATTRIBUTES" } },
        yes,
      ],
      [
        "selecting all",
        { context: { "dynamodb:Attributes": ["column-name-1"], "dynamodb:Select": "ALL_ATTRIBUTES" } },
        no,
      ],
      [
        "with the old values",
        {
          action: "dynamodb:PutItem",
          context: { "dynamodb:Attributes": ["column-name-1"], "dynamodb:ReturnValues": "ALL_OLD" },
        },
        no,
      ],
    ],
  },
  {
    about: "IAM: rotate one's own keys",
    source: `${page}: Allows IAM users to rotate their own passwords and access keys`,
    given: {
      resource: `arn:aws:iam::${account}:user/ann`,
      identity: [
        { Effect: "Allow", Action: ["iam:ListUsers", "iam:GetAccountPasswordPolicy"], Resource: "*" },
        {
          Effect: "Allow",
          Action: ["iam:*AccessKey*", "iam:ChangePassword", "iam:GetUser", "iam:*ServiceSpecificCredential*"],
          Resource: ["arn:aws:iam::*:user/${aws:username}"],
        },
      ],
    },
    cases: [
      ["her key", { action: "iam:CreateAccessKey" }, yes],
      ["her password", { action: "iam:ChangePassword" }, yes],
      ["his key", { action: "iam:CreateAccessKey", resource: `arn:aws:iam::${account}:user/bob` }, no],
      ["the list", { action: "iam:ListUsers", resource: "*" }, yes],
      ["her groups", { action: "iam:ListGroupsForUser" }, no],
    ],
  },
  {
    about: "IAM: manage users of a path",
    source: `${page}: Allows and denies access to ... by path`,
    given: {
      action: "iam:UpdateUser",
      identity: [{ Effect: "Allow", Action: "iam:*User", Resource: `arn:aws:iam::${account}:user/division/*` }],
    },
    cases: [
      ["of the path", { resource: `arn:aws:iam::${account}:user/division/bob` }, yes],
      ["of a path below", { resource: `arn:aws:iam::${account}:user/division/team/bob` }, yes],
      ["of another", { resource: `arn:aws:iam::${account}:user/bob` }, no],
    ],
  },
  {
    about: "IAM: a role may be passed to one service",
    source: "IAM user guide, Granting a user permissions to pass a role; iam:PassedToService",
    given: {
      action: "iam:PassRole",
      resource: `arn:aws:iam::${account}:role/lambda-worker`,
      identity: [
        {
          Effect: "Allow",
          Action: ["iam:GetRole", "iam:PassRole"],
          Resource: `arn:aws:iam::${account}:role/lambda-*`,
          Condition: { StringEqualsIfExists: { "iam:PassedToService": "lambda.amazonaws.com" } },
        },
      ],
    },
    cases: [
      ["to Lambda", { context: { "iam:PassedToService": "lambda.amazonaws.com" } }, yes],
      ["to EC2", { context: { "iam:PassedToService": "ec2.amazonaws.com" } }, no],
      [
        "another role",
        { resource: `arn:aws:iam::${account}:role/admin`, context: { "iam:PassedToService": "lambda.amazonaws.com" } },
        no,
      ],
      ["GetRole, which passes nothing", { action: "iam:GetRole" }, yes],
    ],
  },
  {
    about: "IAM: create users only with a boundary",
    source: "IAM user guide, Permissions boundaries: Delegating responsibility (iam:PermissionsBoundary)",
    given: {
      action: "iam:CreateUser",
      resource: `arn:aws:iam::${account}:user/new`,
      identity: [
        {
          Sid: "CreateOrChangeOnlyWithBoundary",
          Effect: "Allow",
          Action: ["iam:CreateUser", "iam:PutUserPolicy", "iam:AttachUserPolicy", "iam:PutUserPermissionsBoundary"],
          Resource: "*",
          Condition: {
            StringEquals: { "iam:PermissionsBoundary": `arn:aws:iam::${account}:policy/XCompanyBoundaries` },
          },
        },
        {
          Sid: "NoBoundaryPolicyEdit",
          Effect: "Deny",
          Action: [
            "iam:CreatePolicyVersion",
            "iam:DeletePolicy",
            "iam:DeletePolicyVersion",
            "iam:SetDefaultPolicyVersion",
          ],
          Resource: [`arn:aws:iam::${account}:policy/XCompanyBoundaries`],
        },
        { Sid: "NoBoundaryUserDelete", Effect: "Deny", Action: "iam:DeleteUserPermissionsBoundary", Resource: "*" },
      ],
    },
    cases: [
      [
        "with the boundary",
        { context: { "iam:PermissionsBoundary": `arn:aws:iam::${account}:policy/XCompanyBoundaries` } },
        yes,
      ],
      ["with another", { context: { "iam:PermissionsBoundary": `arn:aws:iam::${account}:policy/Other` } }, no],
      ["without", {}, no],
      ["take it away", { action: "iam:DeleteUserPermissionsBoundary" }, "denied: identity"],
      [
        "change it",
        { action: "iam:CreatePolicyVersion", resource: `arn:aws:iam::${account}:policy/XCompanyBoundaries` },
        "denied: identity",
      ],
    ],
  },
];
