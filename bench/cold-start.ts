import { cp, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { LambdaClient, UpdateFunctionConfigurationCommand, waitUntilFunctionUpdatedV2 } from "@aws-sdk/client-lambda";
import { setTimeout as delay } from "node:timers/promises";
import { startCumulet } from "./server.ts";

const singles = 25;
const parallel = 20;
const parallelRounds = 5;
// Long enough for a pool that prepares environments beforehand to be ready again.
const restMs = 500;

export interface ColdStarts {
  readonly singleMs: number[];
  /** 20 functions at the same moment. The first of these rounds is the first such burst that the server sees. */
  readonly parallelMs: number[];
  /** 20 requests to one function at the same moment. */
  readonly sameFunctionMs: number[];
}

/**
 * How long the first request of a new environment takes through the HTTP API: alone, 20 functions at the same moment, and
 * 20 at the same moment to one function. A changed environment variable makes every environment of a function stale, so
 * the next request needs a new one.
 */
export async function measureColdStarts(folder: string): Promise<ColdStarts> {
  const app = join(folder, "app");
  await writeApp(app, parallel);
  const server = await startCumulet(join(folder, "data"), app);
  try {
    const lambda = new LambdaClient({
      endpoint: server.endpoint,
      region: server.environment["AWS_REGION"] ?? "us-east-1",
      credentials: {
        accessKeyId: server.environment["AWS_ACCESS_KEY_ID"] ?? "",
        secretAccessKey: server.environment["AWS_SECRET_ACCESS_KEY"] ?? "",
      },
    });
    const renew = async (index: number, round: number) => {
      const FunctionName = `bench-${index}`;
      const Environment = { Variables: { ROUND: String(round) } };
      await lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName, Environment }));
      await waitUntilFunctionUpdatedV2({ client: lambda, maxWaitTime: 10, minDelay: 0.02 }, { FunctionName });
    };
    const base = server.url("bench-0").replace(/\/\d+\/hello\/x$/, "");
    const request = async (index: number) => {
      const from = performance.now();
      const response = await fetch(`${base}/${index}/hello/x`);
      await response.arrayBuffer();
      if (response.status !== 200) throw new Error(`A cold request answered ${response.status}`);
      return performance.now() - from;
    };
    const singleMs: number[] = [];
    for (let round = 0; round < singles; round++) {
      await renew(0, round);
      await delay(restMs);
      singleMs.push(await request(0));
    }
    const parallelMs: number[] = [];
    for (let round = 0; round < parallelRounds; round++) {
      for (let index = 0; index < parallel; index++) await renew(index, singles + round);
      await delay(restMs);
      const from = performance.now();
      await Promise.all(Array.from({ length: parallel }, (_, index) => request(index)));
      parallelMs.push(performance.now() - from);
    }
    const sameFunctionMs: number[] = [];
    for (let round = 0; round < parallelRounds; round++) {
      await renew(0, singles + parallelRounds + round);
      await delay(restMs);
      const from = performance.now();
      await Promise.all(Array.from({ length: parallel }, () => request(0)));
      sameFunctionMs.push(performance.now() - from);
    }
    return { singleMs, parallelMs, sameFunctionMs };
  } finally {
    await server.stop();
  }
}

/** An app of so many functions, numbered from `first` on, each behind a route of one HTTP API. */
export async function writeApp(folder: string, functions: number, first = 0): Promise<void> {
  await mkdir(folder, { recursive: true });
  await cp("bench/app/src", join(folder, "src"), { recursive: true });
  const Resources: Record<string, unknown> = {};
  for (let index = first; index < first + functions; index++) {
    Resources[`Function${index}`] = {
      Type: "AWS::Serverless::Function",
      Properties: {
        FunctionName: `bench-${index}`,
        Events: { Hello: { Type: "HttpApi", Properties: { Path: `/${index}/hello/{name}`, Method: "get" } } },
      },
    };
  }
  const Globals = { Function: { Runtime: "nodejs24.x", MemorySize: 1024, CodeUri: "src/", Handler: "hello.handler" } };
  const template = { Transform: "AWS::Serverless-2016-10-31", Globals, Resources };
  await writeFile(join(folder, "template.json"), JSON.stringify(template));
}
