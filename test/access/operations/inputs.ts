/** Values of members whose form the model does not tell, wherever they stand. */
const everywhere: Readonly<Record<string, unknown>> = {
  RoleArn: "arn:aws:iam::000000000000:role/example",
  PolicyArn: "arn:aws:iam::000000000000:policy/example",
  PolicySourceArn: "arn:aws:iam::000000000000:user/example",
  PolicyDocument: "{}",
};

const identityPool = "us-east-1:00000000-0000-4000-8000-000000000000";

const byService: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  iam: {
    OpenIDConnectProviderArn: "arn:aws:iam::000000000000:oidc-provider/example.com",
    SAMLProviderArn: "arn:aws:iam::000000000000:saml-provider/example",
    SerialNumber: "arn:aws:iam::000000000000:mfa/example",
    // Of a role or user, whichever has been asked about.
    Arn: "arn:aws:iam::000000000000:role/example",
  },
  logs: { resourceArn: "arn:aws:logs:us-east-1:000000000000:log-group:example", logGroupName: "example" },
  s3: { CopySource: "/example/example" },
  ecr: { resourceArn: "arn:aws:ecr:us-east-1:000000000000:repository/example" },
  lambda: {
    Resource: "arn:aws:lambda:us-east-1:000000000000:function:example",
    Arn: "arn:aws:lambda:us-east-1:000000000000:layer:example:1",
    DurableExecutionArn:
      "arn:aws:lambda:us-east-1:000000000000:function:example:1/durable-execution/example/00000000-0000-4000-8000-000000000000",
    CallbackId: Buffer.from("000000000000\nus-east-1\nexample\nid\noperation\nsecret").toString("base64"),
  },
  "cognito-identity": {
    ResourceArn: `arn:aws:cognito-identity:us-east-1:000000000000:identitypool/${identityPool}`,
    IdentityPoolId: identityPool,
    Roles: { authenticated: "arn:aws:iam::000000000000:role/example" },
  },
  dynamodb: {
    ResourceArn: "arn:aws:dynamodb:us-east-1:000000000000:table/example",
    BackupArn: "arn:aws:dynamodb:us-east-1:000000000000:table/example/backup/01489602797149-73d8d5bc",
    ExportArn: "arn:aws:dynamodb:us-east-1:000000000000:table/example/export/01489602797149-73d8d5bc",
    ImportArn: "arn:aws:dynamodb:us-east-1:000000000000:table/example/import/01489602797149-73d8d5bc",
    TableArn: "arn:aws:dynamodb:us-east-1:000000000000:table/example",
    TransactItems: [{ Put: { TableName: "example", Item: { id: { S: "1" } } } }],
    Statement: `SELECT * FROM "example" WHERE id = '1'`,
    Statements: [{ Statement: `SELECT * FROM "example" WHERE id = '1'` }],
    TransactStatements: [{ Statement: `SELECT * FROM "example" WHERE id = '1'` }],
  },
  dynamodbstreams: {
    ShardIterator: `arn:aws:dynamodb:us-east-1:000000000000:table/example/stream/2026-01-01T00:00:00.000|1|${Buffer.from("[0,0]").toString("base64")}`,
    StreamArn: "arn:aws:dynamodb:us-east-1:000000000000:table/example/stream/2026-01-01T00:00:00.000",
  },
  "cognito-idp": {
    JobId: "import-example",
    DeviceKey: "us-east-1_00000000-0000-4000-8000-000000000000",
    ResourceArn: "arn:aws:cognito-idp:us-east-1:000000000000:userpool/us-east-1_example00",
  },
};

const byOperation: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  "dynamodb:TransactGetItems": { TransactItems: [{ Get: { TableName: "example", Key: { id: { S: "1" } } } }] },
  "dynamodb:RestoreTableToPointInTime": { SourceTableName: "example" },
  "logs:DescribeLogStreams": { logGroupName: "example" },
  "logs:GetLogEvents": { logGroupName: "example" },
  "logs:FilterLogEvents": { logGroupName: "example" },
};

