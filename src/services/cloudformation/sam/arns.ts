import { sub } from "./intrinsics.ts";
import type { Dict } from "./values.ts";

const partitionsByPrefix: readonly (readonly [prefix: string, partition: string])[] = [
  ["cn-", "aws-cn"],
  ["us-isob", "aws-iso-b"],
  ["us-isof", "aws-iso-f"],
  ["us-iso-", "aws-iso"],
  ["us-gov", "aws-us-gov"],
  ["eu-isoe", "aws-iso-e"],
  ["eusc-", "aws-eusc"],
];

export function partitionOf(region: string): string {
  return partitionsByPrefix.find(([prefix]) => region.toLowerCase().startsWith(prefix))?.[1] ?? "aws";
}

/** `Fn::Sub` of an ARN in the stack's region and account; `${AWS::Partition}` may stand for the partition. */
export function arnSub(partition: string, service: string, resource: string, variables: Dict): Dict {
  return sub(`arn:${partition}:${service}:\${AWS::Region}:\${AWS::AccountId}:${resource}`, variables);
}

/** The URI by which API Gateway invokes an authorizer function. */
export function authorizerUri(partition: string, functionArn: unknown): Dict {
  return sub(
    `arn:${partition}:apigateway:\${AWS::Region}:lambda:path/2015-03-31/functions/\${__FunctionArn__}/invocations`,
    { __FunctionArn__: functionArn ?? null },
  );
}

export function managedPolicyArn(partition: string, path: string): string {
  return `arn:${partition}:iam::aws:policy/${path}`;
}
