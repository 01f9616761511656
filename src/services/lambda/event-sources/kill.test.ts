import { DynamoDBClient, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { CreateEventSourceMappingCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import { clientSettings, createNodeFunction } from "../../../testing/functions.ts";
import { startTestServer } from "../../../testing/server.ts";
import { createReadingRole, createStreamedTable } from "../../../testing/fed-functions.ts";

test("kill -9 loses no record, and the order stays: what is written before, while and after comes to the function", async () => {
  const server = await startTestServer(["--sandbox", "process"]);
  try {
    const settings = { ...clientSettings(server.environment), maxAttempts: 1 };
    const dynamodb = new DynamoDBClient(settings);
    const file = join(server.dataDir, "seen");
    const EventSourceArn = await createStreamedTable(settings, "written");
    // Not into its log: that is the server's to keep.
    const source = `import { appendFileSync } from "node:fs";
      export const handler = async ({ Records }) => {
        for (const { dynamodb } of Records) appendFileSync(process.env.SEEN, dynamodb.Keys.id.S + "\\n");
        await new Promise((resolve) => setTimeout(resolve, 30));
      };`;
    await createNodeFunction(settings, {
      FunctionName: "reads",
      Role: await createReadingRole(settings),
      Environment: { Variables: { SEEN: file } },
      source,
    });
    const mapping = { FunctionName: "reads", EventSourceArn, StartingPosition: "LATEST", BatchSize: 3 } as const;
    await new LambdaClient(settings).send(new CreateEventSourceMappingCommand(mapping));

    const write = async (id: string): Promise<void> => {
      const command = new PutItemCommand({ TableName: "written", Item: { id: { S: id } } });
      // While the server is away, again and again.
      while ((await dynamodb.send(command).catch(() => undefined)) === undefined) await delay(50);
    };
    const ids = Array.from({ length: 40 }, (_, n) => `${n}`.padStart(2, "0"));
    for (const [n, id] of ids.entries()) {
      await write(id);
      if (n === 20) await server.killAndRestart();
    }
    const seen = async () => new Set((await readFile(file, "utf8").catch(() => "")).split("\n").filter(Boolean));
    const until = Date.now() + 60_000;
    while ((await seen()).size < ids.length && Date.now() < until) await delay(50);
    // The first time of each, in the order in which they came.
    expect([...(await seen())]).toEqual(ids);
  } finally {
    await server.stop();
  }
}, 120_000);
