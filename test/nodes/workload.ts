import { ApiGatewayV2Client, CreateApiCommand } from "@aws-sdk/client-apigatewayv2";
import {
  AddPermissionCommand,
  GetFunctionConfigurationCommand,
  InvokeCommand,
  LambdaClient,
  UpdateFunctionConfigurationCommand,
  waitUntilFunctionUpdatedV2,
} from "@aws-sdk/client-lambda";
import {
  CreateBucketCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { setTimeout as delay } from "node:timers/promises";
import { createFunctionRole, createNodeFunction, type ClientSettings } from "../../src/testing/functions.ts";

/** Clients that call, invoke, deploy and write without a pause, and keep a note of everything that was acknowledged. */
export interface Workload {
  /** Begin to note: what is reported is of what came after. */
  begin(): void;
  /** What happened since `begin`. */
  report(): WorkloadReport;
  /** End, and look whether everything that was acknowledged is there; what is not. */
  end(): Promise<readonly string[]>;
}

export interface WorkloadReport {
  readonly succeeded: Readonly<Record<string, number>>;
  /** With the retries of the client used up. */
  readonly failed: readonly string[];
  /** The longest that clients of a kind went without an answer, milliseconds. */
  readonly longestGapMs: Readonly<Record<string, number>>;
}

const bucket = "acknowledged";

const workSource = `export const handler = async () => ({ version: Number(process.env.VERSION) });`;
const eventSource = `
import { PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
const s3 = new S3Client();
export const handler = async ({ id }) => {
  await s3.send(new PutObjectCommand({ Bucket: "${bucket}", Key: "events/" + id, Body: "done" }));
};`;

/**
 * @param nodes settings of single nodes that are alive, for looking at each after a deployment
 * @param attempts how often a client tries; the SDK's own three are over within 150 ms
 */
export async function startWorkload(
  settings: ClientSettings,
  nodes: () => readonly ClientSettings[],
  attempts: number,
): Promise<Workload> {
  const lambda = new LambdaClient({ ...settings, maxAttempts: attempts });
  const s3 = new S3Client({ ...settings, forcePathStyle: true, maxAttempts: attempts });
  const Role = await createFunctionRole(settings, "workload", [
    { Effect: "Allow", Action: "s3:PutObject", Resource: `arn:aws:s3:::${bucket}/*` },
  ]);
  await s3.send(new CreateBucketCommand({ Bucket: bucket }));
  await createNodeFunction(settings, {
    FunctionName: "work",
    Role,
    source: workSource,
    Environment: { Variables: { VERSION: "0" } },
  });
  await createNodeFunction(settings, { FunctionName: "event", Role, source: eventSource, Timeout: 30 });
  const { FunctionArn = "" } = await lambda.send(new GetFunctionConfigurationCommand({ FunctionName: "work" }));
  const api = await new ApiGatewayV2Client(settings).send(
    new CreateApiCommand({ Name: "work", ProtocolType: "HTTP", Target: FunctionArn }),
  );
  await lambda.send(
    new AddPermissionCommand({
      FunctionName: "work",
      StatementId: "api",
      Action: "lambda:InvokeFunction",
      Principal: "apigateway.amazonaws.com",
    }),
  );
  const url = `${settings.endpoint}/_cumulet/api/${api.ApiId ?? ""}/`;

  const ended = new AbortController();
  let succeeded: Record<string, number> = {};
  let failed: string[] = [];
  let longest: Record<string, number> = {};
  const lastAt: Record<string, number> = {};
  const objects: number[] = [];
  const events: number[] = [];
  const stale: string[] = [];

  async function repeat(kind: string, pauseMs: number, work: (index: number) => Promise<void>): Promise<void> {
    for (let index = 0; !ended.signal.aborted; index += 1) {
      try {
        await work(index);
        const now = performance.now();
        longest[kind] = Math.max(longest[kind] ?? 0, now - (lastAt[kind] ?? now));
        lastAt[kind] = now;
        succeeded[kind] = (succeeded[kind] ?? 0) + 1;
      } catch (error) {
        failed.push(`${kind} ${index}: ${textOf(error)}`);
      }
      await delay(pauseMs);
    }
  }

  const loops = [
    repeat("request", 10, async () => {
      const answer = await fetchWithRetries(url, attempts);
      if (!/^\{"version":\d+\}$/.test(answer)) throw new Error(`It answered ${answer}`);
    }),
    repeat("invoke", 10, async () => {
      const { FunctionError } = await lambda.send(new InvokeCommand({ FunctionName: "work" }));
      if (FunctionError !== undefined) throw new Error(FunctionError);
    }),
    repeat("event", 20, async (index) => {
      const Payload = JSON.stringify({ id: index });
      await lambda.send(new InvokeCommand({ FunctionName: "event", InvocationType: "Event", Payload }));
      events.push(index);
    }),
    repeat("object", 10, async (index) => {
      await s3.send(new PutObjectCommand({ Bucket: bucket, Key: `objects/${index}`, Body: contentOf(index) }));
      objects.push(index);
    }),
    repeat("deployment", 200, async (index) => {
      const version = index + 1;
      const Environment = { Variables: { VERSION: String(version) } };
      await lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName: "work", Environment }));
      await waitUntilFunctionUpdatedV2({ client: lambda, maxWaitTime: 60, minDelay: 0.05 }, { FunctionName: "work" });
      for (const node of nodes()) {
        const seen = await versionOn(node).catch(() => undefined);
        if (seen !== undefined && seen < version)
          stale.push(`${node.endpoint} had ${seen} after ${version} was deployed`);
      }
    }),
  ];

  return {
    begin() {
      succeeded = {};
      failed = [];
      longest = {};
      for (const kind of Object.keys(lastAt)) lastAt[kind] = performance.now();
    },
    report: () => {
      const now = performance.now();
      const longestGapMs: Record<string, number> = {};
      for (const [kind, at] of Object.entries(lastAt)) {
        longestGapMs[kind] = Math.round(Math.max(longest[kind] ?? 0, now - at));
      }
      return { succeeded: { ...succeeded }, failed: [...failed], longestGapMs };
    },
    end: async () => {
      ended.abort();
      await Promise.all(loops);
      return [...stale, ...(await missingObjects(s3, objects)), ...(await missingEvents(s3, events))];
    },
  };
}

