import { no, rows, yes, type Group } from "./case.ts";

const page = "IAM user guide, Set operators for multivalued context keys";
const table = "arn:aws:dynamodb:us-east-1:111122223333:table/Thread";
const given = (condition: object, effect = "Allow") => ({
  action: "dynamodb:GetItem",
  resource: table,
  identity: [
    ...(effect === "Deny" ? [{ Effect: "Allow", Action: "dynamodb:*", Resource: "*" }] : []),
    { Effect: effect, Action: "dynamodb:GetItem", Resource: table, Condition: condition },
  ],
});
const attributes = ["PostDateTime", "Message", "Tags"];
const key = "dynamodb:Attributes";

export const setGroups: readonly Group[] = [
  {
    about: "ForAllValues: only these attributes",
    source: `${page}: ForAllValues, the guide's forum`,
    given: given({ "ForAllValues:StringLike": { [key]: attributes } }),
    cases: rows(key, [
      [["PostDateTime", "Message"], yes],
      [["Tags"], yes],
      [["PostDateTime", "Message", "Tags"], yes],
      [["PostDateTime", "UserName"], no],
      [["ID"], no],
      [["postdatetime"], no],
      [[], yes],
      [undefined, yes],
    ]),
  },
  {
    about: "ForAnyValue with Deny: none of these attributes",
    source: `${page}: ForAnyValue, the guide's forum`,
    given: given({ "ForAnyValue:StringLike": { [key]: ["ID", "PostDateTime"] } }, "Deny"),
    cases: rows(key, [
      [["PostDateTime", "Message"], "denied: identity"],
      [["ID"], "denied: identity"],
      [["UserName"], yes],
      [["Message", "Tags"], yes],
      [[], yes],
      [undefined, yes],
    ]),
  },
  {
    about: "ForAnyValue with Allow",
    source: page,
    given: given({ "ForAnyValue:StringEquals": { [key]: ["a", "b"] } }),
    cases: rows(key, [
      [["x", "b"], yes],
      [["x", "y"], no],
      [["a"], yes],
      [[], no],
      [undefined, no],
    ]),
  },
  {
    about: "ForAllValues of a negated operator: no value is any of these",
    source: page,
    given: given({ "ForAllValues:StringNotEquals": { [key]: ["a", "b"] } }),
    cases: rows(key, [
      [["x", "y"], yes],
      [["x", "a"], no],
      [["b"], no],
      [undefined, yes],
    ]),
  },
  {
    about: "ForAnyValue of a negated operator: some value is none of these",
    source: page,
    given: given({ "ForAnyValue:StringNotEquals": { [key]: ["a", "b"] } }),
    cases: rows(key, [
      [["a", "x"], yes],
      [["a", "b"], no],
      [["x"], yes],
      [undefined, no],
    ]),
  },
  {
    about: "ForAllValues with a check that there is a value",
    source: `${page}: combine ForAllValues with Null`,
    given: given({ "ForAllValues:StringEquals": { [key]: attributes }, Null: { [key]: "false" } }),
    cases: rows(key, [
      [["Tags"], yes],
      [["ID"], no],
      [undefined, no],
    ]),
  },
  {
    about: "aws:TagKeys: only these tags may be given",
    source: "IAM user guide, Controlling access based on tag keys",
    given: {
      action: "lambda:TagResource",
      resource: "arn:aws:lambda:us-east-1:111122223333:function:f",
      identity: [
        {
          Effect: "Allow",
          Action: "lambda:TagResource",
          Resource: "*",
          Condition: { "ForAllValues:StringEquals": { "aws:TagKeys": ["environment", "cost-center"] } },
        },
      ],
    },
    cases: rows("aws:TagKeys", [
      [["environment"], yes],
      [["environment", "cost-center"], yes],
      [["Environment"], no],
      [["environment", "owner"], no],
    ]),
  },
  {
    about: "aws:CalledVia: one of the services on the way",
    source: "IAM user guide, aws:CalledVia: KmsActionsIfCalledViaDynamodb",
    given: {
      action: "kms:Decrypt",
      resource: "arn:aws:kms:us-east-1:111122223333:key/my-example-key",
      identity: [
        {
          Effect: "Allow",
          Action: ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey", "kms:DescribeKey"],
          Resource: "arn:aws:kms:us-east-1:111122223333:key/my-example-key",
          Condition: { "ForAnyValue:StringEquals": { "aws:CalledVia": ["dynamodb.amazonaws.com"] } },
        },
      ],
    },
    cases: [
      ["directly", {}, no],
      ["by DynamoDB", { calledVia: ["dynamodb.amazonaws.com"] }, yes],
      ["by CloudFormation", { calledVia: ["cloudformation.amazonaws.com"] }, no],
      ["by both", { calledVia: ["cloudformation.amazonaws.com", "dynamodb.amazonaws.com"] }, yes],
      ["another action", { calledVia: ["dynamodb.amazonaws.com"], action: "kms:ScheduleKeyDeletion" }, no],
      ["a wildcard in the action", { calledVia: ["dynamodb.amazonaws.com"], action: "kms:ReEncryptTo" }, yes],
    ],
  },
  {
    about: "aws:CalledViaFirst and aws:CalledViaLast",
    source: "IAM user guide, aws:CalledVia: KmsActionsIfCalledViaChain",
    given: {
      action: "kms:Decrypt",
      resource: "arn:aws:kms:us-east-1:111122223333:key/my-example-key",
      identity: [
        {
          Effect: "Allow",
          Action: "kms:Decrypt",
          Resource: "*",
          Condition: {
            StringEquals: {
              "aws:CalledViaFirst": "cloudformation.amazonaws.com",
              "aws:CalledViaLast": "dynamodb.amazonaws.com",
            },
          },
        },
      ],
    },
    cases: [
      ["in that order", { calledVia: ["cloudformation.amazonaws.com", "dynamodb.amazonaws.com"] }, yes],
      [
        "with one between",
        { calledVia: ["cloudformation.amazonaws.com", "x.amazonaws.com", "dynamodb.amazonaws.com"] },
        yes,
      ],
      ["the other way round", { calledVia: ["dynamodb.amazonaws.com", "cloudformation.amazonaws.com"] }, no],
      ["one alone", { calledVia: ["cloudformation.amazonaws.com"] }, no],
      ["directly", {}, no],
    ],
  },
];
