import type { Principal } from "../../src/aws/principal.ts";
import { toHeaderValues } from "../../src/access/sigv4/canonical-request.ts";
import { createFront } from "../../src/front/front.ts";
import { systemClock } from "../../src/kernel/clock.ts";
import { randomIds } from "../../src/kernel/ids.ts";
import { createLog } from "../../src/kernel/log.ts";
import type { Call, Operation, Service } from "../../src/wire/service.ts";
import { createModels, type Models } from "../../src/wire/tables/catalog.ts";

export type FakeRun = (input: Record<string, unknown>, call: Call) => unknown;

export interface FakePlatform {
  readonly endpoint: string;
  readonly port: number;
  readonly models: Models;
  /** What the front has logged: a line here is a bug or a broken world. */
  readonly logged: string[];
  stop(): Promise<void>;
}

const root: Principal = {
  type: "root",
  account: "123456789012",
  arn: "arn:aws:iam::123456789012:root",
  accessKeyId: "AKIA",
};

/** The real front door before services that do what a test says; signatures are taken for the root's. */
export async function startFakePlatform(
  runs: Readonly<Record<string, Readonly<Record<string, FakeRun>>>>,
): Promise<FakePlatform> {
  const services = new Map<string, Service>();
  for (const [name, operations] of Object.entries(runs)) {
    const built = Object.entries(operations).map(([operation, run]) => [operation, toOperation(run)] as const);
    services.set(name, { name, operations: Object.fromEntries(built) });
  }
  return await start(services);
}

/** Every operation of these services, answering the empty output. */
export async function startEmptyPlatform(names: readonly string[]): Promise<FakePlatform> {
  const models = createModels();
  const services = new Map<string, Service>();
  for (const name of names) {
    const { model } = await models.load(name);
    const built = [...model.operations.keys()].map((operation) => [operation, toOperation(drain)] as const);
    services.set(name, { name, operations: Object.fromEntries(built) });
  }
  return await start(services);
}

/** Reads what streams, as an operation would, so that a broken body is noticed. */
async function drain(input: Record<string, unknown>): Promise<object> {
  for (const value of Object.values(input)) {
    if (typeof value !== "object" || value === null || !(Symbol.asyncIterator in value)) continue;
    for await (const chunk of value as AsyncIterable<unknown>) void chunk;
  }
  return {};
}

function toOperation(run: FakeRun): Operation<never, unknown> {
  return { authorize: () => [], run: (input: never, call) => run(input, call) };
}

async function start(services: ReadonlyMap<string, Service>): Promise<FakePlatform> {
  const logged: string[] = [];
  const models = createModels();
  const front = createFront({
    services,
    models,
    clock: systemClock,
    ids: randomIds,
    log: createLog("warn", (line) => logged.push(line), Date.now),
    account: "123456789012",
    region: "us-east-1",
    verifier: {
      verify: (request) => {
        const headers = "get" in request.headers ? request.headers : toHeaderValues(request.headers);
        const signed = request.target.includes("X-Amz-Signature") || headers.get("authorization") !== undefined;
        return Promise.resolve({
          principal: signed ? root : { type: "anonymous" },
          region: "us-east-1",
          payload: { kind: "unsigned" },
        });
      },
    },
    authorizer: { authorize: () => Promise.resolve() },
    registry: async (_request, response) => void response.end(),
    functionUrls: {
      handle: (urlId, target, _request, response) => {
        response.end(JSON.stringify({ urlId, target }));
      },
    },
    executeApi: {
      handle: (apiId, target, _request, response) => {
        response.end(JSON.stringify({ apiId, target }));
      },
    },
  });
  const { port } = await front.listen(0, "127.0.0.1");
  return { endpoint: `http://127.0.0.1:${port}`, port, models, logged, stop: () => front.stop(0) };
}
