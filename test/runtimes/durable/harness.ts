import { setTimeout as delay } from "node:timers/promises";
import {
  CreateFunctionCommand,
  GetDurableExecutionCommand,
  GetDurableExecutionHistoryCommand,
  InvokeCommand,
  waitUntilFunctionActiveV2,
  type Event,
  type GetDurableExecutionCommandOutput,
  type InvokeCommandInput,
  type LambdaClient,
  type Runtime,
} from "@aws-sdk/client-lambda";

/** Functions of one package, one for each handler, and what tests ask of their executions. */
export interface Workflows {
  /** The function whose handler it is, created when first asked for; its name with a qualifier. No timeout: not durable. */
  given(handler: string, options?: { readonly timeoutSeconds?: number; readonly name?: string }): Promise<string>;
  /** Invoke and wait for the end. */
  invoke(
    functionName: string,
    event: unknown,
    more?: Partial<InvokeCommandInput>,
  ): Promise<{ readonly arn: string; readonly failed: string | undefined; readonly document: unknown }>;
  /** Invoke asynchronously; the execution's ARN. */
  start(functionName: string, event: unknown): Promise<string>;
  history(arn: string): Promise<readonly Event[]>;
  types(arn: string): Promise<readonly (string | undefined)[]>;
  /** The execution when it has ended. */
  ended(arn: string): Promise<GetDurableExecutionCommandOutput>;
  /** The callback that it waits for, suspended. */
  callback(arn: string): Promise<string>;
}

export const durableActions = [
  "lambda:CheckpointDurableExecution",
  "lambda:GetDurableExecutionState",
  "lambda:InvokeFunction",
];

export function createWorkflows(
  lambda: LambdaClient,
  made: { readonly runtime: Runtime; readonly module: string; readonly role: string; readonly zip: Uint8Array },
): Workflows {
  const created = new Map<string, Promise<void>>();

  const create = async (handler: string, FunctionName: string, timeoutSeconds: number | undefined) => {
    await lambda.send(
      new CreateFunctionCommand({
        FunctionName,
        Runtime: made.runtime,
        Handler: `${made.module}.${handler}`,
        Role: made.role,
        Timeout: 30,
        MemorySize: 512,
        Code: { ZipFile: made.zip },
        ...(timeoutSeconds && { DurableConfig: { ExecutionTimeout: timeoutSeconds, RetentionPeriodInDays: 1 } }),
      }),
    );
    await waitUntilFunctionActiveV2({ client: lambda, maxWaitTime: 20, minDelay: 0.05 }, { FunctionName });
  };

  const history = async (DurableExecutionArn: string) => {
    const { Events } = await lambda.send(new GetDurableExecutionHistoryCommand({ DurableExecutionArn }));
    return Events ?? [];
  };
  const types = async (arn: string) => (await history(arn)).map((event) => event.EventType);

  return {
    async given(handler, { timeoutSeconds = 60, name = handler } = {}) {
      const known = created.get(name) ?? create(handler, name, timeoutSeconds);
      created.set(name, known);
      await known;
      return `${name}:$LATEST`;
    },
    async invoke(FunctionName, event, more = {}) {
      const answer = await lambda.send(new InvokeCommand({ FunctionName, Payload: JSON.stringify(event), ...more }));
      const document: unknown = JSON.parse(answer.Payload?.transformToString() ?? "null");
      return { arn: answer.DurableExecutionArn ?? "", failed: answer.FunctionError, document };
    },
    async start(FunctionName, event) {
      const Payload = JSON.stringify(event);
      const answer = await lambda.send(new InvokeCommand({ FunctionName, InvocationType: "Event", Payload }));
      return answer.DurableExecutionArn ?? "";
    },
    history,
    types,
    ended: (DurableExecutionArn) =>
      until(async () => {
        const execution = await lambda.send(new GetDurableExecutionCommand({ DurableExecutionArn }));
        return execution.Status === "RUNNING" ? undefined : execution;
      }),
    callback: (arn) =>
      until(async () => {
        const events = await history(arn);
        if (events.at(-1)?.EventType !== "InvocationCompleted") return undefined;
        return events.find(({ EventType }) => EventType === "CallbackStarted")?.CallbackStartedDetails?.CallbackId;
      }),
  };
}

/** What happens later, when it has happened. */
export async function until<T>(read: () => Promise<T | undefined>, withinMs = 25_000): Promise<T> {
  for (const end = Date.now() + withinMs; Date.now() < end; await delay(25)) {
    const value = await read();
    if (value !== undefined) return value;
  }
  throw new Error("It did not happen in time");
}
