import {
  CreateStackCommand,
  DeleteStackCommand,
  DescribeStackEventsCommand,
  DescribeStacksCommand,
  UpdateStackCommand,
  type Stack,
} from "@aws-sdk/client-cloudformation";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { AwsError } from "../../../aws/error.ts";
import { createMemoryStore } from "../../../kernel/store/memory-store.ts";
import {
  createFakeWorld,
  startFakeStacks,
  type FakeStacks,
  type FakeWorld,
  type ProviderDocument,
} from "../../../testing/cloudformation.ts";

let world: FakeWorld;
let stacks: FakeStacks;
let asked: ProviderDocument[];

beforeEach(async () => {
  world = createFakeWorld();
  stacks = await startFakeStacks(world);
  asked = [];
  answerWith(() => ({}));
});
afterEach(() => stacks.stop());

const put = async (url: string, body: string) => (await fetch(url, { method: "PUT", body })).status;

const bodyOf = ({ StackId, RequestId, LogicalResourceId }: ProviderDocument, more: object) =>
  JSON.stringify({ Status: "SUCCESS", PhysicalResourceId: "one", StackId, RequestId, LogicalResourceId, ...more });

/** A provider that answers every request, after it was invoked, with this over success for a resource called `one`. */
function answerWith(more: (request: ProviderDocument) => object | undefined): void {
  world.provider = (request) => {
    asked.push(request);
    const given = more(request);
    if (given) setImmediate(() => void put(request.ResponseURL, bodyOf(request, given)));
  };
}

const token = "arn:aws:lambda:us-east-1:123456789012:function:provider";

const custom = (properties: string, rest = "") => `
Resources:
  Thing: { Type: Custom::Thing, Properties: { ServiceToken: "${token}", ${properties} } }
${rest}`;

const plain = (v: string) => custom(`V: ${v}`).replace("Custom::Thing", "AWS::CloudFormation::CustomResource");

