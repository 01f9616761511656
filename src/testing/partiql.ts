import {
  CreateTableCommand,
  DynamoDBClient,
  type CreateTableCommandInput,
  type ExecuteStatementCommandInput,
} from "@aws-sdk/client-dynamodb";
import { DynamoDBDocument, type ExecuteStatementCommandOutput } from "@aws-sdk/lib-dynamodb";
import { startTestPlatform, type TestPlatform } from "./platform.ts";

/** A platform with what tests of PartiQL ask it with. */
export interface PartiqlPlatform {
  readonly platform: TestPlatform;
  readonly client: DynamoDBClient;
  readonly document: DynamoDBDocument;
  /** A table with keys `pk` and `sk`, and whatever more; its name. */
  createTable(more?: Partial<CreateTableCommandInput>): Promise<string>;
  run(
    Statement: string,
    Parameters?: unknown[],
    more?: Partial<ExecuteStatementCommandInput>,
  ): Promise<ExecuteStatementCommandOutput>;
}

export async function startPartiqlPlatform(): Promise<PartiqlPlatform> {
  const platform = await startTestPlatform({ sandbox: "process" });
  const client = new DynamoDBClient(platform.settings);
  const document = DynamoDBDocument.from(client);
  let tables = 0;
  return {
    platform,
    client,
    document,
    createTable: async (more = {}) => {
      tables += 1;
      const TableName = `partiql-${tables}`;
      await client.send(
        new CreateTableCommand({
          TableName,
          BillingMode: "PAY_PER_REQUEST",
          AttributeDefinitions: ["pk", "sk"].map((AttributeName) => ({ AttributeName, AttributeType: "S" })),
          KeySchema: [
            { AttributeName: "pk", KeyType: "HASH" },
            { AttributeName: "sk", KeyType: "RANGE" },
          ],
          ...more,
        }),
      );
      return TableName;
    },
    run: (Statement, Parameters, more) =>
      document.executeStatement({ Statement, ...(Parameters && { Parameters }), ...more }),
  };
}

/** `name: message` of a refusal. */
export async function refusalOf(promise: Promise<unknown>): Promise<string> {
  return await promise.then(
    () => "none",
    (error: unknown) => (error instanceof Error ? `${error.name}: ${error.message}` : "none"),
  );
}
