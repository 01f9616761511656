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
    "IAM",
    "AdministratorAccess$",
    "PowerUserAccess$",
    "ReadOnlyAccess$",
    "ViewOnlyAccess$",
    "SecurityAudit$",
    "AWSDenyAll$",
  ].join("|")})`,
);

export function isListed(name: string, path: string): boolean {
  // AWS: what a service-linked role or a root task has can be attached to nothing else.
  return path !== "/aws-service-role/" && path !== "/root-task/" && names.test(name);
}
