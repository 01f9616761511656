import { no, rows, yes, type Group } from "./case.ts";

const page = "IAM user guide, Condition operators";
const allow = { Effect: "Allow", Action: "s3:GetObject", Resource: "*" };
const given = (condition: object) => ({
  action: "s3:GetObject",
  resource: "arn:aws:s3:::bucket/key",
  identity: [{ ...allow, Condition: condition }],
});

/** One group for each operator, over values of a key that no service has. */
export const operatorGroups: readonly Group[] = [
  {
    about: "StringEquals",
    source: `${page}: String`,
    given: given({ StringEquals: { "test:key": "Value" } }),
    cases: rows("test:key", [
      ["Value", yes],
      ["value", no],
      ["VALUE", no],
      ["Value ", no],
      [" Value", no],
      ["Val", no],
      ["ValueAndMore", no],
      ["", no],
      ["V*", no],
      [undefined, no],
    ]),
  },
  {
    about: "StringEquals takes wildcards by the letter",
    source: `${page}: String (only StringLike has wildcards)`,
    given: given({ StringEquals: { "test:key": "a*b?" } }),
    cases: rows("test:key", [
      ["a*b?", yes],
      ["axbx", no],
      ["ab", no],
    ]),
  },
  {
    about: "StringEquals with several values: any of them",
    source: "IAM user guide, Conditions with multiple context keys or values",
    given: given({ StringEquals: { "test:key": ["one", "two"] } }),
    cases: rows("test:key", [
      ["one", yes],
      ["two", yes],
      ["three", no],
      [undefined, no],
    ]),
  },
  {
    about: "StringNotEquals",
    source: `${page}: String`,
    given: given({ StringNotEquals: { "test:key": "Value" } }),
    cases: rows("test:key", [
      ["Value", no],
      ["value", yes],
      ["other", yes],
      ["", yes],
      [undefined, yes],
    ]),
  },
  {
    about: "StringNotEquals with several values: none of them",
    source: "IAM user guide, Conditions with multiple context keys or values: negated matching is NOR",
    given: given({ StringNotEquals: { "test:key": ["one", "two"] } }),
    cases: rows("test:key", [
      ["one", no],
      ["two", no],
      ["three", yes],
      [undefined, yes],
    ]),
  },
  {
    about: "StringEqualsIgnoreCase",
    source: `${page}: String`,
    given: given({ StringEqualsIgnoreCase: { "test:key": "Value" } }),
    cases: rows("test:key", [
      ["Value", yes],
      ["vALUE", yes],
      ["values", no],
      [undefined, no],
    ]),
  },
  {
    about: "StringNotEqualsIgnoreCase",
    source: `${page}: String`,
    given: given({ StringNotEqualsIgnoreCase: { "test:key": "Value" } }),
    cases: rows("test:key", [
      ["VALUE", no],
      ["values", yes],
      [undefined, yes],
    ]),
  },
  {
    about: "StringLike",
    source: `${page}: String`,
    given: given({ StringLike: { "test:key": "home/*/file?.txt" } }),
    cases: rows("test:key", [
      ["home/ann/file1.txt", yes],
      ["home//file1.txt", yes],
      ["home/a/b/c/file1.txt", yes],
      ["home/ann/file.txt", no],
      ["home/ann/file12.txt", no],
      ["Home/ann/file1.txt", no],
      ["xhome/ann/file1.txt", no],
      ["home/ann/file1.txt2", no],
      [undefined, no],
    ]),
  },
  {
    about: "StringLike with a wildcard alone asks that the key is there",
    source: `${page}: String`,
    given: given({ StringLike: { "test:key": "*" } }),
    cases: rows("test:key", [
      ["anything", yes],
      ["", yes],
      [undefined, no],
    ]),
  },
  {
    about: "StringLike without wildcards is StringEquals",
    source: `${page}: String`,
    given: given({ StringLike: { "test:key": "prod" } }),
    cases: rows("test:key", [
      ["prod", yes],
      ["production", no],
      ["preprod", no],
    ]),
  },
  {
    about: "StringNotLike",
    source: `${page}: String`,
    given: given({ StringNotLike: { "test:key": "prod-*" } }),
    cases: rows("test:key", [
      ["prod-1", no],
      ["prod-", no],
      ["prod", yes],
      ["PROD-1", yes],
      [undefined, yes],
    ]),
  },
  {
    about: "NumericEquals",
    source: `${page}: Numeric`,
    given: given({ NumericEquals: { "test:key": "10" } }),
    cases: rows("test:key", [
      ["10", yes],
      ["10.0", yes],
      ["1e1", yes],
      ["+10", yes],
      ["9", no],
      ["-10", no],
      ["ten", no],
      ["", no],
      ["0x0a", no],
      [undefined, no],
    ]),
  },
  {
    about: "NumericNotEquals",
    source: `${page}: Numeric`,
    given: given({ NumericNotEquals: { "test:key": "10" } }),
    cases: rows("test:key", [
      ["10", no],
      ["10.00", no],
      ["11", yes],
      [undefined, yes],
    ]),
  },
  {
    about: "NumericLessThan",
    source: `${page}: Numeric`,
    given: given({ NumericLessThan: { "test:key": "10" } }),
    cases: rows("test:key", [
      ["9.99", yes],
      ["-1000", yes],
      ["10", no],
      ["9a", no],
      [undefined, no],
    ]),
  },
  {
    about: "NumericLessThanEquals: the guide's s3:max-keys",
    source: `${page}: Numeric, example`,
    given: {
      action: "s3:ListBucket",
      resource: "arn:aws:s3:::example_bucket",
      identity: [
        {
          Effect: "Allow",
          Action: "s3:ListBucket",
          Resource: "arn:aws:s3:::example_bucket",
          Condition: { NumericLessThanEquals: { "s3:max-keys": "10" } },
        },
      ],
    },
    cases: rows("s3:max-keys", [
      ["10", yes],
      ["1", yes],
      ["11", no],
      ["1000", no],
      [undefined, no],
    ]),
  },
  {
    about: "NumericGreaterThan",
    source: `${page}: Numeric`,
    given: given({ NumericGreaterThan: { "test:key": "10.5" } }),
    cases: rows("test:key", [
      ["10.6", yes],
      ["10.5", no],
      ["9", no],
      ["100", yes],
      [undefined, no],
    ]),
  },
  {
    about: "NumericGreaterThanEquals, its value a JSON number",
    source: `${page}: Numeric; Grammar: quotation marks are optional for numbers`,
    given: given({ NumericGreaterThanEquals: { "test:key": 10 } }),
    cases: rows("test:key", [
      ["10", yes],
      ["9.999", no],
      ["11", yes],
    ]),
  },
  {
    about: "DateEquals",
    source: `${page}: Date and time`,
    given: given({ DateEquals: { "test:key": "2026-01-02T00:00:00Z" } }),
    cases: rows("test:key", [
      ["2026-01-02T00:00:00Z", yes],
      ["2026-01-02", yes],
      ["2026-01-02T01:00:00+01:00", yes],
      ["1767312000", yes],
      ["2026-01-02T00:00:01Z", no],
      ["yesterday", no],
      [undefined, no],
    ]),
  },
  {
    about: "DateNotEquals",
    source: `${page}: Date and time`,
    given: given({ DateNotEquals: { "test:key": "2026-01-02T00:00:00Z" } }),
    cases: rows("test:key", [
      ["2026-01-02T00:00:00Z", no],
      ["2026-01-03T00:00:00Z", yes],
      [undefined, yes],
    ]),
  },
  {
    about: "DateLessThan",
    source: `${page}: Date and time`,
    given: given({ DateLessThan: { "test:key": "2026-01-02T00:00:00Z" } }),
    cases: rows("test:key", [
      ["2026-01-01T23:59:59Z", yes],
      ["2026-01-02T00:00:00Z", no],
      ["2025", yes],
      ["1767311999", yes],
      ["1767312000", no],
      [undefined, no],
    ]),
  },
  {
    about: "DateLessThanEquals",
    source: `${page}: Date and time`,
    given: given({ DateLessThanEquals: { "test:key": "2026-01-02T00:00:00Z" } }),
    cases: rows("test:key", [
      ["2026-01-02T00:00:00Z", yes],
      ["2026-01-02T00:00:01Z", no],
    ]),
  },
  {
    about: "DateGreaterThan: credentials issued since",
    source: `${page}: Date and time, example with aws:TokenIssueTime`,
    given: {
      action: "iam:CreateAccessKey",
      resource: "arn:aws:iam::111122223333:user/ann",
      identity: [
        {
          Effect: "Allow",
          Action: "iam:*AccessKey*",
          Resource: "arn:aws:iam::111122223333:user/*",
          Condition: { DateGreaterThan: { "aws:TokenIssueTime": "2020-01-01T00:00:01Z" } },
        },
      ],
    },
    cases: [
      ["temporary credentials", { principal: "role" }, yes],
      ["temporary credentials of a user", { principal: "userWithSession" }, yes],
      ["an access key", {}, no],
      ["another action", { principal: "role", action: "iam:CreateUser" }, no],
    ],
  },
  {
    about: "DateGreaterThanEquals, by seconds since 1970",
    source: `${page}: Date and time (epoch time)`,
    given: given({ DateGreaterThanEquals: { "test:key": "1767312000" } }),
    cases: rows("test:key", [
      ["2026-01-02T00:00:00Z", yes],
      ["2026-01-01T23:59:59Z", no],
    ]),
  },
];
