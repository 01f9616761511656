import { CreateUserCommand, GetUserCommand, IAMClient } from "@aws-sdk/client-iam";
import { CreateLogGroupCommand, CloudWatchLogsClient, DescribeLogGroupsCommand } from "@aws-sdk/client-cloudwatch-logs";
import {
  GetFunctionConfigurationCommand,
  LambdaClient,
  UpdateFunctionConfigurationCommand,
} from "@aws-sdk/client-lambda";
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { setTimeout as delay } from "node:timers/promises";
import { createFunctionRole, createNodeFunction, clientSettings, type ClientSettings } from "./functions.ts";
import { startTestServer } from "./server.ts";

/** What a kill loop found: nothing in `lost` is what it is for. */
export interface KillLoopResult {
  readonly rounds: number;
  readonly acknowledged: number;
  /** Acknowledged changes that a restarted server did not have. */
  readonly lost: readonly string[];
}

interface Writer {
  readonly name: string;
  write(settings: ClientSettings, index: number): Promise<unknown>;
  /** Whether the change is there. */
  check(settings: ClientSettings, index: number): Promise<boolean>;
}

const bucket = "kill-loop";
/** How many changes a round acknowledges at the least before the server is killed. */
const acknowledgedMin = 8;

const writers: readonly Writer[] = [
  {
    name: "s3 object",
    write: (settings, index) =>
      s3(settings).send(new PutObjectCommand({ Bucket: bucket, Key: `k${index}`, Body: "x".repeat(index * 997) })),
    check: async (settings, index) => {
      const found = await s3(settings).send(new GetObjectCommand({ Bucket: bucket, Key: `k${index}` }));
      return (await found.Body?.transformToString()) === "x".repeat(index * 997);
    },
  },
  {
    name: "iam user",
    write: (settings, index) => new IAMClient(settings).send(new CreateUserCommand({ UserName: `u${index}` })),
    check: async (settings, index) => {
      const found = await new IAMClient(settings).send(new GetUserCommand({ UserName: `u${index}` }));
      return found.User?.UserName === `u${index}`;
    },
  },
  {
    name: "log group",
    write: (settings, index) =>
      new CloudWatchLogsClient(settings).send(new CreateLogGroupCommand({ logGroupName: `g${index}/` })),
    check: async (settings, index) => {
      const command = new DescribeLogGroupsCommand({ logGroupNamePrefix: `g${index}/` });
      return (await new CloudWatchLogsClient(settings).send(command)).logGroups?.length === 1;
    },
  },
  {
    name: "function description",
    write: (settings, index) =>
      new LambdaClient(settings).send(
        new UpdateFunctionConfigurationCommand({ FunctionName: "kill-loop", Description: String(index) }),
      ),
    // One record that is written again and again: what is there may be newer than what was acknowledged, never older.
    check: async (settings, index) => {
      const command = new GetFunctionConfigurationCommand({ FunctionName: "kill-loop" });
      return Number((await new LambdaClient(settings).send(command)).Description) >= index;
    },
  },
];

function s3(settings: ClientSettings): S3Client {
  return new S3Client({ ...settings, forcePathStyle: true });
}

/**
 * Starts a server, lets a writer per service write without pause, kills it with SIGKILL after a random time, starts it
 * again and looks for every change that was acknowledged; so many times over on one data folder.
 */
export async function runKillLoop(rounds: number, args: readonly string[] = []): Promise<KillLoopResult> {
  const server = await startTestServer(args);
  const settings = clientSettings(server.environment);
  await s3(settings).send(new CreateBucketCommand({ Bucket: bucket }));
  const role = await createFunctionRole(settings, "kill-loop");
  await createNodeFunction(settings, {
    FunctionName: "kill-loop",
    Role: role,
    source: "export const handler = () => 1;",
  });
  const acknowledged = new Map<Writer, number[]>(writers.map((writer) => [writer, []]));
  const lost: string[] = [];
  let next = 1;
  try {
    for (let round = 0; round < rounds; round++) {
      const writing = new AbortController();
      const fresh = new Map<Writer, number[]>(writers.map((writer) => [writer, []]));
      const running = writers.map(async (writer) => {
        while (!writing.signal.aborted) {
          const index = next++;
          const done = await writer.write(settings, index).then(
            () => true,
            () => false,
          );
          if (done) fresh.get(writer)?.push(index);
        }
      });
      // At a random moment, but not before there is something to lose.
      const count = () => [...fresh.values()].reduce((sum, indexes) => sum + indexes.length, 0);
      while (count() < acknowledgedMin) await delay(5);
      await delay(Math.random() * 300);
      await server.kill();
      writing.abort();
      await Promise.all(running);
      await server.killAndRestart();
      for (const writer of writers) {
        const indexes = fresh.get(writer) ?? [];
        acknowledged.get(writer)?.push(...indexes);
        for (const index of indexes) {
          const kept = await writer.check(settings, index).catch(() => false);
          if (!kept) lost.push(`${writer.name} ${index} (round ${round})`);
        }
      }
    }
    // And once more at the end, so that a later crash did not undo an earlier round.
    for (const [writer, indexes] of acknowledged) {
      for (const index of indexes) {
        const kept = await writer.check(settings, index).catch(() => false);
        if (!kept) lost.push(`${writer.name} ${index} (at the end)`);
      }
    }
    const count = [...acknowledged.values()].reduce((sum, indexes) => sum + indexes.length, 0);
    return { rounds, acknowledged: count, lost };
  } finally {
    await server.stop();
  }
}
