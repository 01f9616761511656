import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Authorizer } from "../../access/authorization.ts";
import { createServerKeys } from "../../access/server-keys.ts";
import type { Verifier } from "../../access/verifier.ts";
import { type Clock, steadyClock } from "../../kernel/clock.ts";
import { randomIds } from "../../kernel/ids.ts";
import { createProcessOwners } from "../../kernel/jobs/process-owners.ts";
import { createJobs } from "../../kernel/jobs/stored-jobs.ts";
import { createLog } from "../../kernel/log.ts";
import { createNodes } from "../../kernel/nodes/create-nodes.ts";
import { createMemoryStore } from "../../kernel/store/memory-store.ts";
import type { Store } from "../../kernel/store/store.ts";
import type { HttpRequest, HttpResponse } from "../../proxy/http-exchange.ts";
import type { LambdaInvokeRequest, LambdaInvokeResult } from "../lambda/port.ts";
import type { PublishedStage, StagePublisher } from "./port.ts";
import { AwsError } from "../../aws/error.ts";
import { poolIssuers } from "./authorizers/pool-issuer.ts";
import { createExecuteApi, type ExecuteApi, type ExecuteApiNeeds } from "./service.ts";

/** For tests: the data plane behind a bare server, with a function of the test's own. */
export interface FakeGateway {
  readonly url: string;
  readonly port: number;
  /** Every invocation so far. */
  readonly invocations: LambdaInvokeRequest[];
  /** The last event, parsed. */
  event(): Record<string, Record<string, unknown>>;
  /** How the function answers from now on: with a value, as JSON, or as it does. */
  answer(with_: unknown): void;
  publish(stage: PublishedStage): Promise<void>;
  withdraw(apiId: string, stageName: string): Promise<void>;
  /** The connections of WebSocket APIs. */
  readonly webSockets: Pick<ExecuteApi["webSockets"], "connections" | "stop">;
  stop(): Promise<void>;
}

export async function startFakeGateway(
  clock: Clock,
  access: Pick<ExecuteApiNeeds, "verifier" | "authorizer"> &
    Partial<Pick<ExecuteApiNeeds, "assumeRole" | "innerApi" | "issuerOf" | "limits" | "logs" | "metrics">> = {
    verifier: nobody,
    authorizer: all,
  },
  /** That of other gateways. Default: one of its own. */
  shared?: Store,
): Promise<FakeGateway> {
  const store = shared ?? createMemoryStore();
  const invocations: LambdaInvokeRequest[] = [];
  let run: (request: LambdaInvokeRequest) => Promise<LambdaInvokeResult> = answerNothing;
  const log = createLog(
    "silent",
    () => undefined,
    () => clock.now(),
  );
  const executeApi = createExecuteApi({
    store,
    clock,
    ids: randomIds,
    log,
    jobs: createJobs({ store, clock, ids: randomIds, log, owners: createProcessOwners(randomIds) }),
    nodes: createNodes({ store, clock: steadyClock, ids: randomIds, log, label: "test" }),
    lambda: {
      invoke: (request) => {
        invocations.push(request);
        return run(request);
      },
    },
    metrics: { write: () => Promise.resolve(), record: () => undefined },
    innerApi: () => Promise.resolve({ status: 501, headers: {}, body: Buffer.alloc(0) }),
    allowLoopback: true,
    assumeRole: () => Promise.reject(new AwsError("AccessDenied", 403, "There are no roles here")),
    issuerOf: poolIssuers({}),
    seal: createServerKeys(new Uint8Array(32)).records,
    ...access,
  });
  const publisher: StagePublisher = executeApi.publisher;
  const answer = (request: HttpRequest, response: HttpResponse) => {
    const [, apiId = ""] = /^\/(\w+)/.exec(request.url ?? "") ?? [];
    executeApi.port.handle(apiId, (request.url ?? "").slice(apiId.length + 1), request, response);
  };
  const server = createServer(answer);
  server.on("upgrade", (request, socket, head) =>
    answer(request, executeApi.webSockets.port.begin(request, socket, head)),
  );
  const port = await listen(server);
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    invocations,
    event: () => JSON.parse(Buffer.from(invocations.at(-1)?.payload ?? []).toString("utf8")),
    answer: (with_) => {
      run = typeof with_ === "function" ? (request) => with_(request) : () => Promise.resolve(resultOf(with_));
    },
    publish: (stage) => store.transact(async (tx) => publisher.publish(tx, stage)),
    withdraw: (apiId, stageName) => store.transact(async (tx) => publisher.withdraw(tx, apiId, stageName)),
    webSockets: executeApi.webSockets,
    stop: async () => {
      await executeApi.webSockets.stop(0);
      executeApi.stop();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      if (shared === undefined) await store.close();
    },
  };
}

export function resultOf(value: unknown): LambdaInvokeResult {
  return { payload: Buffer.from(JSON.stringify(value) ?? "null", "utf8") };
}

const nobody: Verifier = {
  verify: () => Promise.resolve({ principal: { type: "anonymous" }, region: undefined, payload: { kind: "unsigned" } }),
};
const all: Authorizer = { authorize: () => Promise.resolve() };

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address: AddressInfo | string | null = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

function answerNothing(): Promise<LambdaInvokeResult> {
  return Promise.resolve(resultOf({ statusCode: 200 }));
}
