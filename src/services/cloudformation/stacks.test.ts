import {
  CancelUpdateStackCommand,
  ContinueUpdateRollbackCommand,
  CreateChangeSetCommand,
  CreateStackCommand,
  DeleteStackCommand,
  DescribeChangeSetCommand,
  DescribeStackEventsCommand,
  DescribeStackResourcesCommand,
  DescribeStacksCommand,
  ExecuteChangeSetCommand,
  ListExportsCommand,
  ListImportsCommand,
  UpdateStackCommand,
  type CloudFormationClient,
  type Stack,
} from "@aws-sdk/client-cloudformation";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { AwsError } from "../../aws/error.ts";
import { createMemoryStore } from "../../kernel/store/memory-store.ts";
import { createFakeWorld, startFakeStacks, type FakeStacks, type FakeWorld } from "../../testing/cloudformation.ts";

let world: FakeWorld;
let stacks: FakeStacks;
let client: CloudFormationClient;

beforeEach(async () => {
  world = createFakeWorld();
  stacks = await startFakeStacks(world);
  client = stacks.client;
});

afterEach(async () => stacks.stop());

const pair = `
Parameters:
  Delay: { Type: Number, Default: 5 }
Resources:
  Queue:
    Type: AWS::SQS::Queue
    Properties: { QueueName: !Sub "\${AWS::StackName}-queue", DelaySeconds: !Ref Delay }
`;

async function settled(nameOrId: string, from: CloudFormationClient = client): Promise<Stack> {
  for (;;) {
    const { Stacks } = await from.send(new DescribeStacksCommand({ StackName: nameOrId }));
    const stack = Stacks?.[0];
    if (stack && !stack.StackStatus?.endsWith("_IN_PROGRESS")) return stack;
  }
}

async function create(TemplateBody: string, more: object = {}): Promise<Stack> {
  const { StackId } = await client.send(new CreateStackCommand({ StackName: "app", TemplateBody, ...more }));
  return settled(StackId ?? "");
}

async function update(TemplateBody: string, more: object = {}): Promise<Stack> {
  await client.send(new UpdateStackCommand({ StackName: "app", TemplateBody, ...more }));
  return settled("app");
}

async function events(nameOrId = "app"): Promise<string[]> {
  const { StackEvents } = await client.send(new DescribeStackEventsCommand({ StackName: nameOrId }));
  return (StackEvents ?? []).toReversed().map((event) => {
    const reason = event.ResourceStatusReason?.replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, "ID");
    return `${event.LogicalResourceId} ${event.ResourceStatus}${reason ? ` ${reason}` : ""}`;
  });
}

const role = (properties: string) =>
  `Resources: { Role: { Type: AWS::IAM::Role, Properties: { AssumeRolePolicyDocument: {}${properties} } } }`;

const topic = (name: string, display: string) => `
Resources:
  Topic: { Type: AWS::SNS::Topic, Properties: { TopicName: ${name}, DisplayName: ${display} } }
  Queue: { Type: AWS::SQS::Queue, Properties: { QueueName: !Sub "\${Topic}-q", DelaySeconds: 1 } }
`;

const display = (name: string, display: string) => `
Parameters: { Display: { Type: String, Default: ${display} } }
Resources:
  Topic: { Type: AWS::SNS::Topic, Properties: { TopicName: ${name}, DisplayName: !Ref Display } }
  Queue: { Type: AWS::SQS::Queue, Properties: { QueueName: !Join ["-", [!Ref Topic, q]] } }
`;

const changeSet = async (type: "CREATE" | "UPDATE", TemplateBody: string, name = "c") => {
  const input = { StackName: "app", ChangeSetName: name, ChangeSetType: type, TemplateBody };
  await client.send(new CreateChangeSetCommand(input));
  return client.send(new DescribeChangeSetCommand({ StackName: "app", ChangeSetName: name }));
};

const exporter = (value: string) => `
Resources: { A: { Type: AWS::SNS::Topic, Properties: { TopicName: ${value} } } }
Outputs: { Name: { Value: !Ref A, Export: { Name: shared } } }
`;

const importer =
  "Resources: { Q: { Type: AWS::SQS::Queue, Properties: { QueueName: !Sub ['${S}-q', { S: !ImportValue shared }] } } }";

