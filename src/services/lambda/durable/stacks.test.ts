import {
  CloudFormationClient,
  CreateChangeSetCommand,
  DescribeStacksCommand,
  ExecuteChangeSetCommand,
  waitUntilChangeSetCreateComplete,
  waitUntilStackCreateComplete,
  waitUntilStackUpdateComplete,
} from "@aws-sdk/client-cloudformation";
import { GetFunctionConfigurationCommand, InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { expect, test } from "vitest";
import { startTestPlatform } from "../../../testing/platform.ts";

const template = (durableConfig: object) =>
  JSON.stringify({
    Transform: "AWS::Serverless-2016-10-31",
    Resources: {
      Workflow: {
        Type: "AWS::Serverless::Function",
        Properties: {
          FunctionName: "workflow",
          Runtime: "nodejs24.x",
          Handler: "index.handler",
          InlineCode: `exports.handler = async (event) => ({ Status: "SUCCEEDED", Result: '"' + event.InitialExecutionState.Operations[0].Type + '"' });`,
          AutoPublishAlias: "live",
          DurableConfig: durableConfig,
        },
      },
    },
  });

test("a SAM template makes a durable function, and changes its DurableConfig in place", async () => {
  const platform = await startTestPlatform({ sandbox: "process" });
  try {
    const cloudformation = new CloudFormationClient(platform.settings);
    const lambda = new LambdaClient(platform.settings);
    const StackName = "durable";
    const waiting = { client: cloudformation, maxWaitTime: 30, minDelay: 0.05, maxDelay: 0.1 };
    const deploy = async (ChangeSetName: string, ChangeSetType: "CREATE" | "UPDATE", durableConfig: object) => {
      const names = { StackName, ChangeSetName };
      const TemplateBody = template(durableConfig);
      const Capabilities = ["CAPABILITY_IAM" as const, "CAPABILITY_AUTO_EXPAND" as const];
      await cloudformation.send(new CreateChangeSetCommand({ ...names, ChangeSetType, TemplateBody, Capabilities }));
      await waitUntilChangeSetCreateComplete(waiting, names);
      await cloudformation.send(new ExecuteChangeSetCommand(names));
      const done = ChangeSetType === "CREATE" ? waitUntilStackCreateComplete : waitUntilStackUpdateComplete;
      await done(waiting, { StackName });
    };
    await deploy("one", "CREATE", { ExecutionTimeout: 60 });
    const answer = await lambda.send(new InvokeCommand({ FunctionName: "workflow:live" }));
    expect(answer.Payload?.transformToString()).toBe('"EXECUTION"');
    expect(answer.DurableExecutionArn).toContain(":function:workflow:1/durable-execution/");

    await deploy("two", "UPDATE", { ExecutionTimeout: 120, RetentionPeriodInDays: 5 });
    const { Stacks } = await cloudformation.send(new DescribeStacksCommand({ StackName }));
    expect(Stacks?.[0]?.StackStatus).toBe("UPDATE_COMPLETE");
    const { DurableConfig } = await lambda.send(new GetFunctionConfigurationCommand({ FunctionName: "workflow" }));
    expect(DurableConfig).toEqual({ ExecutionTimeout: 120, RetentionPeriodInDays: 5 });
  } finally {
    await platform.stop();
  }
});
