/** Resources that a request names: members of requests, by service, and the types of what they name. */
const named: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  iam: {
    RoleName: "AWS::IAM::Role",
    UserName: "AWS::IAM::User",
    GroupName: "AWS::IAM::Group",
    PolicyArn: "AWS::IAM::Policy",
    PolicyName: "AWS::IAM::Policy",
    AccessKeyId: "AWS::IAM::AccessKey",
    InstanceProfileName: "AWS::IAM::InstanceProfile",
    SerialNumber: "AWS::IAM::MfaDevice",
    OpenIDConnectProviderArn: "AWS::IAM::OIDCProvider",
    SAMLProviderArn: "AWS::IAM::SAMLProvider",
  },
  sts: { RoleArn: "AWS::IAM::Role" },
  lambda: { FunctionName: "AWS::Lambda::Function", LayerName: "AWS::Lambda::LayerVersion" },
  s3: { Bucket: "AWS::S3::Bucket" },
  dynamodb: { TableName: "AWS::DynamoDB::Table" },
  cloudformation: { StackName: "AWS::CloudFormation::Stack" },
  kinesis: { StreamName: "AWS::Kinesis::Stream" },
  sqs: { QueueUrl: "AWS::SQS::Queue", QueueName: "AWS::SQS::Queue" },
  sns: { TopicArn: "AWS::SNS::Topic" },
  kms: { KeyId: "AWS::KMS::Key" },
  secretsmanager: { SecretId: "AWS::SecretsManager::Secret" },
  ssm: { Name: "AWS::SSM::Parameter" },
  logs: { logGroupName: "AWS::Logs::LogGroup" },
  ecr: { repositoryName: "AWS::ECR::Repository" },
  apigateway: { restApiId: "AWS::ApiGateway::RestApi" },
  apigatewayv2: { ApiId: "AWS::ApiGatewayV2::Api" },
  "cognito-idp": { UserPoolId: "AWS::Cognito::UserPool" },
  "cognito-identity": { IdentityPoolId: "AWS::Cognito::IdentityPool" },
};

export interface NamedResource {
  readonly type: string;
  readonly name: string;
}

export function resourcesOf(service: string, input: Readonly<Record<string, unknown>>): readonly NamedResource[] {
  const members = Object.hasOwn(named, service) ? Object.entries(named[service] ?? {}) : [];
  return members.flatMap(([member, type]) => {
    const name = input[member];
    return typeof name === "string" && name.length <= 2_048 ? [{ type, name }] : [];
  });
}
