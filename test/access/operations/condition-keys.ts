const arn = (service: string, resource: string) => `arn:aws:${service}:us-east-1:000000000000:${resource}`;
const tags = [{ Key: "a", Value: "b" }];
const replace = (...patches: readonly (readonly [path: string, value: string])[]) => ({
  patchOperations: patches.map(([path, value]) => ({ op: "replace", path, value })),
});

const definition = Buffer.from(JSON.stringify({ openapi: "3.0.1", info: { title: "a", version: "1" }, paths: {} }));

/** Members of requests that bring condition keys with them, by operation. */
export const examples: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  "lambda:CreateFunction": {
    Layers: [arn("lambda", "layer:l:1")],
    CodeSigningConfigArn: arn("lambda", "code-signing-config:csc-0123456789abcdef0"),
    Tags: { a: "b" },
  },
  "lambda:AddPermission": { FunctionUrlAuthType: "NONE" },
  "s3:CreateBucket": {
    CreateBucketConfiguration: { LocationConstraint: "eu-west-1", Tags: tags },
    ObjectOwnership: "x",
  },
  "s3:PutObject": {
    Tagging: "a=b",
    ACL: "private",
    GrantFullControl: "id=x",
    GrantRead: "id=x",
    GrantReadACP: "id=x",
    GrantWriteACP: "id=x",
    ServerSideEncryption: "AES256",
    SSEKMSKeyId: "key",
    SSECustomerAlgorithm: "AES256",
    StorageClass: "STANDARD",
    WebsiteRedirectLocation: "/x",
    ObjectLockMode: "GOVERNANCE",
    ObjectLockRetainUntilDate: new Date("2030-01-01T00:00:00Z"),
    ObjectLockLegalHoldStatus: "ON",
    IfMatch: '"e"',
    IfNoneMatch: "*",
  },
  "s3:PutBucketAcl": { GrantWrite: "id=x" },
  "s3:ListObjectsV2": { Prefix: "a", Delimiter: "/", MaxKeys: 1 },
  "s3:GetObject": { VersionId: "v" },
  "apigateway:CreateRestApi": { endpointConfiguration: { types: ["REGIONAL"] }, securityPolicy: "TLS_1_2" },
  "apigateway:ImportRestApi": { body: definition },
  "apigateway:PutRestApi": { body: definition },
  "apigateway:PutMethod": { apiKeyRequired: true },
  "apigateway:CreateDeployment": { stageName: "prod" },
  "apigateway:UpdateStage": replace(["/accessLogSettings/destinationArn", "arn:x"], ["/accessLogSettings/format", "f"]),
  "apigateway:CreateDomainName": { mutualTlsAuthentication: { truststoreUri: "s3://b/k", truststoreVersion: "v" } },
  "apigatewayv2:CreateRoutingRule": { Priority: 1, Conditions: [{ MatchBasePaths: { AnyOf: ["a"] } }] },
  "cloudformation:CreateStack": {
    RoleARN: "arn:aws:iam::000000000000:role/r",
    TemplateURL: "https://example.com/t",
    StackPolicyURL: "https://example.com/p",
    ResourceTypes: ["AWS::IAM::Role"],
  },
  "cloudformation:CreateChangeSet": {
    ResourcesToImport: [{ ResourceType: "AWS::S3::Bucket", LogicalResourceId: "b", ResourceIdentifier: {} }],
  },
  "iam:CreateRole": { PermissionsBoundary: "arn:aws:iam::aws:policy/PowerUserAccess", Tags: tags },
  "sts:AssumeRole": {
    ExternalId: "x",
    SourceIdentity: "ann",
    Tags: tags,
    TransitiveTagKeys: ["a"],
  },
};

/**
 * Keys that no example tells, by prefix of the actions: those of resources, which their services read where a policy looks at them
 * (`resource-facts.ts`), of tables and roles that exist, of function URLs' own requests, and of tokens.
 */
export const ofResources: Readonly<Record<string, readonly string[]>> = {
  lambda: ["aws:ResourceTag/", "lambda:InvokedViaFunctionUrl"],
  logs: ["aws:ResourceTag/"],
  s3: ["s3:ExistingObjectTag/", "s3:ResourceAccount"],
  dynamodb: [
    "aws:ResourceTag/",
    "dynamodb:Attributes",
    "dynamodb:FullTableScan",
    "dynamodb:LeadingKeys",
    "dynamodb:ReturnConsumedCapacity",
    "dynamodb:ReturnValues",
    "dynamodb:Select",
  ],
  ecr: ["aws:ResourceTag/", "ecr:ResourceTag/"],
  "cognito-idp": ["aws:ResourceTag/"],
  "cognito-identity": ["aws:ResourceTag/", "cognito-identity:IdentityPoolArn"],
  sts: [
    "aws:ResourceTag/",
    "iam:ResourceTag/",
    "accounts.google.com:aud",
    "accounts.google.com:sub",
    "cognito-identity.amazonaws.com:amr",
    "cognito-identity.amazonaws.com:aud",
    "cognito-identity.amazonaws.com:sub",
  ],
  cloudformation: ["aws:ResourceTag/"],
  apigateway: [
    "aws:ResourceTag/",
    ...[
      "AccessLoggingDestination",
      "AccessLoggingFormat",
      "ApiKeyRequired",
      "ApiName",
      "AuthorizerType",
      "ConditionBasePaths",
      "DisableExecuteApiEndpoint",
      "EndpointType",
      "MtlsTrustStoreUri",
      "MtlsTrustStoreVersion",
      "Priority",
      "RouteAuthorizationType",
      "RoutingMode",
      "SecurityPolicy",
    ].map((name) => `apigateway:Resource/${name}`),
  ],
  iam: ["aws:ResourceTag/", "iam:ResourceTag/", "iam:PermissionsBoundary"],
};

/** Keys, as patterns, that cannot be here, and why. */
export const absent: Readonly<Record<string, string>> = {
  "iam:roletemplatearn": "there are no role templates",
  "iam:fido-.*|iam:registersecuritykey": "MFA devices here are virtual: there are no security keys",
  "iam:associatedresourcearn":
    "AWS tells it where a role is handed to an instance, a cluster or a database, which there are none of",
  "graph\\.facebook\\.com:.*|www\\.amazon\\.com:.*":
    "tokens of Facebook and Amazon are not OpenID Connect's, and refused",
  "saml:.*": "nobody is federated by SAML",
  "s3:x-amz-bucket-namespace": "names of buckets are global",
  "s3:accessgrants.*": "there are no access grants",
  "s3:accesspoint.*|s3:dataaccesspoint.*": "there are no access points",
  "s3:object-lock-event-hold.*": "there are no event holds",
  "s3:x-amz-object-annotation-directive": "there are no annotations",
  "s3:buckettag/": "AWS: only of buckets that were told so by PutBucketAbac, which is not built",
  "cloudwatch:hasaccessgrant": "there are no access grants",
  "lambda:(?:securitygroupids|subnetids|vpcids)": "VpcConfig is refused",
  "lambda:eventsourcetoken": "Alexa's skills, which invoke with one, do not call this platform",
  "apigateway:request/(?:accessassociationsource|domainnamearn)": "there are no private domain names",
};

/** The same of keys that other services tell: by prefix of the actions. */
export const absentOf: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  s3: { "aws:resourcetag/": "AWS: only of buckets that were told so by PutBucketAbac, which is not built" },
  cloudwatch: { "aws:resourcetag/": "no metric has tags" },
};
