/** Values every template can `Ref`. `AWS::NoValue` is not among them: it has none. */
export interface PseudoParameters {
  readonly "AWS::AccountId": string;
  readonly "AWS::NotificationARNs": readonly string[];
  readonly "AWS::Partition": string;
  readonly "AWS::Region": string;
  readonly "AWS::StackId": string;
  readonly "AWS::StackName": string;
  readonly "AWS::URLSuffix": string;
}

const names: ReadonlySet<string> = new Set([
  "AWS::AccountId",
  "AWS::NotificationARNs",
  "AWS::NoValue",
  "AWS::Partition",
  "AWS::Region",
  "AWS::StackId",
  "AWS::StackName",
  "AWS::URLSuffix",
]);

export function isPseudoParameter(name: string): boolean {
  return names.has(name);
}

export function pseudoParameters(of: {
  readonly account: string;
  readonly region: string;
  readonly stackId: string;
  readonly stackName: string;
}): PseudoParameters {
  return {
    "AWS::AccountId": of.account,
    "AWS::NotificationARNs": [],
    "AWS::Partition": "aws",
    "AWS::Region": of.region,
    "AWS::StackId": of.stackId,
    "AWS::StackName": of.stackName,
    "AWS::URLSuffix": "amazonaws.com",
  };
}
