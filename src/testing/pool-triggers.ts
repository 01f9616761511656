import { createServer } from "node:http";
import { json } from "node:stream/consumers";
import { AddPermissionCommand, InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import {
  AdminCreateUserCommand,
  AdminSetUserPasswordCommand,
  type CreateUserPoolClientCommandInput,
  InitiateAuthCommand,
} from "@aws-sdk/client-cognito-identity-provider";
import { type ClientSettings, createFunctionRole, createNodeFunction } from "./functions.ts";
import { startTestPlatform } from "./platform.ts";
import { poolsOf } from "./user-pools.ts";

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

/** For tests: the app client of a pool with triggers. */
export const triggeredClient: Partial<CreateUserPoolClientCommandInput> = {
  ExplicitAuthFlows: [
    "ALLOW_USER_PASSWORD_AUTH",
    "ALLOW_CUSTOM_AUTH",
    "ALLOW_USER_SRP_AUTH",
    "ALLOW_REFRESH_TOKEN_AUTH",
  ],
  PreventUserExistenceErrors: "ENABLED",
};

export const triggeredPassword = "Correct-Horse-1";

/** For tests: a pool with the function for these triggers, on a platform of its own. */
export async function startTriggeredPool(triggers: readonly string[]) {
  const platform = await startTestPlatform({ sandbox: "process" });
  const pools = poolsOf(platform);
  const trigger = await createTriggerFunction(platform.settings);
  const poolId = await pools.createPool({
    AutoVerifiedAttributes: ["email"],
    LambdaConfig: Object.fromEntries(triggers.map((name) => [name, triggerArn])),
  });
  const { id: clientId } = await pools.createClient(poolId, triggeredClient);
  let made = 0;
  return {
    platform,
    pools,
    trigger,
    poolId,
    clientId,
    /** A confirmed user with the password, of whom the triggers know nothing yet; the name. */
    async newUser(UserPoolId = poolId): Promise<string> {
      const Username = `user${++made}`;
      const user = { UserPoolId, Username };
      const UserAttributes = [
        { Name: "email", Value: `${Username}@example.com` },
        { Name: "email_verified", Value: "true" },
      ];
      await pools.cognito.send(new AdminCreateUserCommand({ ...user, UserAttributes, MessageAction: "SUPPRESS" }));
      const Password = triggeredPassword;
      await pools.cognito.send(new AdminSetUserPasswordCommand({ ...user, Password, Permanent: true }));
      trigger.events.length = 0;
      return Username;
    },
    signIn: (
      USERNAME: string,
      ClientMetadata?: Record<string, string>,
      ClientId = clientId,
      PASSWORD = triggeredPassword,
    ) =>
      pools.cognito.send(
        new InitiateAuthCommand({
          ClientId,
          AuthFlow: "USER_PASSWORD_AUTH",
          AuthParameters: { USERNAME, PASSWORD },
          ...(ClientMetadata && { ClientMetadata }),
        }),
      ),
    async stop() {
      await platform.stop();
      trigger.stop();
    },
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