/** As an HTTP library with retries would, on whatever is not an answer of the function. */
async function fetchWithRetries(url: string, attempts: number): Promise<string> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      const response = await fetch(url, { headers: { connection: "close" } });
      const text = await response.text();
      if (response.status === 200) return text;
      throw new Error(`${response.status} ${text}`);
    } catch (error) {
      if (attempt === attempts) throw error;
      await delay(Math.min(5000, 100 * 2 ** attempt));
    }
  }
}

async function versionOn(settings: ClientSettings): Promise<number> {
  const lambda = new LambdaClient({ ...settings, maxAttempts: 1 });
  try {
    const signal = AbortSignal.timeout(5000);
    const { Payload } = await lambda.send(new InvokeCommand({ FunctionName: "work" }), { abortSignal: signal });
    const answer: unknown = JSON.parse(Buffer.from(Payload ?? []).toString());
    if (typeof answer === "object" && answer !== null && "version" in answer) return Number(answer.version);
    throw new Error("It had no version");
  } finally {
    lambda.destroy();
  }
}

function contentOf(index: number): string {
  return `${index} `.repeat(1 + (index % 50) * 40);
}

async function missingObjects(s3: S3Client, objects: readonly number[]): Promise<string[]> {
  const missing: string[] = [];
  for (const index of objects) {
    const found = await s3
      .send(new GetObjectCommand({ Bucket: bucket, Key: `objects/${index}` }))
      .then(({ Body }) => Body?.transformToString())
      .catch(textOf);
    if (found !== contentOf(index)) missing.push(`object ${index}: ${found?.slice(0, 60) ?? "nothing"}`);
  }
  return missing;
}

/** At least once: each event that was accepted must have been worked off, in the end. */
async function missingEvents(s3: S3Client, events: readonly number[]): Promise<string[]> {
  let missing = new Set(events);
  for (let look = 0; look < 120 && missing.size > 0; look += 1) {
    const found = new Set<number>();
    let ContinuationToken: string | undefined;
    do {
      const command = new ListObjectsV2Command({ Bucket: bucket, Prefix: "events/", ContinuationToken });
      const page = await s3.send(command);
      for (const { Key = "" } of page.Contents ?? []) found.add(Number(Key.slice("events/".length)));
      ContinuationToken = page.NextContinuationToken;
    } while (ContinuationToken !== undefined);
    missing = new Set(events.filter((index) => !found.has(index)));
    if (missing.size > 0) await delay(1000);
  }
  return [...missing].map((index) => `event ${index} was accepted and never worked off`);
}

function textOf(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
