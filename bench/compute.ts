import { mkdtemp, mkdir, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Compute, FunctionSpec } from "../src/compute/compute.ts";
import { createCompute } from "../src/compute/create-compute.ts";
import { systemClock } from "../src/kernel/clock.ts";
import { randomIds } from "../src/kernel/ids.ts";
import { createLog } from "../src/kernel/log.ts";

/** The compute layer alone: warm invocations a second, cold starts one after the other, and many at once. */
const driver = process.argv.includes("--process") ? "process" : "auto";
const runtime = process.argv.find((argument) => /^(nodejs|python)/u.test(argument)) ?? "nodejs24.x";
const directory = await mkdtemp(join(tmpdir(), "cumulet-bench-"));
const codeDir = join(directory, "code");
await mkdir(codeDir);
await writeFile(
  join(codeDir, "index.mjs"),
  `export const handler = async (event) => ({ statusCode: 200, body: event.x });\n`,
);
await writeFile(
  join(codeDir, "app.py"),
  `def handler(event, context):\n    return {"statusCode": 200, "body": event["x"]}\n`,
);

const endpoint = createServer((_request, response) => response.end("ok"));
await new Promise<void>((resolve) => endpoint.listen(0, "127.0.0.1", resolve));
const { port } = endpoint.address() as AddressInfo;

const compute: Compute = await createCompute({
  clock: systemClock,
  ids: randomIds,
  programLog: createLog("warn", console.error, Date.now),
  dataDir: join(directory, "data"),
  driver,
  credentials: () =>
    Promise.resolve({ accessKeyId: "a", secretAccessKey: "b", sessionToken: "c", expiresAt: Date.now() + 3_600_000 }),
  log: () => {},
  endpointPort: () => port,
});

let made = 0;
function newFunction(): FunctionSpec {
  made += 1;
  return {
    id: `f${made}`,
    account: "000000000000",
    region: "us-east-1",
    functionName: `f${made}`,
    version: "$LATEST",
    functionArn: `arn:aws:lambda:us-east-1:000000000000:function:f${made}`,
    roleArn: "arn:aws:iam::000000000000:role/r",
    runtime,
    handler: runtime.startsWith("node") ? "index.handler" : "app.handler",
    codeDir,
    environment: {},
    memoryMb: 128,
    timeoutMs: 3_000,
    ephemeralStorageMb: 512,
    logGroup: `/aws/lambda/f${made}`,
    logFormat: "Text",
    architecture: "x86_64",
  };
}

const payload = Buffer.from('{"x":"y"}');
async function invokeOnce(spec: FunctionSpec): Promise<void> {
  const { outcome, payload: answer } = await compute.invoke(spec, {
    requestId: randomIds.uuid(),
    payload,
    invokedFunctionArn: spec.functionArn,
  });
  if (outcome !== "success") throw new Error(Buffer.from(answer).toString());
}

async function timed(action: () => Promise<unknown>): Promise<number> {
  const from = performance.now();
  await action();
  return performance.now() - from;
}

const quantile = (values: readonly number[], q: number) =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length * q)] ?? 0;
const rest = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

const capabilities = await compute.capabilities();
console.log(
  `driver ${capabilities.driver.name}, network ${capabilities.network.name}, cgroups ${capabilities.cgroups.name}, ${runtime}`,
);
console.log(`very first: ${(await timed(() => invokeOnce(newFunction()))).toFixed(1)} ms`);

const cold: number[] = [];
for (let index = 0; index < 20; index += 1) {
  await rest(200);
  cold.push(await timed(() => invokeOnce(newFunction())));
}
console.log(
  `cold start, one every 200 ms: median ${quantile(cold, 0.5).toFixed(1)} ms, p90 ${quantile(cold, 0.9).toFixed(1)} ms`,
);

const unpooled: number[] = [];
for (let index = 0; index < 10; index += 1) unpooled.push(await timed(() => invokeOnce(newFunction())));
console.log(
  `cold start, one after the other: median ${quantile(unpooled, 0.5).toFixed(1)} ms, p90 ${quantile(unpooled, 0.9).toFixed(1)} ms`,
);

await rest(2_000);
console.log(
  `20 functions cold at once: ${(await timed(() => Promise.all(Array.from({ length: 20 }, () => invokeOnce(newFunction()))))).toFixed(0)} ms`,
);
await rest(2_000);
const one = newFunction();
console.log(
  `20 first requests to one function: ${(await timed(() => Promise.all(Array.from({ length: 20 }, () => invokeOnce(one))))).toFixed(0)} ms`,
);

const warm = newFunction();
await invokeOnce(warm);
for (const parallel of [1, 4]) {
  const each = 4_000 / parallel;
  const lane = async () => {
    for (let index = 0; index < each; index += 1) await invokeOnce(warm);
  };
  const ms = await timed(() => Promise.all(Array.from({ length: parallel }, lane)));
  console.log(`warm, ${parallel} at a time: ${((4_000 / ms) * 1_000).toFixed(0)} invocations a second`);
}

await compute.stop(1_000);
endpoint.close();
await rm(directory, { recursive: true });
