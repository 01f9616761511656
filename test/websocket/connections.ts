import {
  ApiGatewayManagementApiClient,
  GetConnectionCommand,
  PostToConnectionCommand,
} from "@aws-sdk/client-apigatewaymanagementapi";
import { CloudWatchLogsClient, FilterLogEventsCommand } from "@aws-sdk/client-cloudwatch-logs";
import { readFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { connectClient, type TestClient } from "../../src/services/execute-api/websocket/client.ts";
import { clientSettings } from "../../src/testing/functions.ts";
import { startTestServer, type TestServer } from "../../src/testing/server.ts";
import { createChatApi } from "../../src/testing/web-sockets.ts";

export interface ConnectionsReport {
  readonly connections: number;
  readonly bytesPerConnection: number;
  readonly connectMs: number;
  readonly echoMs: { readonly median: number; readonly p99: number };
  readonly broadcastMs: number;
  /** Clients that got the broadcast. */
  readonly reached: number;
  readonly killed: number;
  /** Killed clients whose `$disconnect` ran, and how often it ran for them. */
  readonly disconnected: number;
  readonly disconnectRuns: number;
  /** Killed clients whose connections answer GoneException. */
  readonly gone: number;
}

/** So many connections at once: idle, echo, broadcast through `@connections`, and some clients killed. */
export async function runConnections(count: number, killed: number): Promise<ConnectionsReport> {
  const server = await startTestServer();
  try {
    return await measure(server, count, killed);
  } finally {
    await server.stop();
  }
}

async function measure(server: TestServer, count: number, killed: number): Promise<ConnectionsReport> {
  const settings = clientSettings(server.environment);
  const apiId = await createChatApi(settings, chat);
  const url = `ws://127.0.0.1:${server.port}/_cumulet/api/${apiId}/prod`;
  const warm = await connectClient(url);
  warm.send("x");
  await warm.next();
  const before = await residentBytes(server.pid);

  const startedAt = performance.now();
  const clients: TestClient[] = [];
  // AWS's quota is 500 new connections a second.
  while (clients.length < count) {
    const batchAt = performance.now();
    const batch = Math.min(40, count - clients.length);
    clients.push(...(await Promise.all(Array.from({ length: batch }, () => connectClient(url)))));
    await delay(Math.max(0, 100 - (performance.now() - batchAt)));
  }
  const connectMs = performance.now() - startedAt;
  await delay(1_000);
  const bytesPerConnection = Math.round(((await residentBytes(server.pid)) - before) / count);

  const ids: string[] = [];
  const echoes: number[] = [];
  for (let at = 0; at < clients.length; at += 20) {
    await Promise.all(
      clients.slice(at, at + 20).map(async (client, index) => {
        const sentAt = performance.now();
        client.send("who");
        ids[at + index] = JSON.parse(await client.next()).id;
        echoes.push(performance.now() - sentAt);
      }),
    );
  }
  echoes.sort((a, b) => a - b);

  const management = new ApiGatewayManagementApiClient({
    ...settings,
    endpoint: `${settings.endpoint}/_cumulet/api/${apiId}/prod`,
  });
  const broadcastAt = performance.now();
  const received = Promise.all(clients.map(async (client) => (await client.next()) === "broadcast"));
  for (let at = 0; at < ids.length; at += 100) {
    const Data = Buffer.from("broadcast");
    await Promise.all(
      ids
        .slice(at, at + 100)
        .map((ConnectionId) => management.send(new PostToConnectionCommand({ ConnectionId, Data }))),
    );
  }
  const reached = (await received).filter(Boolean).length;
  const broadcastMs = performance.now() - broadcastAt;

  const lost = ids.slice(0, killed);
  for (const client of clients.slice(0, killed)) client.socket.terminate();
  const runs = await disconnectsOf(new CloudWatchLogsClient(settings), new Set(lost));
  let gone = 0;
  for (const ConnectionId of lost) {
    const error: unknown = await management.send(new GetConnectionCommand({ ConnectionId })).catch((reason) => reason);
    if (error instanceof Error && error.name === "GoneException") gone += 1;
  }
  for (const client of [warm, ...clients.slice(killed)]) client.socket.terminate();
  return {
    connections: count,
    bytesPerConnection,
    connectMs: Math.round(connectMs),
    echoMs: { median: round(echoes[count >> 1] ?? 0), p99: round(echoes[Math.floor(count * 0.99)] ?? 0) },
    broadcastMs: Math.round(broadcastMs),
    reached,
    killed,
    disconnected: new Set(runs).size,
    disconnectRuns: runs.length,
    gone,
  };
}

const chat = `export const handler = async ({ requestContext: { routeKey, connectionId } }) => {
  if (routeKey === "$disconnect") console.log("left", connectionId);
  return { statusCode: 200, body: JSON.stringify({ id: connectionId }) };
};`;

/** The ids that `$disconnect` has run for, once each has; or what there is after two minutes. */
async function disconnectsOf(logs: CloudWatchLogsClient, lost: ReadonlySet<string>): Promise<string[]> {
  for (let tries = 0; ; tries += 1) {
    const found: string[] = [];
    let nextToken: string | undefined;
    do {
      const page = await logs.send(
        new FilterLogEventsCommand({ logGroupName: "/aws/lambda/chat", filterPattern: "left", nextToken }),
      );
      for (const { message = "" } of page.events ?? []) {
        const id = /left (\S+)/.exec(message)?.[1] ?? "";
        if (lost.has(id)) found.push(id);
      }
      nextToken = page.nextToken;
    } while (nextToken !== undefined);
    if (new Set(found).size === lost.size || tries === 240) return found;
    await delay(500);
  }
}

async function residentBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) * 1024;
}

function round(ms: number): number {
  return Math.round(ms * 10) / 10;
}
