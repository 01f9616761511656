/** The resource types whose properties the product needs to know; of all others it knows the names. */
const detailed = new Set([
  "AWS::CloudFormation::CustomResource",
  "AWS::CloudFormation::Stack",
  "AWS::CloudFormation::WaitConditionHandle",
  "AWS::DynamoDB::GlobalTable",
  "AWS::DynamoDB::Table",
  "AWS::ECR::Repository",
  "AWS::Events::EventBus",
  "AWS::Events::Rule",
  "AWS::Kinesis::Stream",
  "AWS::Logs::LogGroup",
  "AWS::Logs::LogStream",
  "AWS::Logs::MetricFilter",
  "AWS::Logs::SubscriptionFilter",
  "AWS::S3::Bucket",
  "AWS::S3::BucketPolicy",
  "AWS::SNS::Subscription",
  "AWS::SNS::Topic",
  "AWS::SNS::TopicPolicy",
  "AWS::SQS::Queue",
  "AWS::SQS::QueuePolicy",
  "AWS::SSM::Parameter",
  "AWS::SecretsManager::Secret",
  "AWS::StepFunctions::StateMachine",
]);

const detailedNamespaces = [
  "AWS::ApiGateway::",
  "AWS::ApiGatewayV2::",
  "AWS::Cognito::",
  "AWS::IAM::",
  "AWS::Lambda::",
];

export function isDetailed(type: string): boolean {
  return detailed.has(type) || detailedNamespaces.some((namespace) => type.startsWith(namespace));
}
