import { expect, test } from "vitest";
import { AwsError } from "../../../aws/error.ts";
import { randomIds } from "../../../kernel/ids.ts";
import { createLog } from "../../../kernel/log.ts";
import { createFakeClock } from "../../../testing/fake-clock.ts";
import type { LambdaInvokeRequest, LambdaInvokeResult, LambdaPort } from "../../lambda/port.ts";
import type { Pool } from "../model.ts";
import { createTriggers } from "./triggers.ts";

const functionArn = "arn:aws:lambda:us-east-1:000000000000:function:trigger";
const pool: Pool = {
  v: 1,
  id: "us-east-1_AbCdEfGhI",
  account: "000000000000",
  region: "us-east-1",
  name: "pool",
  createdAt: 0,
  updatedAt: 0,
  settings: { LambdaConfig: { PreSignUp: functionArn } },
  schema: [],
  mfa: { configuration: "OFF", softwareToken: false },
  tags: {},
};

const call = {
  source: "PreSignUp_SignUp",
  userName: "ann",
  clientId: "client",
  request: { userAttributes: {} },
  response: { autoConfirmUser: false },
};

/** A pool's triggers with a scripted function, and what the function was asked. */
function start(invoke: (request: LambdaInvokeRequest) => Promise<LambdaInvokeResult>) {
  const clock = createFakeClock(0);
  const asked: LambdaInvokeRequest[] = [];
  const lambda: LambdaPort = {
    invoke: (request) => {
      asked.push(request);
      return invoke(request);
    },
  };
  const log = createLog(
    "silent",
    () => undefined,
    () => 0,
  );
  return { clock, asked, triggers: createTriggers({ lambda, clock, ids: randomIds, log }) };
}

const answers = (value: unknown) => async () => ({ payload: Buffer.from(JSON.stringify(value)) });

test("a function is asked with the documented event, as Cognito on behalf of the pool", async () => {
  const { triggers, asked } = start(answers({ response: { autoConfirmUser: true } }));
  await expect(triggers.call(pool, "PreSignUp", call)).resolves.toEqual({ autoConfirmUser: true });
  expect(asked[0]?.principal).toEqual({
    type: "service",
    service: "cognito-idp.amazonaws.com",
    sourceArn: `arn:aws:cognito-idp:us-east-1:000000000000:userpool/${pool.id}`,
    sourceAccount: "000000000000",
  });
  expect(JSON.parse(Buffer.from(asked[0]?.payload ?? []).toString())).toEqual({
    version: "1",
    region: "us-east-1",
    userPoolId: pool.id,
    userName: "ann",
    callerContext: { awsSdkVersion: "aws-sdk-unknown-unknown", clientId: "client" },
    triggerSource: "PreSignUp_SignUp",
    request: { userAttributes: {} },
    response: { autoConfirmUser: false },
  });
});

test("a pool without the trigger asks nobody", async () => {
  const { triggers, asked } = start(answers({}));
  await expect(triggers.call(pool, "CustomMessage", call)).resolves.toBeUndefined();
  expect(asked).toHaveLength(0);
});

test("what the function throws is told in a UserLambdaValidationException", async () => {
  const { triggers } = start(async () => ({
    payload: Buffer.from(JSON.stringify({ errorMessage: "not you" })),
    functionError: "Unhandled",
  }));
  await expect(triggers.call(pool, "PreSignUp", call)).rejects.toMatchObject({
    code: "UserLambdaValidationException",
    message: "PreSignUp failed with error not you.",
  });
});

test.each([[null], [{}], [{ response: "yes" }], ["text"]])(
  "an answer that is no event is refused: %j",
  async (answer) => {
    const { triggers } = start(answers(answer));
    await expect(triggers.call(pool, "PreSignUp", call)).rejects.toMatchObject({
      code: "InvalidLambdaResponseException",
    });
  },
);

test("a function that may not be called is an UnexpectedLambdaException", async () => {
  const { triggers } = start(() => Promise.reject(new AwsError("AccessDeniedException", 403, "no")));
  await expect(triggers.call(pool, "PreSignUp", call)).rejects.toMatchObject({
    code: "UnexpectedLambdaException",
    message: "PreSignUp invocation failed due to error AccessDeniedException.",
  });
});

test("a function that is late three times is given up", async () => {
  const { triggers, clock, asked } = start(() => new Promise(() => undefined));
  const called = triggers.call(pool, "PreSignUp", call);
  const outcome = expect(called).rejects.toMatchObject({ code: "UnexpectedLambdaException" });
  for (let attempt = 1; attempt <= 3; attempt += 1) {
    expect(asked).toHaveLength(attempt);
    clock.advance(5_000);
    // The next attempt begins once the wait has ended.
    for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
  }
  await outcome;
});
