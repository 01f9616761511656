/** The policies that serverless templates name. */
const names = new RegExp(
  `^(?:${[
    "AWSLambda",
    "AWSCodeDeployRoleForLambda",
    "AmazonDynamoDB",
    "AmazonS3",
    "AmazonSQS",
    "AmazonSNS",
    "AmazonKinesis",
    "AWSX[Rr]ay",
    "CloudWatch(?!Omni)",
    "AWSStepFunctions",
    "AmazonAPIGateway",
    "AWSAppSync",
    "AmazonEventBridge",
    "AWSKeyManagementServicePowerUser$",
    "SecretsManagerReadWrite$",
    "AmazonSSM",
    "AmazonSES",
    "AmazonCognito",
    "AmazonBedrock(?:FullAccess|ReadOnly|LimitedAccess)$",
    "AmazonRDSDataFullAccess$",
    "AWSCloudFormation",
    "AmazonEC2ContainerRegistry",
    "AmazonVPC(?:FullAccess|ReadOnlyAccess)$",
    "AmazonRekognition(?:FullAccess|ReadOnlyAccess|ServiceRole)$",
    "AmazonTextract(?:FullAccess|ServiceRole)$",
    "AmazonPolly(?:FullAccess|ReadOnlyAccess)$",
    "AmazonTranscribe(?:FullAccess|ReadOnlyAccess)$",
    "Translate(?:FullAccess|ReadOnly)$",
    "Comprehend(?:FullAccess|ReadOnly)$",
    "AmazonAthenaFullAccess$",
    "AWSGlueServiceRole$",
    "AmazonElasticFileSystemClient(?:FullAccess|ReadOnlyAccess|ReadWriteAccess)$",
    "IAM",
    "AdministratorAccess$",
    "PowerUserAccess$",
    "ReadOnlyAccess$",
    "ViewOnlyAccess$",
    "SecurityAudit$",
    "AWSDenyAll$",
  ].join("|")})`,
);

/** Those of the service-linked roles that IAM makes here: `service-linked-roles.ts` names them. */
const ofLinkedRoles = new Set([
  "APIGatewayServiceRolePolicy",
  "AWSApplicationAutoscalingDynamoDBTablePolicy",
  "AWSApplicationAutoscalingLambdaConcurrencyPolicy",
  "AWSElasticLoadBalancingServiceRolePolicy",
  "AWSLambdaReplicator",
  "AmazonCognitoIdpEmailServiceRolePolicy",
  "AmazonCognitoIdpServiceRolePolicy",
  "AmazonECSServiceRolePolicy",
  "AmazonEventBridgeApiDestinationsServiceRolePolicy",
  "AmazonRDSServiceRolePolicy",
  "AutoScalingServiceRolePolicy",
  "CloudTrailServiceRolePolicy",
  "DynamoDBKinesisReplicationServiceRolePolicy",
  "DynamoDBReplicationServiceRolePolicy",
]);

export function isListed(name: string, path: string): boolean {
  if (path === "/aws-service-role/") return ofLinkedRoles.has(name);
  // AWS: what a root task has can be attached to nothing.
  return path !== "/root-task/" && names.test(name);
}
