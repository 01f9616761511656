import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { FunctionSpec, Invocation, InvocationOutcome } from "../../src/compute/compute.ts";
import { createCompute } from "../../src/compute/create-compute.ts";
import type { ComputeLimits } from "../../src/compute/limits.ts";
import type { HostCompute } from "../../src/compute/workbench.ts";
import { systemClock } from "../../src/kernel/clock.ts";
import { randomIds } from "../../src/kernel/ids.ts";
import { createLog } from "../../src/kernel/log.ts";

export interface Harness {
  readonly compute: HostCompute;
  /** Stands for the server's data folder. */
  readonly dataDir: string;
  readonly port: number;
  /** Writes the files as a function's package. */
  define(files: Readonly<Record<string, string>>, overrides?: Partial<FunctionSpec>): Promise<FunctionSpec>;
  invoke(spec: FunctionSpec, event: unknown, overrides?: Partial<Invocation>): Promise<InvocationOutcome>;
  /** What the function answered, parsed; its error document when it failed. */
  answer(spec: FunctionSpec, event: unknown): Promise<unknown>;
  log(spec: FunctionSpec): readonly string[];
  stop(): Promise<void>;
}

/** The compute layer with nothing of the platform around it, except an endpoint that says hello. */
export async function startHarness(
  driver: "auto" | "process" | "namespaces",
  limits: Partial<ComputeLimits> = {},
): Promise<Harness> {
  const directory = await mkdtemp(join(tmpdir(), "cumulet-test-"));
  const dataDir = join(directory, "data");
  await mkdir(dataDir, { mode: 0o700 });
  const server = createServer((_request, response) => response.end("hello from the platform"));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const lines = new Map<string, string[]>();
  const compute = await createCompute({
    clock: systemClock,
    ids: randomIds,
    programLog: createLog("silent", () => {}, Date.now),
    dataDir,
    driver,
    limits,
    credentials: (spec) =>
      Promise.resolve({
        accessKeyId: "ASIAEXAMPLE",
        secretAccessKey: `secret of ${spec.functionName}`,
        sessionToken: "token",
        expiresAt: Date.now() + 3_600_000,
      }),
    log: (spec, _stream, events) => {
      const kept = lines.get(spec.id) ?? [];
      lines.set(spec.id, kept);
      for (const event of events) kept.push(event.message);
    },
    endpointPort: () => port,
  });
  let count = 0;

  const invoke: Harness["invoke"] = (spec, event, overrides) =>
    compute.invoke(spec, {
      requestId: randomIds.uuid(),
      payload: Buffer.from(JSON.stringify(event)),
      invokedFunctionArn: spec.functionArn,
      ...overrides,
    });
  return {
    compute,
    dataDir,
    port,
    invoke,
    async define(files, overrides) {
      count += 1;
      const codeDir = join(dataDir, "code", `f${count}`);
      await mkdir(codeDir, { recursive: true });
      for (const [name, text] of Object.entries(files)) {
        await mkdir(dirname(join(codeDir, name)), { recursive: true });
        await writeFile(join(codeDir, name), text);
        if (text.startsWith("#!")) await chmod(join(codeDir, name), 0o755);
      }
      const functionName = overrides?.functionName ?? `f${count}`;
      return {
        id: `${functionName}-${count}`,
        account: "000000000000",
        region: "eu-west-1",
        functionName,
        version: "$LATEST",
        functionArn: `arn:aws:lambda:eu-west-1:000000000000:function:${functionName}`,
        roleArn: "arn:aws:iam::000000000000:role/r",
        runtime: "nodejs22.x",
        handler: "index.handler",
        codeDir,
        environment: {},
        memoryMb: 256,
        timeoutMs: 5_000,
        ephemeralStorageMb: 512,
        logGroup: `/aws/lambda/${functionName}`,
        logFormat: "Text",
        architecture: "x86_64",
        ...overrides,
      };
    },
    answer: async (spec, event) =>
      JSON.parse(Buffer.from((await invoke(spec, event)).payload).toString("utf8")) as unknown,
    log: (spec) => lines.get(spec.id) ?? [],
    async stop() {
      await compute.stop(0);
      server.closeAllConnections();
      server.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
