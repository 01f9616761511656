import type { Role } from "./model.ts";

/** A role that a service of AWS makes for itself. */
interface LinkedRole {
  readonly name: string;
  /** The managed policy of AWS that it has. */
  readonly policy: string;
  /** Whether several are made, told apart by a suffix. */
  readonly takesSuffix?: true;
}

/**
 * Of services that there are here, and that templates name. Source: "Service-linked role" in each service's guide; "AWS
 * managed policies for …".
 */
export const linkedRoles: Readonly<Record<string, LinkedRole>> = {
  "ops.apigateway.amazonaws.com": { name: "AWSServiceRoleForAPIGateway", policy: "APIGatewayServiceRolePolicy" },
  "cloudtrail.amazonaws.com": { name: "AWSServiceRoleForCloudTrail", policy: "CloudTrailServiceRolePolicy" },
  "dynamodb.application-autoscaling.amazonaws.com": {
    name: "AWSServiceRoleForApplicationAutoScaling_DynamoDBTable",
    policy: "AWSApplicationAutoscalingDynamoDBTablePolicy",
  },
  "lambda.application-autoscaling.amazonaws.com": {
    name: "AWSServiceRoleForApplicationAutoScaling_LambdaConcurrency",
    policy: "AWSApplicationAutoscalingLambdaConcurrencyPolicy",
  },
  "replication.dynamodb.amazonaws.com": {
    name: "AWSServiceRoleForDynamoDBReplication",
    policy: "DynamoDBReplicationServiceRolePolicy",
  },
  "kinesisreplication.dynamodb.amazonaws.com": {
    name: "AWSServiceRoleForDynamoDBKinesisDataStreamsReplication",
    policy: "DynamoDBKinesisReplicationServiceRolePolicy",
  },
  "email.cognito-idp.amazonaws.com": {
    name: "AWSServiceRoleForAmazonCognitoIdpEmailService",
    policy: "AmazonCognitoIdpEmailServiceRolePolicy",
  },
  "cognito-idp.amazonaws.com": {
    name: "AWSServiceRoleForAmazonCognitoIdp",
    policy: "AmazonCognitoIdpServiceRolePolicy",
  },
  "apidestinations.events.amazonaws.com": {
    name: "AWSServiceRoleForAmazonEventBridgeApiDestinations",
    policy: "AmazonEventBridgeApiDestinationsServiceRolePolicy",
  },
  "autoscaling.amazonaws.com": {
    name: "AWSServiceRoleForAutoScaling",
    policy: "AutoScalingServiceRolePolicy",
    takesSuffix: true,
  },
  "ecs.amazonaws.com": { name: "AWSServiceRoleForECS", policy: "AmazonECSServiceRolePolicy" },
  "elasticloadbalancing.amazonaws.com": {
    name: "AWSServiceRoleForElasticLoadBalancing",
    policy: "AWSElasticLoadBalancingServiceRolePolicy",
  },
  "rds.amazonaws.com": { name: "AWSServiceRoleForRDS", policy: "AmazonRDSServiceRolePolicy" },
  "replicator.lambda.amazonaws.com": { name: "AWSServiceRoleForLambdaReplicator", policy: "AWSLambdaReplicator" },
};

export function findLinkedRole(serviceName: string): LinkedRole | undefined {
  return Object.hasOwn(linkedRoles, serviceName) ? linkedRoles[serviceName] : undefined;
}

export function linkedPolicyArn(policy: string): string {
  return `arn:aws:iam::aws:policy/aws-service-role/${policy}`;
}

const linkedPath = "/aws-service-role/";

export function isServiceLinked(role: Pick<Role, "path">): boolean {
  return role.path.startsWith(linkedPath);
}

export function linkedRolePath(serviceName: string): string {
  return `${linkedPath}${serviceName}/`;
}
