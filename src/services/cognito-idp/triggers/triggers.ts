import { AwsError } from "../../../aws/error.ts";
import { invalidLambdaResponse, unexpectedLambda, userLambdaValidation } from "../errors.ts";
import { cognitoLimits as limits } from "../limits.ts";
import { type Pool, poolArn } from "../model.ts";
import type { CognitoNeeds } from "../needs.ts";

/** The triggers of LambdaConfig that are one function's ARN. */
export type TriggerName =
  | "PreSignUp"
  | "CustomMessage"
  | "PostConfirmation"
  | "PreAuthentication"
  | "PostAuthentication"
  | "DefineAuthChallenge"
  | "CreateAuthChallenge"
  | "VerifyAuthChallengeResponse"
  | "PreTokenGeneration"
  | "UserMigration";

export interface TriggerCall {
  /** `PreSignUp_SignUp` */
  readonly source: string;
  readonly userName: string | null;
  readonly clientId: string | undefined;
  readonly request: object;
  /** The members that the function may fill in, with nothing in them. */
  readonly response: object;
  /** Of the event. Default: "1". */
  readonly version?: string;
}

/** Functions that a pool calls at points of its users' lives. */
export interface Triggers {
  has(pool: Pool, name: TriggerName): boolean;
  /**
   * Call the function of a trigger: what it made of `response`. Undefined when the pool has none.
   *
   * AWS: five seconds each, three times when it is late; what it throws is told to the client.
   *
   * @throws UserLambdaValidationException, UnexpectedLambdaException, InvalidLambdaResponseException
   */
  call(pool: Pool, name: TriggerName, call: TriggerCall): Promise<Readonly<Record<string, unknown>> | undefined>;
}

export function createTriggers({
  lambda,
  clock,
  ids,
  log,
}: Pick<CognitoNeeds, "lambda" | "clock" | "ids" | "log">): Triggers {
  const invoke = async (pool: Pool, name: TriggerName, functionArn: string, event: string): Promise<unknown> => {
    for (let attempt = 1; ; attempt += 1) {
      const outcome = await withTimeout(
        lambda.invoke({
          functionArn,
          principal: {
            type: "service",
            service: "cognito-idp.amazonaws.com",
            sourceArn: poolArn(pool),
            sourceAccount: pool.account,
          },
          payload: Buffer.from(event),
          requestId: ids.uuid(),
        }),
      ).catch((error: unknown) => {
        if (!(error instanceof AwsError)) throw error;
        log.warn("A trigger was refused", { poolId: pool.id, trigger: name, error: error.message });
        throw unexpectedLambda(`${name} invocation failed due to error ${error.code}.`);
      });
      if (outcome === "late") {
        if (lambda.isDebugged?.(functionArn) === true) continue;
        if (attempt >= limits.triggerAttempts) throw unexpectedLambda(`${name} invocation failed due to timeout.`);
        continue;
      }
      const text = Buffer.from(outcome.payload).toString("utf8");
      if (outcome.functionError !== undefined) {
        throw userLambdaValidation(`${name} failed with error ${messageOf(text)}.`);
      }
      return parse(text);
    }
  };

  /** A function that answers too late is not waited for; it runs on, as on AWS. */
  const withTimeout = <T>(answer: Promise<T>): Promise<T | "late"> =>
    new Promise((resolve, reject) => {
      const cancel = clock.after(limits.triggerMs, () => resolve("late"));
      answer.then(resolve, reject).finally(cancel);
    });

  return {
    has: (pool, name) => arnOf(pool, name) !== undefined,
    call: async (pool, name, call) => {
      const functionArn = arnOf(pool, name);
      if (functionArn === undefined) return undefined;
      const event = {
        version: call.version ?? "1",
        region: pool.region,
        userPoolId: pool.id,
        userName: call.userName,
        callerContext: {
          awsSdkVersion: "aws-sdk-unknown-unknown",
          clientId: call.clientId ?? "CLIENT_ID_NOT_APPLICABLE",
        },
        triggerSource: call.source,
        request: call.request,
        response: call.response,
      };
      const answered = await invoke(pool, name, functionArn, JSON.stringify(event));
      const response = isObject(answered) ? answered["response"] : undefined;
      if (!isObject(response)) throw invalidLambdaResponse("Unrecognizable lambda output");
      return response;
    },
  };
}

function arnOf(pool: Pool, name: TriggerName): string | undefined {
  const config = pool.settings.LambdaConfig;
  if (name === "PreTokenGeneration") return config?.PreTokenGenerationConfig?.LambdaArn ?? config?.PreTokenGeneration;
  return config?.[name];
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw invalidLambdaResponse("Unrecognizable lambda output");
  }
}

function messageOf(text: string): string {
  try {
    const error: unknown = JSON.parse(text);
    if (isObject(error) && typeof error["errorMessage"] === "string") return error["errorMessage"].replace(/\.$/, "");
  } catch {
    // What is no JSON says nothing.
  }
  return "null";
}