async function settled(StackName = "app"): Promise<Stack> {
  for (;;) {
    const { Stacks } = await stacks.client.send(new DescribeStacksCommand({ StackName }));
    const stack = Stacks?.[0];
    if (stack && !stack.StackStatus?.endsWith("_IN_PROGRESS")) return stack;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

async function create(TemplateBody: string, more: object = {}): Promise<Stack> {
  const { StackId } = await stacks.client.send(new CreateStackCommand({ StackName: "app", TemplateBody, ...more }));
  return settled(StackId);
}

async function update(TemplateBody: string): Promise<Stack> {
  await stacks.client.send(new UpdateStackCommand({ StackName: "app", TemplateBody }));
  return settled();
}

async function remove(): Promise<Stack> {
  const { StackId } = await settled();
  await stacks.client.send(new DeleteStackCommand({ StackName: "app" }));
  return settled(StackId);
}

/** What its events say of the resource. */
async function told(StackName = "app", of = "Thing"): Promise<string[]> {
  const { StackEvents = [] } = await stacks.client.send(new DescribeStackEventsCommand({ StackName }));
  return StackEvents.toReversed()
    .filter(({ LogicalResourceId }) => LogicalResourceId === of)
    .map(({ ResourceStatus, ResourceStatusReason: reason, PhysicalResourceId: id }) =>
      [ResourceStatus, id, reason].filter((each) => each !== undefined && each !== "").join(" | "),
    );
}

const brief = () =>
  asked.map(({ RequestType, PhysicalResourceId: id, ResourceProperties: { V } }) => [RequestType, id, V].join(" "));

/** A topic that cannot be made after the custom resource has been: the stack goes back. */
const broken = "  Last: { Type: AWS::SNS::Topic, DependsOn: Thing }";
function breakLast(): void {
  world.intercept = (step) => {
    if (step === "create Last") throw new AwsError("Bad", 400, "no");
  };
}

describe("The provider of a custom resource", () => {
  test("is told what the template says, in texts; its answer is what Ref and Fn::GetAtt give", async () => {
    answerWith(() => ({ Data: { Name: "n", List: ["a", "b"] } }));
    const outputs = `
Outputs:
  Id: { Value: !Ref Thing }
  Name: { Value: !GetAtt Thing.Name }
  List: { Value: !Join ["+", !GetAtt Thing.List] }
`;
    const stack = await create(custom("V: 1, On: true, Deep: { A: [1.5, false, x] }", outputs));
    expect(stack).toMatchObject({ StackStatus: "CREATE_COMPLETE" });
    expect(stack.Outputs?.map(({ OutputValue }) => OutputValue)).toEqual(["one", "n", "a+b"]);
    expect(asked).toEqual([
      {
        RequestType: "Create",
        ServiceToken: token,
        ResponseURL: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/_cumulet\/custom-resource\/[\w-]+$/),
        StackId: stack.StackId,
        RequestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
        LogicalResourceId: "Thing",
        ResourceType: "Custom::Thing",
        ResourceProperties: { ServiceToken: token, V: "1", On: "true", Deep: { A: ["1.5", "false", "x"] } },
      },
    ]);
  });

  test("is asked for changes and the end, of AWS::CloudFormation::CustomResource too", async () => {
    await create(plain("a"));
    expect(await update(plain("b"))).toMatchObject({ StackStatus: "UPDATE_COMPLETE" });
    await remove();
    expect(brief()).toEqual(["Create  a", "Update one b", "Delete one b"]);
    expect(asked[1]).toMatchObject({
      ResourceType: "AWS::CloudFormation::CustomResource",
      OldResourceProperties: { ServiceToken: token, V: "a" },
    });
  });

  test("has replaced what it calls otherwise: the former is deleted when the update is complete", async () => {
    answerWith(({ ResourceProperties: { V } }) => ({ PhysicalResourceId: `id-${String(V)}` }));
    await create(custom("V: a"));
    await update(custom("V: b"));
    await remove();
    expect(brief()).toEqual(["Create  a", "Update id-a b", "Delete id-a a", "Delete id-b b"]);
  });

  test("deletes what replaced another, when the update is rolled back", async () => {
    answerWith(({ ResourceProperties: { V } }) => ({ PhysicalResourceId: `id-${String(V)}` }));
    await create(custom("V: a"));
    breakLast();
    expect(await update(custom("V: b", broken))).toMatchObject({ StackStatus: "UPDATE_ROLLBACK_COMPLETE" });
    expect(brief()).toEqual(["Create  a", "Update id-a b", "Delete id-b b"]);
    await remove();
    expect(brief().at(-1)).toBe("Delete id-a a");
  });

  test("is asked to take an update back", async () => {
    await create(custom("V: a"));
    breakLast();
    expect(await update(custom("V: b", broken))).toMatchObject({ StackStatus: "UPDATE_ROLLBACK_COMPLETE" });
    expect(brief()).toEqual(["Create  a", "Update one b", "Update one a"]);
    expect(asked[2]).toMatchObject({ OldResourceProperties: { V: "b" } });
  });

  test("that calls it otherwise when it takes an update back has both deleted in the end", async () => {
    let id = 0;
    answerWith(({ RequestType }) => (RequestType === "Create" || ++id !== 2 ? {} : { PhysicalResourceId: "two" }));
    await create(custom("V: a"));
    breakLast();
    await update(custom("V: b", broken));
    await remove();
    expect(brief()).toEqual(["Create  a", "Update one b", "Update one a", "Delete one a", "Delete two a"]);
  });

  test("may not be exchanged for another", async () => {
    await create(custom("V: a"));
    expect(await update(custom("V: a").replace(":provider", ":other"))).toMatchObject({
      StackStatus: "UPDATE_ROLLBACK_COMPLETE",
    });
    expect(await told()).toContain("UPDATE_FAILED | one | Modifying service token is not allowed.");
  });
});

describe("A custom resource fails", () => {
  test("with what its provider says, which is then asked to delete it", async () => {
    answerWith(({ RequestType }) => (RequestType === "Create" ? { Status: "FAILED", Reason: "no room" } : {}));
    expect(await create(custom("V: a"))).toMatchObject({ StackStatus: "ROLLBACK_COMPLETE" });
    expect((await told())[1]).toBe(
      `CREATE_FAILED | one | Received response status [FAILED] from custom resource. Message returned: no room (RequestId: ${asked[0]?.RequestId})`,
    );
    expect(brief()).toEqual(["Create  a", "Delete one a"]);
  });

  test("when nothing is answered in time: what may be there is deleted by a name that it was not told", async () => {
    answerWith(({ RequestType }) => (RequestType === "Create" ? undefined : {}));
    expect(await create(custom("V: a, ServiceTimeout: 1"))).toMatchObject({ StackStatus: "ROLLBACK_COMPLETE" });
    expect((await told())[1]).toContain(
      `CloudFormation did not receive a response from your Custom Resource. Please check your logs for requestId [${asked[0]?.RequestId}].`,
    );
    expect(asked[1]?.PhysicalResourceId).toMatch(/^app-Thing-[A-Z0-9]{12}$/);
    expect(await put(asked[0]?.ResponseURL ?? "", bodyOf(asked[0] as ProviderDocument, {}))).toBe(403);
  });

  test.each<[string, object, string]>([
    [
      "a status that there is none",
      { Status: "FAILURE" },
      "Invalid Response object: 'FAILURE' is not a valid ResponseStatus",
    ],
    ["no physical id", { PhysicalResourceId: undefined }, "Invalid PhysicalResourceId"],
    ["more than 4 KB", { Data: { a: "x".repeat(5_000) } }, "Response object is too long."],
  ])("when it answers with %s", async (_what, given, reason) => {
    answerWith(({ RequestType }) => (RequestType === "Create" ? given : {}));
    expect(await create(custom("V: a"))).toMatchObject({ StackStatus: "ROLLBACK_COMPLETE" });
    expect((await told())[1]).toContain(reason);
  });

  test("when its function cannot be invoked: nobody is asked to delete it", async () => {
    world.provider = () => {
      throw new AwsError("ResourceNotFoundException", 404, "Function not found: provider");
    };
    expect(await create(custom("V: a"))).toMatchObject({ StackStatus: "ROLLBACK_COMPLETE" });
    expect(await told()).toEqual([
      "CREATE_IN_PROGRESS",
      "CREATE_FAILED | Function not found: provider (Service: Lambda, Status Code: 404)",
      "DELETE_COMPLETE",
    ]);
  });

  test("when its stack is deleted while it is made: what may be there is deleted", async () => {
    answerWith(({ RequestType }) => (RequestType === "Create" ? undefined : {}));
    const TemplateBody = custom("V: a");
    const { StackId } = await stacks.client.send(new CreateStackCommand({ StackName: "app", TemplateBody }));
    await stacks.client.send(new DeleteStackCommand({ StackName: "app" }));
    expect(await settled(StackId)).toMatchObject({ StackStatus: "DELETE_COMPLETE" });
    expect(brief()).toEqual(["Create  a", expect.stringMatching(/^Delete app-Thing-[A-Z0-9]{12} a$/)]);
  });

  test("in its deletion, and is asked again by the next", async () => {
    await create(custom("V: a"));
    let failures = 1;
    answerWith(() => (failures-- > 0 ? { Status: "FAILED", Reason: "busy" } : {}));
    expect(await remove()).toMatchObject({ StackStatus: "DELETE_FAILED" });
    expect(await remove()).toMatchObject({ StackStatus: "DELETE_COMPLETE" });
    expect(brief()).toEqual(["Create  a", "Delete one a", "Delete one a"]);
    expect(asked[1]?.RequestId).not.toBe(asked[2]?.RequestId);
  });

  test("when an attribute is asked for that was not answered", async () => {
    const topic = "  Topic: { Type: AWS::SNS::Topic, Properties: { TopicName: !GetAtt Thing.Nothing } }";
    await create(custom("V: a", topic));
    expect((await told("app", "Topic")).join(" ")).toContain(
      "CustomResource attribute error: Vendor response doesn't contain Nothing attribute in object one",
    );
  });
});

test("what is answered with NoEcho is not shown", async () => {
  answerWith(() => ({ Data: { Word: "hush-hush" }, NoEcho: true }));
  const topic = "  Topic: { Type: AWS::SNS::Topic, Properties: { TopicName: !GetAtt Thing.Word } }";
  await create(custom("V: a", topic));
  await update(
    custom("V: b", topic.replace("!GetAtt", "!Sub ['${X}-more', { X: !GetAtt").replace("Word }", "Word }] }")),
  );
  expect([...world.resources.keys()]).toContain("hush-hush-more");
  const { StackEvents } = await stacks.client.send(new DescribeStackEventsCommand({ StackName: "app" }));
  const properties = StackEvents?.map(({ ResourceProperties }) => ResourceProperties).join();
  expect(properties).toContain("****-more");
  expect(properties).not.toContain("hush");
});

describe("A template is refused whose custom resource", () => {
  test.each([
    ["has no ServiceToken", `Resources: { T: { Type: Custom::T } }`, "required key [ServiceToken] not found"],
    ["has a token that is no ARN", custom("V: 1").replace(token, "x"), "Invalid service token."],
    [
      "has the token of a role",
      custom("V: 1").replace(token, "arn:aws:iam::123456789012:role/x"),
      "Invalid service token.",
    ],
    [
      "has the token of a topic",
      custom("V: 1").replace(token, "arn:aws:sns:us-east-1:123456789012:t"),
      "names an SNS topic, which is not implemented by Cumulet",
    ],
    ["has no time", custom("ServiceTimeout: 0"), "ServiceTimeout of resource Thing must be an integer from 1 to 3600"],
    ["has too much time", custom("ServiceTimeout: 3601"), "ServiceTimeout of resource Thing"],
    ["has half a second", custom("ServiceTimeout: '0.5'"), "ServiceTimeout of resource Thing"],
    [
      "has a name that is none",
      custom("V: 1").replace("Custom::Thing", "Custom::A.B"),
      "Unrecognized resource types: [Custom::A.B]",
    ],
  ])("%s", async (_what, TemplateBody, message) => {
    await expect(create(TemplateBody)).rejects.toThrow(message);
    expect(asked).toEqual([]);
  });
});

test("an answer is taken once, at an address that was given out, by PUT", async () => {
  world.provider = (request) => void asked.push(request);
  await stacks.client.send(new CreateStackCommand({ StackName: "app", TemplateBody: custom("V: a") }));
  const [request] = asked;
  if (!request) throw new Error("Nobody was asked");
  const { ResponseURL: url } = request;
  const body = bodyOf(request, {});
  expect((await fetch(url)).status).toBe(405);
  expect(await put(`${url.slice(0, url.lastIndexOf("/"))}/AAAA`, body)).toBe(403);
  expect(await put(`${url.slice(0, url.lastIndexOf("/"))}/`, body)).toBe(403);
  const taken = await Promise.all([put(url, body), put(url, body), put(url, body)]);
  expect(taken.toSorted()).toEqual([200, 403, 403]);
  expect(await settled()).toMatchObject({ StackStatus: "CREATE_COMPLETE" });
  expect(await put(url, body)).toBe(403);
});

test("an answer is taken by whichever platform it reaches", async () => {
  const store = createMemoryStore();
  await stacks.stop();
  stacks = await startFakeStacks(world, store);
  const beside = await startFakeStacks(world, store);
  try {
    world.provider = (request) => void asked.push(request);
    await stacks.client.send(new CreateStackCommand({ StackName: "app", TemplateBody: custom("V: a") }));
    const [request] = asked;
    if (!request) throw new Error("Nobody was asked");
    for (const each of [beside, stacks]) {
      const status = await put(await addressAt(each, request), bodyOf(request, {}));
      expect(status).toBe(each === beside ? 200 : 403);
    }
    expect(await settled()).toMatchObject({ StackStatus: "CREATE_COMPLETE" });
  } finally {
    await beside.stop();
  }
});

test("a platform that goes on for another waits for the answer to what was asked; nobody is asked twice", async () => {
  const store = createMemoryStore();
  await stacks.stop();
  const first = await startFakeStacks(world, store);
  world.provider = (request) => void asked.push(request);
  await first.client.send(new CreateStackCommand({ StackName: "app", TemplateBody: custom("V: a") }));
  const [request] = asked;
  if (!request) throw new Error("Nobody was asked");
  // It lets go of the stack, and says so: another goes on at once.
  await first.stop();
  stacks = await startFakeStacks(world, store);
  expect(await put(await addressAt(stacks, request), bodyOf(request, {}))).toBe(200);
  expect(await settled()).toMatchObject({ StackStatus: "CREATE_COMPLETE" });
  expect(brief()).toEqual(["Create  a"]);
});

/** Where a platform takes the answer to a request, whoever has sent that. */
async function addressAt({ client }: FakeStacks, { ResponseURL }: ProviderDocument): Promise<string> {
  const { protocol, hostname, port } = (await client.config.endpoint?.()) ?? {};
  return `${protocol}//${hostname}:${port}${new URL(ResponseURL).pathname}`;
}
