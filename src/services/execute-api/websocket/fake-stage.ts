import { RefusedHandshake } from "./client.ts";
import type { PublishedWebSocketMock, PublishedWebSocketRoute, PublishedWebSocketStage } from "./published.ts";

/** For tests: a stage as a control plane would publish it. */
export function webSocketStage(
  apiId: string,
  routes: readonly PublishedWebSocketRoute[],
  more: Partial<PublishedWebSocketStage> = {},
): PublishedWebSocketStage {
  return {
    kind: "websocket",
    version: 1,
    account: "000000000000",
    region: "us-east-1",
    apiId,
    stageName: "prod",
    deploymentId: "d",
    variables: {},
    disableExecuteApiEndpoint: false,
    routeSelectionExpression: "$request.body.action",
    routes,
    ...more,
  };
}

/** A two-way route to a function. */
export function functionRoute(
  routeKey: string,
  more: Partial<PublishedWebSocketRoute> = {},
): PublishedWebSocketRoute & { readonly routeKey: string } {
  return {
    routeKey,
    authorizationType: "NONE",
    responds: true,
    integration: { type: "AWS_PROXY", uri: functionArn, timeoutMs: 29_000 },
    ...more,
  };
}

export const functionArn = "arn:aws:lambda:us-east-1:000000000000:function:f";
export const invocationUri = `arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/${functionArn}/invocations`;

/** A mock that answers with a text. */
export function mockOf(text: string, more: Partial<PublishedWebSocketMock> = {}): PublishedWebSocketMock {
  return {
    type: "MOCK",
    timeoutMs: 29_000,
    requestTemplates: {},
    passthroughBehavior: "WHEN_NO_MATCH",
    responses: [{ key: "$default", templates: { $default: text } }],
    ...more,
  };
}

/** How a handshake was refused. */
export async function refusedHandshake(handshake: Promise<unknown>): Promise<RefusedHandshake> {
  const error: unknown = await handshake.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof RefusedHandshake) return error;
  throw new Error(`The handshake was not refused: ${String(error)}`);
}