describe("CreateStack", () => {
  test("makes resources in the order of their dependencies, and tells it in AWS's words", async () => {
    const stack = await create(`
Resources:
  Queue:
    Type: AWS::SQS::Queue
    Properties: { QueueName: !GetAtt Topic.Arn }
  Topic: { Type: AWS::SNS::Topic }
Outputs:
  Name: { Value: !Ref Queue, Description: the queue }
`);
    expect(stack).toMatchObject({
      StackStatus: "CREATE_COMPLETE",
      Outputs: [
        { OutputKey: "Name", Description: "the queue", OutputValue: expect.stringMatching(/^arn:fake:app-Topic-/) },
      ],
    });
    expect(await events()).toEqual([
      "app CREATE_IN_PROGRESS User Initiated",
      "Topic CREATE_IN_PROGRESS",
      "Topic CREATE_IN_PROGRESS Resource creation Initiated",
      "Topic CREATE_COMPLETE",
      "Queue CREATE_IN_PROGRESS",
      "Queue CREATE_IN_PROGRESS Resource creation Initiated",
      "Queue CREATE_COMPLETE",
      "app CREATE_COMPLETE",
    ]);
  });

  test("makes independent resources at the same time", async () => {
    const all = Promise.withResolvers<void>();
    let begun = 0;
    world.intercept = async () => {
      if (++begun === 3) all.resolve();
      await all.promise;
    };
    const body = ["A", "B", "C"].map((name) => `  ${name}: { Type: AWS::SNS::Topic }`).join("\n");
    expect(await create(`Resources:\n${body}`)).toMatchObject({ StackStatus: "CREATE_COMPLETE" });
  });

  test("gives each value the type its property has", async () => {
    await create(pair, { Parameters: [{ ParameterKey: "Delay", ParameterValue: "7" }] });
    expect(world.resources.get("app-queue")).toEqual({ QueueName: "app-queue", DelaySeconds: 7 });
  });

  test("rolls everything back when a resource fails, and says why", async () => {
    world.intercept = (step) => {
      if (step === "create Queue") throw new Error("boom");
    };
    const stack = await create(`
Resources:
  Topic: { Type: AWS::SNS::Topic }
  Queue: { Type: AWS::SQS::Queue, DependsOn: Topic }
`);
    expect(stack.StackStatus).toBe("ROLLBACK_COMPLETE");
    expect(world.resources.size).toBe(0);
    expect(await events()).toEqual([
      "app CREATE_IN_PROGRESS User Initiated",
      "Topic CREATE_IN_PROGRESS",
      "Topic CREATE_IN_PROGRESS Resource creation Initiated",
      "Topic CREATE_COMPLETE",
      "Queue CREATE_IN_PROGRESS",
      'Queue CREATE_FAILED Resource handler returned message: "Internal Failure" (RequestToken: ID, HandlerErrorCode: InternalFailure)',
      "app ROLLBACK_IN_PROGRESS The following resource(s) failed to create: [Queue]. Rollback requested by user.",
      "Queue DELETE_COMPLETE",
      "Topic DELETE_IN_PROGRESS",
      "Topic DELETE_COMPLETE",
      "app ROLLBACK_COMPLETE",
    ]);
  });

  test("says a service's refusal with its status and code", async () => {
    const template = "Resources: { Queue: { Type: AWS::SQS::Queue, Properties: { QueueName: taken } } }";
    world.resources.set("taken", {});
    await create(template);
    expect((await events()).find((each) => each.startsWith("Queue CREATE_FAILED"))).toBe(
      'Queue CREATE_FAILED Resource handler returned message: "taken already exists (Service: SQS, Status Code: 409, Request ID: ID)" (RequestToken: ID, HandlerErrorCode: AlreadyExists)',
    );
  });

  test("keeps what it has made with OnFailure DO_NOTHING, and deletes the stack with DELETE", async () => {
    world.intercept = (step) => {
      if (step === "create Queue") throw new Error("boom");
    };
    const template = `
Resources:
  Topic: { Type: AWS::SNS::Topic, Properties: { TopicName: t } }
  Queue: { Type: AWS::SQS::Queue, DependsOn: Topic }
`;
    expect((await create(template, { OnFailure: "DO_NOTHING" })).StackStatus).toBe("CREATE_FAILED");
    expect([...world.resources.keys()]).toEqual(["t"]);
    await client.send(new DeleteStackCommand({ StackName: "app" }));
    const { StackId } = await client.send(
      new CreateStackCommand({ StackName: "other", TemplateBody: template, OnFailure: "DELETE" }),
    );
    expect((await settled(StackId ?? "")).StackStatus).toBe("DELETE_COMPLETE");
  });

  test.each([
    ["Resources: {}", "Template format error: At least one Resources member must be defined."],
    ["Resources: [", "Template format error: YAML not well-formed. (line 1, column 13)"],
    ['{"Resources": {', "Template format error: JSON not well-formed. (line 1, column 16)"],
    [
      "Resources: { A: { Type: AWS::No::Thing } }",
      "Template format error: Unrecognized resource types: [AWS::No::Thing]",
    ],
    [
      "Resources: { A: { Type: AWS::EC2::Instance } }",
      "Resource types not implemented by Cumulet: [AWS::EC2::Instance]",
    ],
    [
      "Resources: { A: { Type: AWS::SNS::Topic, Properties: { Nope: 1 } } }",
      "Encountered unsupported property Nope in resource [A] of type AWS::SNS::Topic",
    ],
    [
      "Resources: { A: { Type: AWS::SNS::Topic, Properties: { KmsMasterKeyId: k } } }",
      "The property KmsMasterKeyId of resource [A] of type AWS::SNS::Topic is not implemented by Cumulet",
    ],
    [
      "Resources: { A: { Type: AWS::SNS::Topic, Properties: { TopicName: !Ref X } } }",
      "Template format error: Unresolved resource dependencies [X] in the Resources block of the template",
    ],
    [
      "Resources: { A: { Type: AWS::SNS::Topic, DependsOn: B }, B: { Type: AWS::SNS::Topic, DependsOn: A } }",
      "Circular dependency between resources: [A, B]",
    ],
    [
      "Parameters: { P: { Type: String } }\nResources: { A: { Type: AWS::SNS::Topic } }",
      "Parameters: [P] must have values",
    ],
    [
      "Resources: { A: { Type: AWS::SNS::Topic, Properties: { DisplayName: !GetAtt A.Nope } } }",
      "Circular dependency between resources: [A]",
    ],
    [
      "Resources: { A: { Type: AWS::SNS::Topic }, B: { Type: AWS::SNS::Topic, Properties: { TopicName: !GetAtt A.Nope } } }",
      "Template error: resource A does not support attribute type Nope in Fn::GetAtt",
    ],
    ["Extra: 1\nResources: { A: { Type: AWS::SNS::Topic } }", "Invalid template property or properties [Extra]"],
    [
      "Resources: { A: { Type: AWS::SNS::Topic, Properties: { TopicName: !ImportValue nobody } } }",
      "No export named nobody found.",
    ],
    [
      "Resources: { A: { Type: AWS::SNS::Topic, Properties: { TopicName: '{{resolve:ssm:x}}' } } }",
      "Dynamic references to ssm ({{resolve:ssm:…}}) are not implemented by Cumulet",
    ],
  ])("refuses %s and leaves nothing behind", async (TemplateBody, message) => {
    const refused = client.send(new CreateStackCommand({ StackName: "app", TemplateBody }));
    await expect(refused).rejects.toMatchObject({ name: "ValidationError", message });
    const refusedChangeSet = client.send(
      new CreateChangeSetCommand({ StackName: "app", ChangeSetName: "c", ChangeSetType: "CREATE", TemplateBody }),
    );
    await expect(refusedChangeSet).rejects.toMatchObject({ name: "ValidationError", message });
    await expect(client.send(new DescribeStacksCommand({ StackName: "app" }))).rejects.toMatchObject({
      name: "ValidationError",
      message: "Stack with id app does not exist",
    });
  });

  test("refuses IAM resources that are not acknowledged", async () => {
    await expect(create(role(""))).rejects.toMatchObject({
      name: "InsufficientCapabilitiesException",
      message: "Requires capabilities : [CAPABILITY_IAM]",
    });
    await expect(create(role(", RoleName: r"), { Capabilities: ["CAPABILITY_IAM"] })).rejects.toMatchObject({
      message: "Requires capabilities : [CAPABILITY_NAMED_IAM]",
    });
    expect((await create(role(""), { Capabilities: ["CAPABILITY_IAM"] })).StackStatus).toBe("CREATE_COMPLETE");
  });

  test("refuses a name that is taken, and repeats its answer for the same token", async () => {
    const template = "Resources: { A: { Type: AWS::SNS::Topic } }";
    const first = await create(template, { ClientRequestToken: "once" });
    expect((await create(template, { ClientRequestToken: "once" })).StackId).toBe(first.StackId);
    await expect(create(template)).rejects.toMatchObject({
      name: "AlreadyExistsException",
      message: "Stack [app] already exists",
    });
  });

  test("two at the same time with one name make one stack", async () => {
    const TemplateBody = "Resources: { A: { Type: AWS::SNS::Topic } }";
    const both = await Promise.allSettled(
      [1, 2].map(() => client.send(new CreateStackCommand({ StackName: "app", TemplateBody }))),
    );
    expect(both.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
    expect((await settled("app")).StackStatus).toBe("CREATE_COMPLETE");
    expect(world.resources.size).toBe(1);
  });

  test("refuses NotificationARNs by name", async () => {
    const refused = create("Resources: { A: { Type: AWS::SNS::Topic } }", { NotificationARNs: ["arn:aws:sns:::t"] });
    await expect(refused).rejects.toMatchObject({
      message: "CreateStack with NotificationARNs is not implemented by Cumulet",
    });
  });
});

describe("UpdateStack", () => {
  test("answers No updates are to be performed. when nothing changes", async () => {
    await create(topic("a", "x"));
    await expect(update(topic("a", "x"))).rejects.toMatchObject({
      name: "ValidationError",
      message: "No updates are to be performed.",
    });
  });

  test("changes in place what can be, and replaces what must be, with all that depends on it", async () => {
    await create(topic("a", "x"));
    expect((await update(topic("a", "y"))).StackStatus).toBe("UPDATE_COMPLETE");
    expect(world.resources.get("a")).toEqual({ TopicName: "a", DisplayName: "y" });
    world.calls.length = 0;
    expect((await update(topic("b", "y"))).StackStatus).toBe("UPDATE_COMPLETE");
    expect(world.calls).toEqual(["create Topic", "create Queue", "delete Queue", "delete Topic"]);
    expect([...world.resources.keys()]).toEqual(["b", "b-q"]);
    expect((await events()).slice(-13)).toEqual([
      "app UPDATE_IN_PROGRESS User Initiated",
      "Topic UPDATE_IN_PROGRESS Requested update requires the creation of a new physical resource; hence creating one.",
      "Topic UPDATE_IN_PROGRESS Resource creation Initiated",
      "Topic UPDATE_COMPLETE",
      "Queue UPDATE_IN_PROGRESS Requested update requires the creation of a new physical resource; hence creating one.",
      "Queue UPDATE_IN_PROGRESS Resource creation Initiated",
      "Queue UPDATE_COMPLETE",
      "app UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
      "Queue DELETE_IN_PROGRESS",
      "Queue DELETE_COMPLETE",
      "Topic DELETE_IN_PROGRESS",
      "Topic DELETE_COMPLETE",
      "app UPDATE_COMPLETE",
    ]);
  });

  test("goes back to what was when a resource fails", async () => {
    await create(topic("a", "x"));
    const before = new Map(world.resources);
    world.intercept = (step) => {
      if (step === "create New") throw new Error("boom");
    };
    const next = `
Resources:
  Topic: { Type: AWS::SNS::Topic, Properties: { TopicName: b, DisplayName: z } }
  Queue: { Type: AWS::SQS::Queue, Properties: { QueueName: a-q, DelaySeconds: 9 } }
  New: { Type: AWS::SQS::Queue, DependsOn: [Topic, Queue] }
`;
    const stack = await update(next);
    expect(stack.StackStatus).toBe("UPDATE_ROLLBACK_COMPLETE");
    expect(world.resources).toEqual(before);
    const { StackResources } = await client.send(new DescribeStackResourcesCommand({ StackName: "app" }));
    expect(StackResources?.map((each) => [each.LogicalResourceId, each.PhysicalResourceId])).toEqual([
      ["Queue", "a-q"],
      ["Topic", "a"],
    ]);
    expect(await events()).toContain(
      "app UPDATE_ROLLBACK_IN_PROGRESS The following resource(s) failed to create: [New]. ",
    );
    world.intercept = () => {};
    expect((await update(next)).StackStatus).toBe("UPDATE_COMPLETE");
  });

  test("deletes what is gone from the template, and keeps what is to be retained", async () => {
    const both = `
Resources:
  A: { Type: AWS::SNS::Topic, Properties: { TopicName: a } }
  B: { Type: AWS::SNS::Topic, Properties: { TopicName: b } }
  C: { Type: AWS::SNS::Topic, DeletionPolicy: Retain, Properties: { TopicName: c } }
`;
    await create(both);
    await update("Resources: { A: { Type: AWS::SNS::Topic, Properties: { TopicName: a } } }");
    expect([...world.resources.keys()]).toEqual(["a", "c"]);
  });

  test("refuses a stack that is busy or rolled back", async () => {
    world.intercept = () => {
      throw new Error("boom");
    };
    const { StackId } = await create(topic("a", "x"));
    await expect(update(topic("a", "y"))).rejects.toMatchObject({
      message: `Stack:${StackId} is in ROLLBACK_COMPLETE state and can not be updated.`,
    });
  });
});

describe("change sets", () => {
  test("tell what they would do, and do it", async () => {
    const made = await changeSet("CREATE", display("a", "x"));
    expect(made).toMatchObject({ Status: "CREATE_COMPLETE", ExecutionStatus: "AVAILABLE" });
    expect(made.Changes?.map(({ ResourceChange: each }) => [each?.Action, each?.LogicalResourceId])).toEqual([
      ["Add", "Topic"],
      ["Add", "Queue"],
    ]);
    const { Stacks } = await client.send(new DescribeStacksCommand({ StackName: "app" }));
    expect(Stacks?.[0]?.StackStatus).toBe("REVIEW_IN_PROGRESS");
    expect(world.calls).toEqual([]);
    await client.send(new ExecuteChangeSetCommand({ StackName: "app", ChangeSetName: "c" }));
    expect((await settled("app")).StackStatus).toBe("CREATE_COMPLETE");
  });

  test("tell in-place changes from replacements, and what a replacement carries along", async () => {
    await create(display("a", "x"));
    const shown = await changeSet("UPDATE", display("a", "y"), "display");
    expect(shown.Changes?.map(({ ResourceChange: each }) => each)).toMatchObject([
      {
        Action: "Modify",
        LogicalResourceId: "Topic",
        PhysicalResourceId: "a",
        Replacement: "False",
        Scope: ["Properties"],
        Details: [
          {
            Target: { Attribute: "Properties", Name: "DisplayName", RequiresRecreation: "Never" },
            Evaluation: "Static",
            ChangeSource: "ParameterReference",
            CausingEntity: "Display",
          },
          { ChangeSource: "DirectModification" },
        ],
      },
    ]);
    const renamed = await changeSet("UPDATE", display("b", "x"), "renamed");
    expect(renamed.Changes?.map(({ ResourceChange: each }) => [each?.LogicalResourceId, each?.Replacement])).toEqual([
      ["Topic", "True"],
      ["Queue", "Conditional"],
    ]);
    expect(renamed.Changes?.[1]?.ResourceChange?.Details).toEqual([
      {
        Target: { Attribute: "Properties", Name: "QueueName", RequiresRecreation: "Conditionally" },
        Evaluation: "Dynamic",
        ChangeSource: "ResourceReference",
        CausingEntity: "Topic",
      },
    ]);
  });

  test("without changes fail with AWS's reason, and cannot be executed", async () => {
    await create(display("a", "x"));
    expect(await changeSet("UPDATE", display("a", "x"))).toMatchObject({
      Status: "FAILED",
      ExecutionStatus: "UNAVAILABLE",
      StatusReason:
        "The submitted information didn't contain changes. Submit different information to create a change set.",
    });
    const executed = client.send(new ExecuteChangeSetCommand({ StackName: "app", ChangeSetName: "c" }));
    await expect(executed).rejects.toMatchObject({ name: "InvalidChangeSetStatusException" });
  });

  test("of a stack that does not exist are refused, and so are unknown ones", async () => {
    await expect(changeSet("UPDATE", display("a", "x"))).rejects.toMatchObject({
      message: "Stack [app] does not exist",
    });
    const described = client.send(new DescribeChangeSetCommand({ StackName: "app", ChangeSetName: "none" }));
    await expect(described).rejects.toMatchObject({ name: "ChangeSetNotFoundException" });
  });
});

describe("DeleteStack", () => {
  test("deletes in the reverse order of dependencies; deleting what is not there succeeds", async () => {
    const { StackId } = await create(`
Resources:
  A: { Type: AWS::SNS::Topic }
  B: { Type: AWS::SNS::Topic, DependsOn: A }
  C: { Type: AWS::SNS::Topic, DependsOn: B }
`);
    world.calls.length = 0;
    await client.send(new DeleteStackCommand({ StackName: "app" }));
    expect((await settled(StackId ?? "")).StackStatus).toBe("DELETE_COMPLETE");
    expect(world.calls).toEqual(["delete C", "delete B", "delete A"]);
    await client.send(new DeleteStackCommand({ StackName: "app" }));
    await expect(client.send(new DescribeStacksCommand({ StackName: "app" }))).rejects.toMatchObject({
      message: "Stack with id app does not exist",
    });
  });

  test("fails with the resource that cannot be deleted, and can leave it", async () => {
    const { StackId } = await create("Resources: { A: { Type: AWS::SNS::Topic }, B: { Type: AWS::SNS::Topic } }");
    world.intercept = (step) => {
      if (step === "delete A") throw new Error("boom");
    };
    await client.send(new DeleteStackCommand({ StackName: "app" }));
    expect(await settled("app")).toMatchObject({
      StackStatus: "DELETE_FAILED",
      StackStatusReason: "The following resource(s) failed to delete: [A]. ",
    });
    await client.send(new DeleteStackCommand({ StackName: "app", RetainResources: ["A"] }));
    expect((await settled(StackId ?? "")).StackStatus).toBe("DELETE_COMPLETE");
    expect(world.resources.size).toBe(1);
  });

  test("of a stack that is being created stops and deletes it", async () => {
    world.intercept = (_step, context) =>
      new Promise((_resolve, reject) => {
        context.signal.addEventListener("abort", () => reject(new DOMException("stop", "AbortError")));
      });
    const TemplateBody = "Resources: { A: { Type: AWS::SNS::Topic } }";
    const { StackId } = await client.send(new CreateStackCommand({ StackName: "app", TemplateBody }));
    await client.send(new DeleteStackCommand({ StackName: "app" }));
    expect((await settled(StackId ?? "")).StackStatus).toBe("DELETE_COMPLETE");
    expect((await events(StackId)).at(2)).toBe("A CREATE_FAILED Resource creation cancelled");
  });
});

test("CancelUpdateStack goes back to what was", async () => {
  await create(topic("a", "x"));
  world.intercept = (step, context) => {
    if (step !== "update Topic" || context.properties["DisplayName"] === "x") return undefined;
    return new Promise((_resolve, reject) => {
      context.signal.addEventListener("abort", () => reject(new DOMException("stop", "AbortError")));
    });
  };
  await client.send(new UpdateStackCommand({ StackName: "app", TemplateBody: topic("a", "y") }));
  await client.send(new CancelUpdateStackCommand({ StackName: "app" }));
  expect((await settled("app")).StackStatus).toBe("UPDATE_ROLLBACK_COMPLETE");
  expect(world.resources.get("a")).toEqual({ TopicName: "a", DisplayName: "x" });
});

test("a rollback that fails can be continued", async () => {
  await create(topic("a", "x"));
  world.intercept = (step, context) => {
    if (step === "create New" || (step === "update Topic" && context.properties["DisplayName"] === "x")) {
      throw new AwsError("Busy", 400, "not now");
    }
  };
  const next = `${topic("a", "y")}  New: { Type: AWS::SQS::Queue, DependsOn: Topic }\n`;
  expect((await update(next)).StackStatus).toBe("UPDATE_ROLLBACK_FAILED");
  world.intercept = () => {};
  await client.send(new ContinueUpdateRollbackCommand({ StackName: "app" }));
  expect((await settled("app")).StackStatus).toBe("UPDATE_ROLLBACK_COMPLETE");
  expect(world.resources.get("a")).toEqual({ TopicName: "a", DisplayName: "x" });
});

test("NoEcho values are shown nowhere", async () => {
  const template = `
Parameters: { Secret: { Type: String, NoEcho: true } }
Resources: { Topic: { Type: AWS::SNS::Topic, Properties: { DisplayName: !Sub "is-\${Secret}" } } }
`;
  const stack = await create(template, { Parameters: [{ ParameterKey: "Secret", ParameterValue: "hunter2" }] });
  expect(stack.Parameters).toEqual([{ ParameterKey: "Secret", ParameterValue: "****" }]);
  expect([...world.resources.values()]).toEqual([{ DisplayName: "is-hunter2" }]);
  const { StackEvents } = await client.send(new DescribeStackEventsCommand({ StackName: "app" }));
  expect(JSON.stringify(StackEvents)).not.toContain("hunter2");
  expect(JSON.stringify(StackEvents)).toContain("is-****");
});

describe("exports", () => {
  test("are read by other stacks, and cannot change or go while they are", async () => {
    await create(exporter("a"));
    await client.send(new CreateStackCommand({ StackName: "user", TemplateBody: importer }));
    expect((await settled("user")).StackStatus).toBe("CREATE_COMPLETE");
    expect((await client.send(new ListExportsCommand())).Exports).toMatchObject([{ Name: "shared", Value: "a" }]);
    expect((await client.send(new ListImportsCommand({ ExportName: "shared" }))).Imports).toEqual(["user"]);
    await expect(client.send(new DeleteStackCommand({ StackName: "app" }))).rejects.toMatchObject({
      message: "Export shared cannot be deleted as it is in use by user",
    });
    expect(await update(exporter("b"))).toMatchObject({ StackStatus: "UPDATE_ROLLBACK_COMPLETE" });
    expect(await events()).toContain(
      "app UPDATE_ROLLBACK_IN_PROGRESS Export shared cannot be updated as it is in use by user",
    );
    await client.send(new DeleteStackCommand({ StackName: "user" }));
    await expect
      .poll(() => client.send(new ListImportsCommand({ ExportName: "shared" })).catch(({ message }) => message))
      .toBe("Export 'shared' is not imported by any stack.");
    await client.send(new DeleteStackCommand({ StackName: "app" }));
    await expect.poll(async () => (await client.send(new ListExportsCommand())).Exports).toEqual([]);
  });

  test("of one name by two stacks are refused, and the second rolls back", async () => {
    await create(exporter("a"));
    await client.send(new CreateStackCommand({ StackName: "twin", TemplateBody: exporter("b") }));
    expect((await settled("twin")).StackStatus).toBe("ROLLBACK_COMPLETE");
    expect(await events("twin")).toContain(
      "twin ROLLBACK_IN_PROGRESS Export with name shared is already exported by stack app. Rollback requested by user.",
    );
  });
});

test("a deployment goes on after kill -9 in the middle, and makes each resource once", async () => {
  const store = createMemoryStore();
  const first = await startFakeStacks(world, store);
  const reached = new Promise<void>((resolve) => {
    world.intercept = async (step) => {
      if (step !== "create Queue") return;
      resolve();
      await new Promise(() => {});
    };
  });
  const TemplateBody = `
Resources:
  Topic: { Type: AWS::SNS::Topic }
  Queue: { Type: AWS::SQS::Queue, DependsOn: Topic }
  Last: { Type: AWS::SNS::Topic, DependsOn: Queue }
`;
  await first.client.send(new CreateStackCommand({ StackName: "app", TemplateBody }));
  await reached;
  await first.kill();
  world.intercept = () => {};
  const second = await startFakeStacks(world, store, 120_000);
  expect((await settled("app", second.client)).StackStatus).toBe("CREATE_COMPLETE");
  expect(world.calls).toEqual(["create Topic", "create Queue", "create Queue", "create Last"]);
  expect(world.resources.size).toBe(3);
  await second.stop();
});
