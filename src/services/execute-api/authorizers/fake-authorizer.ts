import type { Clock } from "../../../kernel/clock.ts";
import type { LambdaInvokeRequest } from "../../lambda/port.ts";
import { type FakeGateway, resultOf, startFakeGateway } from "../fake-gateway.ts";

/** For tests: what stages have in common. */
export const stageFacts = {
  version: 1,
  account: "000000000000",
  region: "us-east-1",
  stageName: "Prod",
  deploymentId: "d1",
  variables: {},
  disableExecuteApiEndpoint: false,
} as const;

/** For tests: what stages of REST APIs have in common. */
export const restStageFacts = { ...stageFacts, kind: "rest", binaryMediaTypes: [], gatewayResponses: [] } as const;

export const functionArn = (name: string) => `arn:aws:lambda:us-east-1:000000000000:function:${name}`;

/** A policy document with one statement on invoking APIs. */
export function invokePolicy(effect: string, resource: unknown, more: object = {}) {
  return {
    Version: "2012-10-17",
    Statement: [{ Effect: effect, Action: "execute-api:Invoke", Resource: resource, ...more }],
  };
}

/** How an authorizer's function lets somebody in. */
export function allow(resource: unknown, more: object = {}) {
  return { principalId: "me", policyDocument: invokePolicy("Allow", resource), ...more };
}

/** For tests: the data plane with a function `auth` of the test's own, and others that answer `through`. */
export interface FakeAuthorizer {
  readonly gateway: FakeGateway;
  /** From now on the function answers so; an `Error` is what it throws. */
  authorize(decide: (event: Record<string, unknown>) => unknown): void;
  /** What the function was asked so far. */
  asked(): readonly LambdaInvokeRequest[];
  lastAsked(): ReturnType<typeof JSON.parse>;
}

export async function startFakeAuthorizer(clock: Clock): Promise<FakeAuthorizer> {
  const gateway = await startFakeGateway(clock);
  const asked = () => gateway.invocations.filter((request) => request.functionArn.endsWith(":auth"));
  return {
    gateway,
    authorize: (decide) =>
      gateway.answer(async (request: LambdaInvokeRequest) => {
        if (!request.functionArn.endsWith(":auth")) return resultOf({ statusCode: 200, body: "through" });
        const answer = await decide(JSON.parse(Buffer.from(request.payload).toString("utf8")));
        return answer instanceof Error
          ? { ...resultOf({ errorMessage: answer.message }), functionError: "Unhandled" }
          : resultOf(answer);
      }),
    asked,
    lastAsked: () => JSON.parse(Buffer.from(asked().at(-1)?.payload ?? []).toString("utf8")),
  };
}
