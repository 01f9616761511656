import {
  ApiGatewayManagementApiClient,
  DeleteConnectionCommand,
  GetConnectionCommand,
  PostToConnectionCommand,
} from "@aws-sdk/client-apigatewaymanagementapi";
import { FilterLogEventsCommand, CloudWatchLogsClient } from "@aws-sdk/client-cloudwatch-logs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestNodes, type TestNode, type TestNodes } from "../../testing/nodes.ts";
import { createChatApi } from "../../testing/web-sockets.ts";
import { connectClient, type TestClient } from "../execute-api/websocket/client.ts";

let nodes: TestNodes;
let apiId: string;

beforeAll(async () => {
  nodes = await startTestNodes(2, { sandbox: "process" });
  apiId = await createChatApi(
    first().settings,
    `export const handler = async ({ requestContext: { routeKey, connectionId, disconnectStatusCode } }) => {
      if (routeKey === "$disconnect") console.log("left", connectionId, disconnectStatusCode);
      return { statusCode: 200, body: connectionId };
    };`,
  );
}, 60_000);
afterAll(() => nodes.stop());

function nodeAt(index: number): TestNode {
  const node = nodes.nodes[index];
  if (node === undefined) throw new Error(`There is no node ${index}`);
  return node;
}
const first = () => nodeAt(0);

const connect = (node: TestNode) => connectClient(`ws://127.0.0.1:${node.port}/_cumulet/api/${apiId}/prod`);

const managementOf = (node: TestNode) =>
  new ApiGatewayManagementApiClient({
    ...node.settings,
    endpoint: `${node.endpoint}/_cumulet/api/${apiId}/prod`,
  });

async function idOf(client: TestClient): Promise<string> {
  client.send("who");
  return client.next();
}

test("a post reaches a connection that another node holds, once and in order", async () => {
  const client = await connect(nodeAt(0));
  const ConnectionId = await idOf(client);
  const other = managementOf(nodeAt(1));
  for (let count = 0; count < 5; count += 1) {
    await other.send(new PostToConnectionCommand({ ConnectionId, Data: Buffer.from(`post ${count}`) }));
  }
  const got: string[] = [];
  for (let count = 0; count < 5; count += 1) got.push(await client.next());
  expect(got).toEqual(["post 0", "post 1", "post 2", "post 3", "post 4"]);
  const large = Buffer.alloc(128 * 1024, "x");
  await other.send(new PostToConnectionCommand({ ConnectionId, Data: large }));
  expect(await client.next()).toHaveLength(large.length);
  const { Identity } = await other.send(new GetConnectionCommand({ ConnectionId }));
  expect(Identity?.SourceIp).toBe("127.0.0.1");
  await other.send(new DeleteConnectionCommand({ ConnectionId }));
  expect((await client.closed)[0]).toBe(1000);
  await expect(other.send(new GetConnectionCommand({ ConnectionId }))).rejects.toMatchObject({ name: "GoneException" });
});

test("many posts to another node's connection all arrive", async () => {
  const client = await connect(nodeAt(0));
  const ConnectionId = await idOf(client);
  const other = managementOf(nodeAt(1));
  const sent = Array.from({ length: 200 }, (_value, index) => String(index));
  await Promise.all(
    sent.map((text) => other.send(new PostToConnectionCommand({ ConnectionId, Data: Buffer.from(text) }))),
  );
  const got = await Promise.all(sent.map(() => client.next()));
  expect(got.toSorted()).toEqual(sent.toSorted());
  client.socket.terminate();
});

test("a node that is gone leaves no connection: they are gone, and their $disconnect is run once by another", async () => {
  const lost = await nodes.add();
  const clients = await Promise.all([connect(lost), connect(lost), connect(lost)]);
  const ids = await Promise.all(clients.map(idOf));
  // As a kill does: no closing handshake, and nothing is told.
  await lost.stop();
  for (const client of clients) expect((await client.closed)[0]).toBe(1006);
  const logs = new CloudWatchLogsClient(first().settings);
  const left = async () => {
    const { events = [] } = await logs.send(
      new FilterLogEventsCommand({ logGroupName: "/aws/lambda/chat", filterPattern: '"1006"' }),
    );
    const gone = events.map(({ message = "" }) => /left (\S+) 1006/.exec(message)?.[1] ?? "");
    // Clients of the tests before have left in the same way.
    return gone.filter((id) => ids.includes(id));
  };
  await expect.poll(async () => (await left()).length, { timeout: 30_000 }).toBeGreaterThanOrEqual(ids.length);
  expect((await left()).toSorted()).toEqual(ids.toSorted());
  for (const ConnectionId of ids) {
    const get = managementOf(first()).send(new GetConnectionCommand({ ConnectionId }));
    await expect(get).rejects.toMatchObject({ name: "GoneException" });
  }
}, 60_000);
