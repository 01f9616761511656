import { AwsError } from "../../aws/error.ts";
import type { WebIdentity } from "../../aws/principal.ts";
import type { Call } from "../../wire/service.ts";
import { invalidPoolConfiguration } from "./errors.ts";
import { identityLimits } from "./limits.ts";
import type { CognitoIdentityNeeds } from "./needs.ts";
import { identityProvider, type IdentityToken } from "./tokens.ts";

/**
 * Credentials of a role for an identity, as AssumeRoleWithWebIdentity gives them: the role's trust policy must allow it to
 * this identity of this pool (and, with tags, `sts:TagSession`).
 *
 * @throws InvalidIdentityPoolConfigurationException when it does not, or when there is no such role
 */
export async function assumeRole(
  { sts }: Pick<CognitoIdentityNeeds, "sts">,
  call: Call,
  roleArn: string,
  token: IdentityToken,
) {
  try {
    const session = await sts.assumeRoleWithWebIdentity(
      {
        roleArn,
        sessionName: "CognitoIdentityCredentials",
        identity: webIdentityOf(token),
        durationSeconds: identityLimits.credentialSeconds,
        tags: token.tags,
        ...(token.amr.includes("unauthenticated") && { policy: guestPolicy }),
      },
      call,
    );
    return session.credentials;
  } catch (error) {
    // What the role's policy says is not for a stranger to learn.
    if (error instanceof AwsError && error.status < 500) throw invalidPoolConfiguration();
    throw error;
  }
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
