import { AwsError } from "../../aws/error.ts";
import { parseArn } from "../../aws/arn.ts";
import type { Principal, WebIdentity } from "../../aws/principal.ts";
import type { Call } from "../../wire/service.ts";
import { invalidPoolConfiguration } from "./errors.ts";
import { identityLimits } from "./limits.ts";
import type { CognitoIdentityNeeds } from "./needs.ts";
import { identityProvider, type IdentityToken } from "./tokens.ts";

/**
 * Credentials of a role for an identity, as AssumeRoleWithWebIdentity would give them: the role's trust policy must allow it
 * to this identity of this pool (and, with tags, `sts:TagSession`).
 *
 * @throws InvalidIdentityPoolConfigurationException when it does not, or when there is no such role
 */
export async function assumeRole(
  { iam, authorizer }: Pick<CognitoIdentityNeeds, "iam" | "authorizer">,
  call: Call,
  roleArn: string,
  token: IdentityToken,
) {
  const role = await iam.findRole(roleArn);
  if (role === undefined) throw invalidPoolConfiguration();
  const webIdentity = webIdentityOf(token);
  const account = parseArn(role.roleArn)?.account ?? "";
  const tags = Object.entries(token.tags);
  const request = {
    action: "sts:AssumeRoleWithWebIdentity",
    resource: role.roleArn,
    resourceAccount: account,
    resourcePolicy: role.trustPolicy,
    resourcePolicyRequired: true,
    context: {
      ...webIdentity.context,
      "sts:rolesessionname": [sessionName],
      ...(tags.length > 0 && { "aws:TagKeys": tags.map(([name]) => name) }),
      ...Object.fromEntries(tags.map(([name, value]) => [`aws:RequestTag/${name}`, [value]])),
    },
  };
  const environment = {
    account,
    region: call.region,
    sourceIp: call.http?.sourceIp ?? "",
    secureTransport: call.http?.secure ?? true,
    userAgent: call.http?.headers["user-agent"] ?? "",
    now: call.now,
  };
  const actions = tags.length > 0 ? [request, { ...request, action: "sts:TagSession" }] : [request];
  try {
    for (const each of actions) await authorizer.authorize({ type: "webIdentity", ...webIdentity }, each, environment);
  } catch (error) {
    // What the role's policy says is not for a stranger to learn.
    if (error instanceof AwsError) throw invalidPoolConfiguration();
    throw error;
  }
  const isGuest = token.amr.includes("unauthenticated");
  const principal: Extract<Principal, { type: "assumedRole" }> = {
    type: "assumedRole",
    account,
    arn: `arn:aws:sts::${account}:assumed-role/${role.roleName}/${sessionName}`,
    roleArn: role.roleArn,
    roleId: role.roleId,
    sessionName,
    accessKeyId: "",
    sessionPolicies: isGuest ? [guestPolicy] : [],
    sessionTags: token.tags,
    webIdentity,
  };
  return iam.issueCredentials(principal, identityLimits.credentialSeconds);
}

/** What a trust policy sees of an identity. */
function webIdentityOf(token: IdentityToken): WebIdentity {
  return {
    provider: identityProvider,
    context: {
      [`${identityProvider}:aud`]: [token.poolId],
      [`${identityProvider}:sub`]: [token.identityId],
      [`${identityProvider}:amr`]: token.amr,
    },
  };
}

const sessionName = "CognitoIdentityCredentials";

/**
 * AWS: whatever a role allows, guests get no further than these: the session policy of the enhanced flow, and the
 * managed policy AmazonCognitoUnAuthedIdentitiesSessionPolicy. Source: "IAM roles", "Access policies for
 * unauthenticated identities" in the developer guide.
 */
const guestActions = [
  "cloudwatch:* logs:* dynamodb:* kinesis:* mobileanalytics:* s3:* ses:* sns:* sqs:* lambda:* machinelearning:*",
  "execute-api:* iot:* gamelift:* cognito-identity:* cognito-idp:* lex:* polly:* comprehend:* translate:* transcribe:*",
  "rekognition:* mobiletargeting:* firehose:* appsync:* personalize:* sagemaker:InvokeEndpoint cognito-sync:*",
  "codewhisperer:* textract:DetectDocumentText textract:AnalyzeDocument sdb:*",
  "rum:PutRumEvents geo:GetMap* geo:SearchPlaceIndex* geo:GetPlace geo:CalculateRoute* geo:*Geofence geo:*Geofences",
  "geo:*DevicePosition* kms:Encrypt kms:Decrypt kms:ReEncryptTo kms:ReEncryptFrom kms:GenerateDataKey",
  "kms:GenerateDataKeyPair kms:GenerateDataKeyPairWithoutPlaintext kms:GenerateDataKeyWithoutPlaintext",
];

const guestPolicy = JSON.stringify({
  Version: "2012-10-17",
  Statement: { Effect: "Allow", Action: guestActions.join(" ").split(" "), Resource: "*" },
});
