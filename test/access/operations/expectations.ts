/**
 * Which actions an operation asks for. Unless it is named here: the action that bears its name, on a resource of a form that the Service
 * Authorization Reference has for it; an operation for which there is no such action fails until it is named here.
 */
export interface Expectation {
  /** All that are asked for, with a member of the example input or without. */
  readonly actions: readonly string[];
  /** Where AWS says so. */
  readonly source: string;
}

const s3 = "Required permissions for Amazon S3 API operations";
const transactions = "DynamoDB developer guide, Using IAM with transactions: the action of each item";
const partiql = "DynamoDB developer guide, IAM security policies with PartiQL: the action of each statement";
const rules = "Service Authorization Reference: routing rules have actions of their own";
const seen = "AWS's answers: no resource type in the reference, but this in AccessDenied's message";

export const expectations: Readonly<Record<string, Expectation>> = {
  "sts:GetCallerIdentity": { actions: [], source: "STS API reference: no permissions are required" },
  "sts:GetSessionToken": { actions: [], source: "STS API reference: no permissions are required" },

  "s3:HeadBucket": { actions: ["s3:ListBucket"], source: s3 },
  "s3:ListBuckets": { actions: ["s3:ListAllMyBuckets"], source: s3 },
  "s3:ListObjects": { actions: ["s3:ListBucket"], source: s3 },
  "s3:ListObjectsV2": { actions: ["s3:ListBucket"], source: s3 },
  "s3:ListObjectVersions": { actions: ["s3:ListBucketVersions"], source: s3 },
  "s3:ListMultipartUploads": { actions: ["s3:ListBucketMultipartUploads"], source: s3 },
  "s3:ListParts": { actions: ["s3:ListMultipartUploadParts"], source: s3 },
  "s3:HeadObject": { actions: ["s3:GetObject"], source: s3 },
  "s3:GetObjectAttributes": { actions: ["s3:GetObject", "s3:GetObjectAttributes"], source: s3 },
  "s3:CreateMultipartUpload": { actions: ["s3:PutObject"], source: s3 },
  "s3:UploadPart": { actions: ["s3:PutObject"], source: s3 },
  "s3:CompleteMultipartUpload": { actions: ["s3:PutObject"], source: s3 },
  "s3:CopyObject": { actions: ["s3:GetObject", "s3:PutObject"], source: s3 },
  "s3:UploadPartCopy": { actions: ["s3:GetObject", "s3:PutObject"], source: s3 },
  "s3:DeleteObjects": { actions: [], source: `${s3}: s3:DeleteObject on each object, answered object by object` },
  "s3:DeleteBucketTagging": { actions: ["s3:PutBucketTagging"], source: s3 },
  "s3:GetBucketEncryption": { actions: ["s3:GetEncryptionConfiguration"], source: s3 },
  "s3:PutBucketEncryption": { actions: ["s3:PutEncryptionConfiguration"], source: s3 },
  "s3:DeleteBucketEncryption": { actions: ["s3:PutEncryptionConfiguration"], source: s3 },
  "s3:GetBucketNotificationConfiguration": { actions: ["s3:GetBucketNotification"], source: s3 },
  "s3:PutBucketNotificationConfiguration": { actions: ["s3:PutBucketNotification"], source: s3 },
  "s3:GetBucketCors": { actions: ["s3:GetBucketCORS"], source: s3 },
  "s3:PutBucketCors": { actions: ["s3:PutBucketCORS"], source: s3 },
  "s3:DeleteBucketCors": { actions: ["s3:PutBucketCORS"], source: s3 },
  "s3:GetBucketLifecycleConfiguration": { actions: ["s3:GetLifecycleConfiguration"], source: s3 },
  "s3:PutBucketLifecycleConfiguration": { actions: ["s3:PutLifecycleConfiguration"], source: s3 },
  "s3:DeleteBucketLifecycle": { actions: ["s3:PutLifecycleConfiguration"], source: s3 },
  "s3:GetPublicAccessBlock": { actions: ["s3:GetBucketPublicAccessBlock"], source: s3 },
  "s3:PutPublicAccessBlock": { actions: ["s3:PutBucketPublicAccessBlock"], source: s3 },
  "s3:DeletePublicAccessBlock": { actions: ["s3:PutBucketPublicAccessBlock"], source: s3 },
  "s3:GetObjectLockConfiguration": { actions: ["s3:GetBucketObjectLockConfiguration"], source: s3 },
  "s3:PutObjectLockConfiguration": { actions: ["s3:PutBucketObjectLockConfiguration"], source: s3 },
  "s3:DeleteBucketOwnershipControls": { actions: ["s3:PutBucketOwnershipControls"], source: s3 },

  "lambda:Invoke": { actions: ["lambda:InvokeFunction"], source: "Lambda API reference, Invoke" },
  "lambda:InvokeWithResponseStream": {
    actions: ["lambda:InvokeFunction"],
    source: "Lambda API reference, InvokeWithResponseStream",
  },
  "lambda:CreateFunction": {
    actions: ["lambda:CreateFunction", "iam:PassRole"],
    source: "Service Authorization Reference: dependent actions",
  },
  "lambda:CreateCapacityProvider": {
    actions: ["lambda:CreateCapacityProvider", "iam:PassRole"],
    source: "Service Authorization Reference: dependent actions",
  },
  "lambda:GetLayerVersionByArn": { actions: ["lambda:GetLayerVersion"], source: "Lambda API reference" },

  "dynamodb:RestoreTableFromBackup": {
    actions: [
      "dynamodb:RestoreTableFromBackup",
      "dynamodb:BatchWriteItem",
      "dynamodb:DeleteItem",
      "dynamodb:GetItem",
      "dynamodb:PutItem",
      "dynamodb:Query",
      "dynamodb:Scan",
      "dynamodb:UpdateItem",
    ],
    source: "DynamoDB developer guide, Using IAM with backup and restore: read and write permissions on the target",
  },
  "dynamodb:TransactGetItems": { actions: ["dynamodb:GetItem"], source: transactions },
  "dynamodb:ExecuteStatement": { actions: ["dynamodb:PartiQLSelect"], source: partiql },
  "dynamodb:ExecuteTransaction": { actions: ["dynamodb:PartiQLSelect"], source: partiql },
  "dynamodb:BatchExecuteStatement": { actions: [], source: `${partiql}; answered statement by statement` },
  "dynamodb:TransactWriteItems": { actions: ["dynamodb:PutItem"], source: transactions },

  "apigatewayv2:CreateRoutingRule": { actions: ["apigateway:CreateRoutingRule"], source: rules },
  "apigatewayv2:PutRoutingRule": { actions: ["apigateway:UpdateRoutingRule"], source: rules },
  "apigatewayv2:GetRoutingRule": { actions: ["apigateway:GetRoutingRule"], source: rules },
  "apigatewayv2:ListRoutingRules": { actions: ["apigateway:ListRoutingRules"], source: rules },
  "apigatewayv2:DeleteRoutingRule": { actions: ["apigateway:DeleteRoutingRule"], source: rules },
  "cognito-idp:CreateUserImportJob": {
    actions: ["cognito-idp:CreateUserImportJob", "iam:PassRole"],
    source: "Cognito developer guide, Creating the CloudWatch Logs IAM role",
  },
  "cognito-identity:SetIdentityPoolRoles": {
    actions: ["cognito-identity:SetIdentityPoolRoles", "iam:PassRole"],
    source: "Cognito developer guide: iam:PassRole for the roles that are set",
  },

  "apigatewaymanagementapi:PostToConnection": {
    actions: ["execute-api:ManageConnections"],
    source: "Use IAM authorization: WebSocket APIs",
  },
  "apigatewaymanagementapi:GetConnection": {
    actions: ["execute-api:ManageConnections"],
    source: "Use IAM authorization: WebSocket APIs",
  },
  "apigatewaymanagementapi:DeleteConnection": {
    actions: ["execute-api:ManageConnections"],
    source: "Use IAM authorization: WebSocket APIs",
  },
};

