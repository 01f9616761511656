import { no, yes, type Group } from "./case.ts";

const star = { Effect: "Allow", Action: "*", Resource: "*" };
const variables = "IAM user guide, Policy variables";
const home = [
  {
    Effect: "Allow",
    Action: ["s3:ListBucket"],
    Resource: ["arn:aws:s3:::mybucket"],
    Condition: { StringLike: { "s3:prefix": ["${aws:username}/*"] } },
  },
  { Effect: "Allow", Action: ["s3:GetObject", "s3:PutObject"], Resource: ["arn:aws:s3:::mybucket/${aws:username}/*"] },
];
const onResource = (Resource: string | readonly string[]) => [{ Effect: "Allow", Action: "*", Resource }];

export const elementGroups: readonly Group[] = [
  {
    about: "Action",
    source: "IAM user guide, Action",
    given: { resource: "arn:aws:iam::111122223333:user/ann" },
    cases: [
      ["by name", { action: "iam:ListAccessKeys", identity: [{ ...star, Action: "iam:ListAccessKeys" }] }, yes],
      [
        "without case: the prefix",
        { action: "iam:ListAccessKeys", identity: [{ ...star, Action: "IAM:ListAccessKeys" }] },
        yes,
      ],
      [
        "without case: the name",
        { action: "iam:ListAccessKeys", identity: [{ ...star, Action: "iam:listaccesskeys" }] },
        yes,
      ],
      [
        "with a wildcard at the end",
        { action: "iam:ListAccessKeys", identity: [{ ...star, Action: "iam:List*" }] },
        yes,
      ],
      [
        "with wildcards around",
        { action: "iam:ListAccessKeys", identity: [{ ...star, Action: "iam:*AccessKey*" }] },
        yes,
      ],
      ["with a question mark", { action: "iam:GetRole", identity: [{ ...star, Action: "iam:?etRole" }] }, yes],
      [
        "a question mark is one character",
        { action: "iam:GetRole", identity: [{ ...star, Action: "iam:?GetRole" }] },
        no,
      ],
      ["all of a service", { action: "iam:GetRole", identity: [{ ...star, Action: "iam:*" }] }, yes],
      ["all of another service", { action: "iam:GetRole", identity: [{ ...star, Action: "s3:*" }] }, no],
      [
        "a prefix of the name is not the name",
        { action: "iam:GetRolePolicy", identity: [{ ...star, Action: "iam:GetRole" }] },
        no,
      ],
      ["everything", { action: "iam:GetRole", identity: [star] }, yes],
      ["one of a list", { action: "iam:GetRole", identity: [{ ...star, Action: ["s3:*", "iam:Get*"] }] }, yes],
      [
        "variables mean nothing in actions",
        { action: "iam:GetUser", identity: [{ ...star, Action: "iam:Get${aws:PrincipalType}" }] },
        no,
      ],
    ],
  },
  {
    about: "NotAction with Allow",
    source: "IAM user guide, NotAction: all S3 but DeleteBucket",
    given: {
      identity: [{ Effect: "Allow", NotAction: "s3:DeleteBucket", Resource: "arn:aws:s3:::*" }],
      resource: "arn:aws:s3:::bucket",
    },
    cases: [
      ["s3:ListBucket", { action: "s3:ListBucket" }, yes],
      ["s3:DeleteBucket", { action: "s3:DeleteBucket" }, no],
      ["without case", { action: "S3:deletebucket" }, no],
      [
        "another service's resource",
        { action: "lambda:GetFunction", resource: "arn:aws:lambda:us-east-1:111122223333:function:f" },
        no,
      ],
    ],
  },
  {
    about: "NotAction with Deny: regions",
    source: "IAM user guide, NotAction with Deny; aws:RequestedRegion",
    given: {
      identity: [
        star,
        {
          Sid: "DenyAllOutsideEU",
          Effect: "Deny",
          NotAction: ["iam:*", "sts:*"],
          Resource: "*",
          Condition: { StringNotEquals: { "aws:RequestedRegion": ["eu-central-1", "eu-west-1"] } },
        },
      ],
      resource: "*",
    },
    cases: [
      ["in the EU", { action: "lambda:ListFunctions", region: "eu-west-1" }, yes],
      ["outside", { action: "lambda:ListFunctions", region: "us-east-1" }, "denied: identity"],
      ["a global service outside", { action: "iam:ListUsers", region: "us-east-1" }, yes],
      ["another of them", { action: "sts:GetSessionToken", region: "us-east-1" }, yes],
    ],
  },
  {
    about: "Resource",
    source: "IAM user guide, Resource: wildcards",
    given: { action: "s3:GetObject", resource: "arn:aws:s3:::bucket/a/b/c.txt" },
    cases: [
      ["by ARN", { identity: onResource("arn:aws:s3:::bucket/a/b/c.txt") }, yes],
      ["with a wildcard at the end", { identity: onResource("arn:aws:s3:::bucket/*") }, yes],
      ["a wildcard reaches over slashes", { identity: onResource("arn:aws:s3:::bucket/*/c.txt") }, yes],
      ["a question mark is one character", { identity: onResource("arn:aws:s3:::bucket/a/?/c.txt") }, yes],
      ["… and not two", { identity: onResource("arn:aws:s3:::bucket/??/c.txt") }, no],
      ["resources have case", { identity: onResource("arn:aws:s3:::Bucket/*") }, no],
      ["the bucket is not its objects", { identity: onResource("arn:aws:s3:::bucket") }, no],
      ["a bucket whose name begins so", { identity: onResource("arn:aws:s3:::buck*") }, yes],
      ["one of a list", { identity: onResource(["arn:aws:s3:::other/*", "arn:aws:s3:::bucket/a/*"]) }, yes],
      ["everything", { identity: onResource("*") }, yes],
      ["all of the service", { identity: onResource("arn:aws:s3:::*") }, yes],
      ["any partition", { identity: onResource("arn:*:s3:::bucket/*") }, yes],
      ["another partition", { identity: onResource("arn:aws-cn:s3:::bucket/*") }, no],
    ],
  },
  {
    about: "Resource: parts of an ARN",
    source: "IAM user guide, IAM ARNs: wildcards in a segment",
    given: { action: "lambda:GetFunction", resource: "arn:aws:lambda:us-east-1:111122223333:function:orders:prod" },
    cases: [
      ["any region", { identity: onResource("arn:aws:lambda:*:111122223333:function:orders:prod") }, yes],
      ["any account", { identity: onResource("arn:aws:lambda:us-east-1:*:function:orders:prod") }, yes],
      [
        "a wildcard does not reach over a segment's colon",
        { identity: onResource("arn:aws:lambda:*:function:orders:prod") },
        no,
      ],
      [
        "in the last segment it reaches over colons",
        { identity: onResource("arn:aws:lambda:us-east-1:111122223333:function:*") },
        yes,
      ],
      [
        "the function is not its alias",
        { identity: onResource("arn:aws:lambda:us-east-1:111122223333:function:orders") },
        no,
      ],
      ["another account's", { identity: onResource("arn:aws:lambda:us-east-1:444455556666:function:*") }, no],
    ],
  },
  {
    about: "NotResource",
    source: "IAM user guide, NotResource: HRPayroll",
    given: {
      action: "s3:GetObject",
      identity: [
        star,
        {
          Effect: "Deny",
          Action: "s3:*",
          NotResource: ["arn:aws:s3:::HRBucket/Payroll", "arn:aws:s3:::HRBucket/Payroll/*"],
        },
      ],
    },
    cases: [
      ["in the folder", { resource: "arn:aws:s3:::HRBucket/Payroll/may" }, yes],
      ["the folder", { resource: "arn:aws:s3:::HRBucket/Payroll" }, yes],
      ["beside it", { resource: "arn:aws:s3:::HRBucket/Holidays" }, "denied: identity"],
      ["another bucket", { resource: "arn:aws:s3:::Other/Payroll" }, "denied: identity"],
      ["another service", { action: "iam:GetUser", resource: "arn:aws:iam::111122223333:user/ann" }, yes],
    ],
  },
  {
    about: "variables: everybody's own folder",
    source: `${variables}: mybucket`,
    given: { action: "s3:GetObject", identity: home },
    cases: [
      ["her own", { resource: "arn:aws:s3:::mybucket/ann/file" }, yes],
      ["his", { resource: "arn:aws:s3:::mybucket/bob/file" }, no],
      ["one whose name begins so", { resource: "arn:aws:s3:::mybucket/anna/file" }, no],
      [
        "list her own",
        { action: "s3:ListBucket", resource: "arn:aws:s3:::mybucket", context: { "s3:prefix": "ann/x" } },
        yes,
      ],
      ["list all", { action: "s3:ListBucket", resource: "arn:aws:s3:::mybucket" }, no],
      [
        "list his",
        { action: "s3:ListBucket", resource: "arn:aws:s3:::mybucket", context: { "s3:prefix": "bob/x" } },
        no,
      ],
      ["a role has no user name", { principal: "role", resource: "arn:aws:s3:::mybucket/worker/file" }, no],
      ["a role has none, whatever the folder", { principal: "role", resource: "arn:aws:s3:::mybucket//file" }, no],
      ["the variable by the letter", { resource: "arn:aws:s3:::mybucket/${aws:username}/file" }, no],
      [
        "in a document of 2008 it is the letter",
        { version: "2008-10-17", resource: "arn:aws:s3:::mybucket/${aws:username}/file" },
        yes,
      ],
      ["… and no name", { version: "2008-10-17", resource: "arn:aws:s3:::mybucket/ann/file" }, no],
    ],
  },
  {
    about: "variables: own access keys",
    source: `${variables}: iam:*AccessKey*`,
    given: {
      identity: [
        { Effect: "Allow", Action: ["iam:*AccessKey*"], Resource: ["arn:aws:iam::111122223333:user/${aws:username}"] },
      ],
      action: "iam:UpdateAccessKey",
    },
    cases: [
      ["her own", { resource: "arn:aws:iam::111122223333:user/ann" }, yes],
      ["his", { resource: "arn:aws:iam::111122223333:user/bob" }, no],
      ["her own, another action", { resource: "arn:aws:iam::111122223333:user/ann", action: "iam:DeleteUser" }, no],
    ],
  },
  {
    about: "variables: tags",
    source: `${variables}: Tags as policy variables`,
    given: {
      action: "s3:GetObject",
      tags: { Department: "sales" },
      identity: [{ Effect: "Allow", Action: "s3:*", Resource: "arn:aws:s3:::bucket/${aws:PrincipalTag/department}/*" }],
    },
    cases: [
      ["the user's department", { resource: "arn:aws:s3:::bucket/sales/a" }, yes],
      ["another department", { resource: "arn:aws:s3:::bucket/legal/a" }, no],
      ["a user without the tag", { tags: {}, resource: "arn:aws:s3:::bucket//a" }, no],
      [
        "a wildcard in the tag is no wildcard",
        { tags: { department: "*" }, resource: "arn:aws:s3:::bucket/legal/a" },
        no,
      ],
      [
        "a session's tag goes before the role's",
        {
          principal: "role",
          tags: { department: "legal" },
          identity: [{ Effect: "Allow", Action: "s3:*", Resource: "arn:aws:s3:::bucket/${aws:PrincipalTag/team}/*" }],
          resource: "arn:aws:s3:::bucket/blue/a",
        },
        yes,
      ],
    ],
  },
  {
    about: "variables: default values and special characters",
    source: `${variables}: Specifying default values; Special characters`,
    given: { action: "s3:GetObject", resource: "arn:aws:s3:::bucket/key" },
    cases: [
      [
        "the value where there is one",
        {
          context: { "test:key": "ann" },
          identity: [{ ...star, Condition: { StringEquals: { "test:key": "${aws:username, 'nobody'}" } } }],
        },
        yes,
      ],
      [
        "the default where there is none",
        {
          principal: "role",
          context: { "test:key": "nobody" },
          identity: [{ ...star, Condition: { StringEquals: { "test:key": "${aws:username, 'nobody'}" } } }],
        },
        yes,
      ],
      [
        "not the default where there is one",
        {
          context: { "test:key": "nobody" },
          identity: [{ ...star, Condition: { StringEquals: { "test:key": "${aws:username, 'nobody'}" } } }],
        },
        no,
      ],
      [
        "${*} is an asterisk",
        { resource: "arn:aws:s3:::bucket/a*b", identity: onResource("arn:aws:s3:::bucket/a${*}b") },
        yes,
      ],
      [
        "… and no wildcard",
        { resource: "arn:aws:s3:::bucket/axb", identity: onResource("arn:aws:s3:::bucket/a${*}b") },
        no,
      ],
      [
        "${?} is a question mark",
        { resource: "arn:aws:s3:::bucket/a?b", identity: onResource("arn:aws:s3:::bucket/a${?}b") },
        yes,
      ],
      [
        "… and not any one character",
        { resource: "arn:aws:s3:::bucket/axb", identity: onResource("arn:aws:s3:::bucket/a${?}b") },
        no,
      ],
      [
        "${$} is a dollar",
        { resource: "arn:aws:s3:::bucket/$x", identity: onResource("arn:aws:s3:::bucket/${$}x") },
        yes,
      ],
      [
        "names of variables have no case",
        { resource: "arn:aws:s3:::bucket/ann", identity: onResource("arn:aws:s3:::bucket/${AWS:UserName}") },
        yes,
      ],
      [
        "a variable without a value in a Deny denies nothing",
        {
          principal: "role",
          resource: "arn:aws:s3:::bucket/x",
          identity: [star, { Effect: "Deny", Action: "*", Resource: "arn:aws:s3:::bucket/${aws:username}*" }],
        },
        yes,
      ],
      [
        "a variable in ArnLike",
        {
          context: { "test:key": "arn:aws:iam::111122223333:user/ann" },
          identity: [{ ...star, Condition: { ArnLike: { "test:key": "arn:aws:iam::*:user/${aws:username}" } } }],
        },
        yes,
      ],
    ],
  },
];
