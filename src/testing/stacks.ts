import {
  CreateStackCommand,
  DeleteStackCommand,
  DescribeStackEventsCommand,
  DescribeStacksCommand,
  UpdateStackCommand,
  type Capability,
  type CloudFormationClient,
} from "@aws-sdk/client-cloudformation";
import { setTimeout as delay } from "node:timers/promises";

/** How a deployment ended: the stack's status, its outputs, and what failed and why. */
export interface Deployed {
  readonly status: string | undefined;
  readonly failures: readonly string[];
  readonly outputs: Readonly<Record<string, string | undefined>>;
}

/** Creates the stack, or updates it where it is there; without a template, deletes it. Waits until it rests. */
export async function deploy(
  cloudformation: CloudFormationClient,
  StackName: string,
  template: object | undefined,
): Promise<Deployed> {
  const before = await cloudformation.send(new DescribeStacksCommand({ StackName })).catch(() => undefined);
  const stackId = before?.Stacks?.[0]?.StackId;
  if (template === undefined) {
    await cloudformation.send(new DeleteStackCommand({ StackName }));
    return settle(cloudformation, stackId ?? StackName);
  }
  const Capabilities: Capability[] = ["CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"];
  const input = { StackName, TemplateBody: JSON.stringify(template), Capabilities };
  if (stackId === undefined) await cloudformation.send(new CreateStackCommand(input));
  else await cloudformation.send(new UpdateStackCommand(input));
  return settle(cloudformation, StackName);
}

/** How what goes on with a stack ends. */
export async function settle(cloudformation: CloudFormationClient, StackName: string): Promise<Deployed> {
  for (;;) {
    const { Stacks } = await cloudformation.send(new DescribeStacksCommand({ StackName }));
    const stack = Stacks?.[0];
    if (!stack?.StackStatus?.endsWith("_IN_PROGRESS")) {
      const { StackEvents } = await cloudformation.send(new DescribeStackEventsCommand({ StackName }));
      const failures = (StackEvents ?? [])
        .filter(({ ResourceStatus }) => ResourceStatus?.endsWith("_FAILED"))
        .map(({ LogicalResourceId, ResourceStatusReason }) => `${LogicalResourceId}: ${ResourceStatusReason}`);
      const outputs = Object.fromEntries(
        (stack?.Outputs ?? []).map((each) => [each.OutputKey ?? "", each.OutputValue]),
      );
      return { status: stack?.StackStatus, failures, outputs };
    }
    await delay(20);
  }
}

/** The resources `Function` and `Role` of a Node.js function with inline code. */
export function inlineFunction(name: string, source: string, more: object = {}): Readonly<Record<string, object>> {
  return {
    Role: {
      Type: "AWS::IAM::Role",
      Properties: {
        AssumeRolePolicyDocument: {
          Version: "2012-10-17",
          Statement: [{ Effect: "Allow", Principal: { Service: "lambda.amazonaws.com" }, Action: "sts:AssumeRole" }],
        },
      },
    },
    Function: {
      Type: "AWS::Lambda::Function",
      Properties: {
        FunctionName: name,
        Runtime: "nodejs24.x",
        Handler: "index.handler",
        Role: { "Fn::GetAtt": ["Role", "Arn"] },
        Code: { ZipFile: source },
        ...more,
      },
    },
  };
}
