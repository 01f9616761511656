import type { Principal } from "../../../src/aws/principal.ts";
import type { PrincipalName } from "./case.ts";

const account = "111122223333";
const issued = Date.parse("2026-01-02T10:00:00Z");
const withMfa = { tokenIssuedAt: issued, mfaAt: Date.parse("2026-01-02T11:00:00Z") };

const user = {
  type: "user",
  account,
  arn: `arn:aws:iam::${account}:user/ann`,
  userId: "AIDAEXAMPLEEXAMPLE001",
  userName: "ann",
  accessKeyId: "AKIAEXAMPLE",
} as const;

const role = {
  type: "assumedRole",
  account,
  arn: `arn:aws:sts::${account}:assumed-role/worker/job`,
  roleArn: `arn:aws:iam::${account}:role/worker`,
  roleId: "AROAEXAMPLEEXAMPLE001",
  sessionName: "job",
  accessKeyId: "ASIAEXAMPLE",
  sessionPolicies: [],
  sessionTags: { team: "blue" },
  tokenIssuedAt: issued,
} as const;

const federated = {
  type: "federatedUser",
  account,
  arn: `arn:aws:sts::${account}:federated-user/guest`,
  name: "guest",
  accessKeyId: "ASIAEXAMPLE",
  sessionPolicies: [],
  sessionTags: {},
  tokenIssuedAt: issued,
} as const;

const token = {
  provider: "accounts.google.com",
  context: { "accounts.google.com:sub": ["1234"], "accounts.google.com:aud": ["app"] },
};

/** Those of whom the tables speak. */
export const principals: Readonly<Record<PrincipalName, Principal>> = {
  user,
  userWithSession: { ...user, tokenIssuedAt: issued },
  userWithMfa: { ...user, ...withMfa },
  root: { type: "root", account, arn: `arn:aws:iam::${account}:root`, accessKeyId: "AKIAROOT" },
  role: { ...role, sourceIdentity: "ann@example.com" },
  roleWithMfa: { ...role, ...withMfa },
  webRole: { ...role, webIdentity: token },
  webIdentity: { type: "webIdentity", ...token },
  federatedUser: {
    ...federated,
    issuer: { type: "user", arn: user.arn, userId: user.userId, userName: user.userName },
  },
  federatedRoot: { ...federated, issuer: { type: "root", arn: `arn:aws:iam::${account}:root` } },
  apigateway: {
    type: "service",
    service: "apigateway.amazonaws.com",
    sourceArn: `arn:aws:execute-api:us-east-1:${account}:api1/prod/GET/pets`,
  },
  sns: { type: "service", service: "sns.amazonaws.com" },
  anonymous: { type: "anonymous" },
};
