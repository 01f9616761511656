import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { systemClock } from "../../../kernel/clock.ts";
import type { LambdaInvokeRequest } from "../../lambda/port.ts";
import { type FakeGateway, startFakeGateway } from "../fake-gateway.ts";
import { connectClient } from "./client.ts";
import { functionRoute, webSocketStage } from "./fake-stage.ts";

const file = join(
  process.env["CUMULET_CONFORMANCE_DATA"] ?? join(import.meta.dirname, "../../../../../shared/data"),
  "event-payloads.json",
);

type Event = Readonly<Record<string, unknown>> & { readonly requestContext: Readonly<Record<string, unknown>> };

test.skipIf(!existsSync(file))(
  "Messages and disconnections have exactly the members of captured events, in their types (skipped without the data)",
  async () => {
    const documents: Record<string, Event> = JSON.parse(readFileSync(file, "utf8"));
    const gateway = await startFakeGateway(systemClock);
    const routes = ["$connect", "$default", "$disconnect"].map((key) => functionRoute(key));
    await gateway.publish(webSocketStage("api", routes));
    gateway.answer({ statusCode: 200, body: "pong" });
    const client = await connectClient(`${gateway.url.replace("http", "ws")}/api/prod`, {
      headers: { "User-Agent": "Mozilla/5.0" },
    });
    client.send({ a: 1 });
    await client.next();
    client.socket.close(1001);
    await client.closed;
    await expect.poll(() => gateway.invocations.length).toBe(3);
    await gateway.stop();

    const [, message, disconnection] = eventsOf(gateway);
    const sent = "aws-lambda-go/apigw-websocket-request-send-message.json";
    const gone = "aws-lambda-go/apigw-websocket-request-disconnect.json";
    expect(shapeOf(message)).toEqual(shapeOf(documents[sent]));
    expect(shapeOf(disconnection)).toEqual(shapeOf(documents[gone]));
    // The order in which captured events have them, too.
    expect(Object.keys(message?.requestContext ?? {})).toEqual(Object.keys(documents[sent]?.requestContext ?? {}));
    expect(Object.keys(disconnection?.requestContext ?? {}).toSorted()).toEqual(
      Object.keys(documents[gone]?.requestContext ?? {}).toSorted(),
    );
  },
);

function eventsOf({ invocations }: FakeGateway): Event[] {
  return invocations.map(({ payload }: LambdaInvokeRequest) => JSON.parse(Buffer.from(payload).toString("utf8")));
}

/** Every member with the type of its value. */
function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.slice(0, 1).map(shapeOf);
  if (typeof value !== "object" || value === null) return typeof value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, shapeOf(member)]));
}
