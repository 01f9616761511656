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

export const globalKeyGroups: readonly Group[] = [
  {
    about: "aws:PrincipalArn",
    source: `${page}: aws:PrincipalArn`,
    given: when({ ArnEquals: { "aws:PrincipalArn": "arn:aws:iam::111122223333:*/worker" } }),
    cases: [
      ["a role's session has the role's", { principal: "role" }, yes],
      ["a user's own", {}, no],
      ["a user's own, by name", when({ ArnEquals: { "aws:PrincipalArn": "arn:aws:iam::111122223333:user/ann" } }), yes],
      [
        "the root's",
        {
          ...byResource({ ArnEquals: { "aws:PrincipalArn": "arn:aws:iam::111122223333:root" } }),
          identity: [],
          owner: "444455556666",
          principal: "root",
        },
        yes,
      ],
      [
        "a federated user's",
        {
          ...when({ ArnEquals: { "aws:PrincipalArn": "arn:aws:sts::111122223333:federated-user/guest" } }),
          principal: "federatedUser",
          session: [{ Effect: "Allow", Action: "*", Resource: "*" }],
        },
        yes,
      ],
      [
        "nobody has none",
        { ...byResource({ Null: { "aws:PrincipalArn": "true" } }), principal: "anonymous", identity: [] },
        yes,
      ],
    ],
  },
  {
    about: "aws:PrincipalAccount",
    source: `${page}: aws:PrincipalAccount`,
    given: byResource({ StringEquals: { "aws:PrincipalAccount": "111122223333" } }),
    cases: [
      ["a user", {}, yes],
      ["a role", { principal: "role" }, yes],
      ["nobody", { principal: "anonymous" }, none],
      [
        "nobody is of the account anonymous",
        { ...byResource({ StringEquals: { "aws:PrincipalAccount": "anonymous" } }), principal: "anonymous" },
        yes,
      ],
    ],
  },
  {
    about: "aws:PrincipalType",
    source: `${page}: aws:PrincipalType; Policy variables: Principal key values`,
    given: byResource({ StringEquals: { "aws:PrincipalType": ["Account", "AssumedRole"] } }),
    cases: [
      ["a user", {}, no],
      ["a role", { principal: "role" }, yes],
      ["the root, of another account's resource", { principal: "root", owner: "444455556666" }, yes],
      ["a user is User", byResource({ StringEquals: { "aws:PrincipalType": "User" } }), yes],
      [
        "a federated user is FederatedUser",
        { ...byResource({ StringEquals: { "aws:PrincipalType": "FederatedUser" } }), principal: "federatedUser" },
        yes,
      ],
      [
        "nobody is Anonymous",
        { ...byResource({ StringEquals: { "aws:PrincipalType": "Anonymous" } }), principal: "anonymous" },
        yes,
      ],
    ],
  },
  {
    about: "aws:PrincipalTag",
    source: `${page}: aws:PrincipalTag, tagManager`,
    given: { ...when({ StringEquals: { "aws:PrincipalTag/tagManager": "true" } }), action: "iam:TagUser" },
    cases: [
      ["with the tag", { tags: { tagManager: "true" } }, yes],
      ["names of tags have no case here", { tags: { TAGMANAGER: "true" } }, yes],
      ["another value", { tags: { tagManager: "false" } }, no],
      ["without", {}, no],
      [
        "a session's own tag",
        { ...when({ StringEquals: { "aws:PrincipalTag/team": "blue" } }), principal: "role" },
        yes,
      ],
      [
        "a session's tag goes before the role's",
        { ...when({ StringEquals: { "aws:PrincipalTag/team": "red" } }), principal: "role", tags: { team: "red" } },
        no,
      ],
    ],
  },
  {
    about: "aws:userid and aws:username",
    source: `${page}: aws:userid, aws:username; Policy variables: Principal key values`,
    given: when({ StringEquals: { "aws:userid": "AIDAEXAMPLEEXAMPLE001", "aws:username": "ann" } }),
    cases: [
      ["a user has both", {}, yes],
      [
        "a role's session is ROLEID:SESSION",
        { ...when({ StringEquals: { "aws:userid": "AROAEXAMPLEEXAMPLE001:job" } }), principal: "role" },
        yes,
      ],
      [
        "all sessions of a role",
        { ...when({ StringLike: { "aws:userid": "AROAEXAMPLEEXAMPLE001:*" } }), principal: "role" },
        yes,
      ],
      ["a role has no user name", { ...when({ Null: { "aws:username": "true" } }), principal: "role" }, yes],
      [
        "a federated user is ACCOUNT:NAME",
        {
          ...byResource({ StringEquals: { "aws:userid": "111122223333:guest" } }),
          identity: [],
          principal: "federatedUser",
        },
        yes,
      ],
      [
        "the root is its account",
        {
          ...byResource({ StringEquals: { "aws:userid": "111122223333" } }),
          identity: [],
          principal: "root",
          owner: "444455556666",
        },
        yes,
      ],
      [
        "nobody has none",
        { ...byResource({ Null: { "aws:userid": "true" } }), identity: [], principal: "anonymous" },
        yes,
      ],
    ],
  },
];
