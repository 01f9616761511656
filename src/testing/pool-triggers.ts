import { createServer } from "node:http";
import { json } from "node:stream/consumers";
import { AddPermissionCommand, InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { type ClientSettings, createFunctionRole, createNodeFunction } from "./functions.ts";

/** What a trigger of a user pool is told. */
export interface TriggerEvent {
  readonly version: string;
  readonly triggerSource: string;
  readonly userName: string;
  readonly request: Readonly<Record<string, unknown>>;
  readonly response: object;
}

/** What the function answers, by the event's source: members of the response, or what it throws. */
export type TriggerScript = Readonly<Record<string, (event: TriggerEvent) => object | Error>>;

export const triggerArn = "arn:aws:lambda:us-east-1:000000000000:function:trigger";

/** For tests: a real function for triggers of user pools, which asks the test what to answer, and notes what it was told. */
export async function createTriggerFunction(settings: ClientSettings) {
  let script: TriggerScript = {};
  const events: TriggerEvent[] = [];
  const hook = createServer((request, response) => {
    void json(request).then((told) => {
      const event = parseEvent(told);
      events.push(event);
      const answer = script[event.triggerSource]?.(event) ?? {};
      response.end(JSON.stringify(answer instanceof Error ? { error: answer.message } : { response: answer }));
    });
  });
  await new Promise<void>((resolve) => hook.listen(0, "127.0.0.1", resolve));
  const address = hook.address();
  const port = typeof address === "object" ? (address?.port ?? 0) : 0;
  await createNodeFunction(settings, {
    FunctionName: "trigger",
    Role: await createFunctionRole(settings, "trigger"),
    source,
    Timeout: 10,
    Environment: { Variables: { HOOK: `http://127.0.0.1:${port}` } },
  });
  await new LambdaClient(settings).send(
    new AddPermissionCommand({
      FunctionName: "trigger",
      StatementId: "pools",
      Action: "lambda:InvokeFunction",
      Principal: "cognito-idp.amazonaws.com",
    }),
  );
  // The first invocation starts a process: no trigger waits for that.
  const Payload = JSON.stringify({ triggerSource: "warm", response: {} });
  await new LambdaClient(settings).send(new InvokeCommand({ FunctionName: "trigger", Payload }));
  events.length = 0;
  return {
    events,
    sources: () => events.map(({ triggerSource }) => triggerSource),
    /** From now on, having forgotten what was. */
    answer: (next: TriggerScript) => {
      script = next;
      events.length = 0;
    },
    stop: () => void hook.close(),
  };
}

const source = `export const handler = async (event) => {
  const asked = await fetch(process.env.HOOK, { method: "POST", body: JSON.stringify(event) });
  const { error, response } = await asked.json();
  if (error !== undefined) throw new Error(error);
  return { ...event, response: { ...event.response, ...response } };
};`;

/** What the platform has sent: what it must be, the tests say. */
function parseEvent(told: unknown): TriggerEvent {
  return told as TriggerEvent;
}
