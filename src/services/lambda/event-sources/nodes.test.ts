import { DynamoDBClient, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { CreateEventSourceMappingCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import { createNodeFunction } from "../../../testing/functions.ts";
import { startTestNodes } from "../../../testing/nodes.ts";
import { createReadingRole, createStreamedTable } from "../../../testing/fed-functions.ts";

test("one of several nodes polls; when it stops another goes on, with nothing twice but what it was at", async () => {
  const all = await startTestNodes(2, { sandbox: "process" });
  const folder = await mkdtemp(join(tmpdir(), "cumulet-seen-"));
  try {
    const [first, second] = all.nodes;
    if (!first || !second) throw new Error("There are two");
    const { settings } = second;
    const file = join(folder, "seen");
    const source = `import { appendFileSync } from "node:fs";
      export const handler = async ({ Records }) => {
        for (const { dynamodb } of Records) appendFileSync(process.env.SEEN, dynamodb.Keys.id.S + "\\n");
        await new Promise((resolve) => setTimeout(resolve, 30));
      };`;
    const EventSourceArn = await createStreamedTable(settings, "shared");
    await createNodeFunction(settings, {
      FunctionName: "reads",
      Role: await createReadingRole(settings),
      Environment: { Variables: { SEEN: file } },
      source,
    });
    const mapping = { FunctionName: "reads", EventSourceArn, StartingPosition: "LATEST", BatchSize: 2 } as const;
    await new LambdaClient(first.settings).send(new CreateEventSourceMappingCommand(mapping));
    const dynamodb = new DynamoDBClient(settings);
    const ids = Array.from({ length: 30 }, (_, n) => `${n}`.padStart(2, "0"));
    const write = async (some: readonly string[]) => {
      for (const id of some) {
        await dynamodb.send(new PutItemCommand({ TableName: "shared", Item: { id: { S: id } } }));
      }
    };
    const seen = async () => (await readFile(file, "utf8").catch(() => "")).split("\n").filter(Boolean);
    const untilSeen = async (count: number) => {
      while (new Set(await seen()).size < count) await delay(30);
    };
    await write(ids.slice(0, 15));
    await untilSeen(4);
    // Whichever of them polls, it may be this one.
    await first.stop();
    await write(ids.slice(15));
    await untilSeen(ids.length);
    const lines = await seen();
    expect([...new Set(lines)]).toEqual(ids);
    expect(lines.length).toBeLessThanOrEqual(ids.length + 2);
  } finally {
    await all.stop();
    await rm(folder, { recursive: true, force: true });
  }
}, 60_000);