/** Resources that differ from the reference's forms, by action. */
export const resources: Readonly<Record<string, { readonly resource: RegExp; readonly source: string }>> = {
  "iam:ListRoles": { resource: /^arn:aws:iam::\d{12}:role\//, source: seen },
  "iam:ListUsers": { resource: /^arn:aws:iam::\d{12}:user\//, source: seen },
  "iam:ListGroups": { resource: /^arn:aws:iam::\d{12}:group\//, source: seen },
  "iam:ListPolicies": { resource: /^arn:aws:iam::\d{12}:policy\//, source: seen },
  "iam:ListInstanceProfiles": { resource: /^arn:aws:iam::\d{12}:instance-profile\//, source: seen },
  "iam:ListOpenIDConnectProviders": { resource: /^arn:aws:iam::\d{12}:oidc-provider\/\*$/, source: seen },
  "iam:ListSAMLProviders": { resource: /^arn:aws:iam::\d{12}:saml-provider\/\*$/, source: seen },
  "iam:GetMFADevice": { resource: /^arn:aws:iam::\d{12}:(?:mfa|user)\//, source: "IAM API reference: the device" },
  // The reference has no resource for these two: they are asked about the pool, as the operations beside them.
  "cognito-identity:SetIdentityPoolRoles": { resource: /:identitypool\//, source: "Cognito developer guide" },
  "cognito-identity:SetPrincipalTagAttributeMap": { resource: /:identitypool\//, source: "Cognito developer guide" },
  "iam:ListVirtualMFADevices": { resource: /^arn:aws:iam::\d{12}:mfa\//, source: seen },
  "logs:DescribeLogGroups": { resource: /^arn:aws:logs:[\w-]+:\d{12}:log-group::log-stream:/, source: seen },
  "cloudwatch:PutMetricData": { resource: /^\*$/, source: "the reference's data sets are not built" },
  "cloudwatch:GetMetricData": { resource: /^\*$/, source: "the reference's data sets are not built" },
  "cloudwatch:ListMetrics": { resource: /^\*$/, source: "the reference's data sets are not built" },
  "cloudformation:DescribeStacks": { resource: /^\*$/, source: "without a name: all stacks" },
  "cloudformation:DescribeStackResources": { resource: /^\*$/, source: "without a name" },
  "cloudformation:GetTemplate": { resource: /^\*$/, source: "of a change set by its ARN" },
  "cloudformation:GetTemplateSummary": { resource: /^\*$/, source: "of a template that is no stack's yet" },
};