/** The members that examples of this operation's input have beside the required ones, and the values of members by name. */
export function knownMembers(service: string, operation: string) {
  return { values: { ...everywhere, ...byService[service] }, also: byOperation[`${service}:${operation}`] ?? {} };
}

/** Optional members that ask for more: with them the operation asks for these actions too. */
export const furtherActions: readonly (readonly [
  operation: string,
  members: Readonly<Record<string, unknown>>,
  actions: readonly string[],
])[] = [
  ["s3:GetObject", { VersionId: "v" }, ["s3:GetObjectVersion"]],
  ["s3:HeadObject", { VersionId: "v" }, ["s3:GetObjectVersion"]],
  ["s3:DeleteObject", { VersionId: "v" }, ["s3:DeleteObjectVersion"]],
  ["s3:GetObjectTagging", { VersionId: "v" }, ["s3:GetObjectVersionTagging"]],
  ["s3:PutObjectTagging", { VersionId: "v" }, ["s3:PutObjectVersionTagging"]],
  ["s3:DeleteObjectTagging", { VersionId: "v" }, ["s3:DeleteObjectVersionTagging"]],
  ["s3:GetObjectAcl", { VersionId: "v" }, ["s3:GetObjectVersionAcl"]],
  ["s3:PutObjectAcl", { VersionId: "v" }, ["s3:PutObjectVersionAcl"]],
  ["s3:GetObjectAttributes", { VersionId: "v" }, ["s3:GetObjectVersion", "s3:GetObjectVersionAttributes"]],
  ["s3:PutObject", { Tagging: "a=b" }, ["s3:PutObject", "s3:PutObjectTagging"]],
  ["s3:PutObject", { ACL: "private" }, ["s3:PutObject", "s3:PutObjectAcl"]],
  ["s3:PutObject", { ObjectLockMode: "GOVERNANCE" }, ["s3:PutObject", "s3:PutObjectRetention"]],
  ["s3:PutObject", { ObjectLockLegalHoldStatus: "ON" }, ["s3:PutObject", "s3:PutObjectLegalHold"]],
  ["s3:CreateBucket", { ACL: "public-read" }, ["s3:CreateBucket", "s3:PutBucketAcl"]],
  ["s3:CreateBucket", { ObjectOwnership: "ObjectWriter" }, ["s3:CreateBucket", "s3:PutBucketOwnershipControls"]],
  [
    "s3:CreateBucket",
    { ObjectLockEnabledForBucket: true },
    ["s3:CreateBucket", "s3:PutBucketObjectLockConfiguration", "s3:PutBucketVersioning"],
  ],
  ["s3:DeleteObject", { BypassGovernanceRetention: true }, ["s3:DeleteObject", "s3:BypassGovernanceRetention"]],
  [
    "s3:PutObjectRetention",
    { BypassGovernanceRetention: true },
    ["s3:PutObjectRetention", "s3:BypassGovernanceRetention"],
  ],
  ["s3:CopyObject", { CopySource: "/example/example?versionId=v" }, ["s3:GetObjectVersion", "s3:PutObject"]],
  ["sts:AssumeRole", { Tags: [{ Key: "a", Value: "b" }] }, ["sts:AssumeRole", "sts:TagSession"]],
  [
    "lambda:UpdateFunctionConfiguration",
    { Role: "arn:aws:iam::000000000000:role/example" },
    ["lambda:UpdateFunctionConfiguration", "iam:PassRole"],
  ],
  [
    "apigateway:PutIntegration",
    { credentials: "arn:aws:iam::000000000000:role/example", type: "AWS" },
    ["apigateway:PUT", "iam:PassRole"],
  ],
  [
    "apigatewayv2:CreateIntegration",
    { CredentialsArn: "arn:aws:iam::000000000000:role/example" },
    ["apigateway:POST", "iam:PassRole"],
  ],
];
