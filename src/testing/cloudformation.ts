import { CloudFormationClient } from "@aws-sdk/client-cloudformation";
import { AwsError } from "../aws/error.ts";
import type { Principal } from "../aws/principal.ts";
import { createFront } from "../front/front.ts";
import { systemClock, type Clock } from "../kernel/clock.ts";
import { randomIds } from "../kernel/ids.ts";
import { createJobs } from "../kernel/jobs/stored-jobs.ts";
import { createLog } from "../kernel/log.ts";
import { createMemoryStore } from "../kernel/store/memory-store.ts";
import type { Store } from "../kernel/store/store.ts";
import type { Properties, ResourceContext, ResourceType } from "../services/cloudformation/port.ts";
import { createCloudFormation } from "../services/cloudformation/service.ts";
import { createServiceDirectory } from "../wire/directory.ts";
import type { Service } from "../wire/service.ts";
import { createModels } from "../wire/tables/catalog.ts";

/** A world of fake resources that outlives the platforms that make them. */
export interface FakeWorld {
  /** What exists, by physical id. */
  readonly resources: Map<string, Properties>;
  /** `create Topic1`, `update …`, `delete …`, in order of beginning. */
  readonly calls: string[];
  /** Called at the beginning of each step: may throw, or wait. */
  intercept: (step: string, context: ResourceContext) => Promise<void> | void;
  /** The function behind every ARN: called with what it is invoked with, which nobody waits for. */
  provider: (request: ProviderDocument) => Promise<void> | void;
}

/** What a custom resource's provider is told. */
export interface ProviderDocument {
  readonly RequestType: string;
  readonly ResponseURL: string;
  readonly RequestId: string;
  readonly StackId: string;
  readonly LogicalResourceId: string;
  readonly PhysicalResourceId?: string;
  readonly ResourceProperties: Readonly<Record<string, unknown>>;
}

export function createFakeWorld(): FakeWorld {
  return { resources: new Map(), calls: [], intercept: () => {}, provider: () => {} };
}

/** Real type names with made-up resources behind them: the first of `names` that is given names the resource. */
function fakeType(world: FakeWorld, type: string, properties: readonly string[], nameProperty: string): ResourceType {
  const begin = async (verb: string, context: ResourceContext): Promise<void> => {
    world.calls.push(`${verb} ${context.logicalId}`);
    await world.intercept(`${verb} ${context.logicalId}`, context);
  };
  return {
    type,
    properties,
    attributes: ["Arn", "TopicArn", "QueueName"],
    async create(context) {
      await begin("create", context);
      const given = context.properties[nameProperty];
      const physicalId = typeof given === "string" ? given : context.generateName(80);
      if (world.resources.has(physicalId) && context.resumed !== true) {
        throw new AwsError("ResourceAlreadyExistsException", 409, `${physicalId} already exists`);
      }
      world.resources.set(physicalId, context.properties);
      return state(physicalId);
    },
    async update(context) {
      await begin("update", context);
      world.resources.set(context.state.physicalId, context.properties);
      return context.state;
    },
    async delete(context) {
      await begin("delete", context);
      world.resources.delete(context.state.physicalId);
    },
  };
}

const state = (physicalId: string) => ({
  physicalId,
  attributes: { Arn: `arn:fake:${physicalId}`, TopicArn: `arn:fake:${physicalId}`, QueueName: physicalId },
});

const sealed = Buffer.from("sealed");

function fakeLambda(world: FakeWorld): Service {
  const operations = {
    Invoke: {
      authorize: async () => [],
      async run({ Payload }: { readonly Payload: Uint8Array }) {
        await world.provider(JSON.parse(Buffer.from(Payload).toString("utf8")));
        return { StatusCode: 202 };
      },
    },
  };
  return { name: "lambda", operations };
}

const account = "123456789012";
const root: Principal = { type: "root", account, arn: `arn:aws:iam::${account}:root`, accessKeyId: "AKIA" };

export interface FakeStacks {
  readonly client: CloudFormationClient;
  /** `kill -9`: nothing more is written by this platform. */
  kill(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * CloudFormation alone, behind the real front door, over fake topics, queues and log groups.
 *
 * @param aheadMs how far its clock is ahead: past the leases of a platform that was killed
 */
export async function startFakeStacks(
  world: FakeWorld,
  store: Store = createMemoryStore(),
  aheadMs = 0,
): Promise<FakeStacks> {
  const log = createLog("error", (line) => process.stderr.write(`${line}\n`), Date.now);
  const clock: Clock = { ...systemClock, now: () => systemClock.now() + aheadMs };
  const ids = randomIds;
  const services = new Map<string, Service>();
  const models = createModels();
  const authorizer = { authorize: async () => {} };
  const directory = createServiceDirectory({ services, models, authorizer, clock, ids });
  let killed = false;
  const mortal: Store = {
    ...store,
    transact: (body) => (killed ? new Promise(() => {}) : store.transact(body)),
  };
  const jobs = createJobs({ store: mortal, clock, ids, log });
  let endpoint = "";
  const { service, providerAnswers } = createCloudFormation({
    store: mortal,
    jobs,
    clock,
    ids,
    log,
    directory,
    iam: {
      assumeRole: () => Promise.reject(new AwsError("AccessDenied", 403, "no roles here")),
      passRole: (roleArn) => ({ action: "iam:PassRole", resource: roleArn }),
    },
    managedPolicies: {},
    seal: {
      seal: (plain) => Buffer.concat([sealed, plain]),
      open: (text) => (sealed.compare(text.subarray(0, 6)) === 0 ? text.subarray(6) : undefined),
    },
    functionEndpoint: () => endpoint,
    resourceTypes: [
      fakeType(world, "AWS::SNS::Topic", ["TopicName", "DisplayName", "Tags"], "TopicName"),
      fakeType(world, "AWS::SQS::Queue", ["QueueName", "DelaySeconds", "FifoQueue"], "QueueName"),
      fakeType(world, "AWS::Logs::LogGroup", ["LogGroupName", "RetentionInDays"], "LogGroupName"),
      fakeType(world, "AWS::IAM::Role", ["RoleName", "AssumeRolePolicyDocument", "Description"], "RoleName"),
    ],
  });
  services.set(service.name, service);
  services.set("lambda", fakeLambda(world));
  const front = createFront({
    services,
    models,
    clock,
    ids,
    log,
    account,
    region: "us-east-1",
    verifier: {
      verify: async () => ({ principal: root, region: "us-east-1", payload: { kind: "unsigned" as const } }),
    },
    authorizer,
    executeApi: { handle: (_api, _target, _request, response) => response.end() },
    functionUrls: { handle: (_url, _target, _request, response) => response.end() },
    registry: async (_request, response) => void response.end(),
    platformApi: { handle: providerAnswers },
  });
  const { port } = await front.listen(0, "127.0.0.1");
  endpoint = `http://127.0.0.1:${port}`;
  jobs.start();
  const client = new CloudFormationClient({
    endpoint,
    region: "us-east-1",
    credentials: { accessKeyId: "AKIA", secretAccessKey: "secret" },
    maxAttempts: 1,
  });
  const end = async (): Promise<void> => {
    client.destroy();
    await front.stop(0);
    await jobs.stop(0);
  };
  return {
    client,
    kill: async () => {
      killed = true;
      await end();
    },
    stop: end,
  };
}
