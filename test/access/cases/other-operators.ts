import { no, rows, yes, type Group } from "./case.ts";

const page = "IAM user guide, Condition operators";
const allow = { Effect: "Allow", Action: "s3:GetObject", Resource: "*" };
const given = (condition: object) => ({
  action: "s3:GetObject",
  resource: "arn:aws:s3:::bucket/key",
  identity: [{ ...allow, Condition: condition }],
});

/** One group for each operator, over values of a key that no service has. */
export const otherOperatorGroups: readonly Group[] = [
  {
    about: "Bool",
    source: `${page}: Boolean`,
    given: given({ Bool: { "test:key": "true" } }),
    cases: rows("test:key", [
      ["true", yes],
      ["True", yes],
      ["false", no],
      ["1", no],
      [undefined, no],
    ]),
  },
  {
    about: "Bool false is not the same as absent",
    source: `${page}: Boolean`,
    given: given({ Bool: { "test:key": false } }),
    cases: rows("test:key", [
      ["false", yes],
      ["true", no],
      [undefined, no],
    ]),
  },
  {
    about: "BinaryEquals",
    source: `${page}: Binary`,
    given: given({ BinaryEquals: { "test:key": "QmluYXJ5VmFsdWVJbkJhc2U2NA==" } }),
    cases: rows("test:key", [
      ["QmluYXJ5VmFsdWVJbkJhc2U2NA==", yes],
      ["QmluYXJ5VmFsdWVJbkJhc2U2NB==", yes],
      ["QmluYXJ5", no],
      ["", no],
      [undefined, no],
    ]),
  },
  {
    about: "IpAddress: the guide's two ranges",
    source: `${page}: IP address, IPv4 and IPv6`,
    given: given({ IpAddress: { "aws:SourceIp": ["203.0.113.0/24", "2001:DB8:1234:5678::/64"] } }),
    cases: [
      ["inside (IPv4)", { sourceIp: "203.0.113.255" }, yes],
      ["the first address", { sourceIp: "203.0.113.0" }, yes],
      ["outside (IPv4)", { sourceIp: "203.0.114.0" }, no],
      ["inside (IPv6)", { sourceIp: "2001:db8:1234:5678::1" }, yes],
      ["outside (IPv6)", { sourceIp: "2001:db8:1234:5679::1" }, no],
      ["IPv4 in IPv6", { sourceIp: "::ffff:203.0.113.9" }, yes],
      ["no address", { sourceIp: "" }, no],
    ],
  },
  {
    about: "IpAddress without a prefix is one address",
    source: `${page}: IP address (default prefix /32)`,
    given: given({ IpAddress: { "aws:SourceIp": "203.0.113.5" } }),
    cases: [
      ["that", { sourceIp: "203.0.113.5" }, yes],
      ["the next", { sourceIp: "203.0.113.6" }, no],
    ],
  },
  {
    about: "NotIpAddress",
    source: `${page}: IP address`,
    given: given({ NotIpAddress: { "aws:SourceIp": "203.0.113.0/24" } }),
    cases: [
      ["inside", { sourceIp: "203.0.113.5" }, no],
      ["outside", { sourceIp: "198.51.100.1" }, yes],
      ["another family", { sourceIp: "2001:db8::1" }, yes],
      ["no address", { sourceIp: "" }, yes],
    ],
  },
  {
    about: "ArnLike matches part by part, where StringLike does not",
    source: `${page}: ARN, the guide's comparison`,
    given: given({ ArnLike: { "test:key": "arn:aws:someservice:*:111122223333:finance/*" } }),
    cases: rows("test:key", [
      ["arn:aws:someservice:us-east-2:111122223333:finance/document.txt", yes],
      ["arn:aws:someservice:us-east-2:999999999999:store/abc:111122223333:finance/document.txt", no],
      ["arn:aws:someservice:us-east-2:999999999999:finance/document.txt", no],
      ["arn:aws:other:us-east-2:111122223333:finance/document.txt", no],
      ["arn:aws:someservice:us-east-2:111122223333:Finance/document.txt", no],
      ["finance/document.txt", no],
      [undefined, no],
    ]),
  },
  {
    about: "StringLike matches across colons",
    source: `${page}: ARN, the guide's comparison`,
    given: given({ StringLike: { "test:key": "arn:aws:someservice:*:111122223333:finance/*" } }),
    cases: rows("test:key", [
      ["arn:aws:someservice:us-east-2:999999999999:store/abc:111122223333:finance/document.txt", yes],
      ["arn:aws:someservice:us-east-2:111122223333:finance/document.txt", yes],
    ]),
  },
  {
    about: "ArnEquals is ArnLike",
    source: `${page}: ARN (they behave identically)`,
    given: given({ ArnEquals: { "test:key": "arn:aws:sns:us-?ast-1:123456789012:topic-*" } }),
    cases: rows("test:key", [
      ["arn:aws:sns:us-east-1:123456789012:topic-a", yes],
      ["arn:aws:sns:us-west-1:123456789012:topic-a", no],
      ["arn:aws:sns:us-east-1:123456789012:other", no],
    ]),
  },
  {
    about: "ArnNotEquals",
    source: `${page}: ARN`,
    given: given({ ArnNotEquals: { "test:key": "arn:aws:sns:*:123456789012:*" } }),
    cases: rows("test:key", [
      ["arn:aws:sns:us-east-1:123456789012:topic", no],
      ["arn:aws:sns:us-east-1:210987654321:topic", yes],
      [undefined, yes],
    ]),
  },
  {
    about: "ArnNotLike",
    source: `${page}: ARN`,
    given: given({ ArnNotLike: { "test:key": "arn:aws:iam::*:role/admin-*" } }),
    cases: rows("test:key", [
      ["arn:aws:iam::111122223333:role/admin-a", no],
      ["arn:aws:iam::111122223333:role/dev", yes],
      [undefined, yes],
    ]),
  },
  {
    about: "IfExists: the guide's ec2:InstanceType",
    source: `${page}: IfExists, example`,
    given: {
      action: "ec2:RunInstances",
      resource: "arn:aws:ec2:us-east-1:111122223333:instance/*",
      identity: [
        {
          Effect: "Allow",
          Action: "ec2:RunInstances",
          Resource: "*",
          Condition: { StringLikeIfExists: { "ec2:InstanceType": ["t1.*", "t2.*", "m3.*"] } },
        },
      ],
    },
    cases: rows("ec2:InstanceType", [
      ["t2.micro", yes],
      ["m3.large", yes],
      ["c5.large", no],
      [undefined, yes],
    ]),
  },
  {
    about: "a negated IfExists also denies what is absent",
    source: `${page}: IfExists (StringNotEqualsIfExists with Deny)`,
    given: {
      action: "s3:GetObject",
      resource: "arn:aws:s3:::bucket/key",
      identity: [allow, { ...allow, Effect: "Deny", Condition: { StringNotEqualsIfExists: { "test:key": "a" } } }],
    },
    cases: rows("test:key", [
      ["a", yes],
      ["b", "denied: identity"],
      [undefined, "denied: identity"],
    ]),
  },
  {
    about: "Null true: the key is absent",
    source: `${page}: Null, example with aws:TokenIssueTime`,
    given: {
      action: "ec2:RunInstances",
      resource: "*",
      identity: [
        { Effect: "Allow", Action: "ec2:*", Resource: "*", Condition: { Null: { "aws:TokenIssueTime": "true" } } },
      ],
    },
    cases: [
      ["an access key of a user", {}, yes],
      ["a role's session", { principal: "role" }, no],
      ["a user's session", { principal: "userWithSession" }, no],
    ],
  },
  {
    about: "Null false: the key is there",
    source: `${page}: Null`,
    given: given({ Null: { "test:key": "false" } }),
    cases: rows("test:key", [
      ["x", yes],
      [[], no],
      [undefined, no],
    ]),
  },
  {
    about: "all operators and keys of a Condition must hold",
    source: "IAM user guide, Conditions with multiple context keys or values: AND between keys and operators",
    given: given({
      StringEquals: { "test:a": "1", "test:b": "2" },
      NumericLessThan: { "test:c": "10" },
    }),
    cases: [
      ["all", { context: { "test:a": "1", "test:b": "2", "test:c": "3" } }, yes],
      ["one is another", { context: { "test:a": "1", "test:b": "3", "test:c": "3" } }, no],
      ["one is missing", { context: { "test:a": "1", "test:c": "3" } }, no],
      ["another operator fails", { context: { "test:a": "1", "test:b": "2", "test:c": "10" } }, no],
      ["none is there", {}, no],
    ],
  },
  {
    about: "names of keys have no case",
    source: "IAM user guide, Condition: key names are not case-sensitive",
    given: given({ StringEquals: { "TEST:Key": "a" } }),
    cases: [
      ["as another writes it", { context: { "test:kEY": "a" } }, yes],
      ["the value has case", { context: { "test:key": "A" } }, no],
    ],
  },
  {
    about: "names of operators have no case",
    source: "IAM user guide, Condition",
    given: given({ stringequals: { "test:key": "a" } }),
    cases: rows("test:key", [
      ["a", yes],
      ["b", no],
    ]),
  },
];
