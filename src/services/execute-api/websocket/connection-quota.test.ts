import { expect, test } from "vitest";
import { createMemoryStore } from "../../../kernel/store/memory-store.ts";
import { createFakeClock } from "../../../testing/fake-clock.ts";
import { startFakeGateway } from "../fake-gateway.ts";
import { connectClient, RefusedHandshake } from "./client.ts";
import { functionRoute, mockOf, webSocketStage } from "./fake-stage.ts";
import { webSocketLimits as limits } from "./limits.ts";

const everybody = {
  verifier: { verify: () => Promise.reject(new Error("Nobody signs")) },
  authorizer: { authorize: () => Promise.resolve() },
};

/** Of a handshake. */
async function status(url: string): Promise<number> {
  try {
    const { socket } = await connectClient(`${url.replace("http", "ws")}/api/prod`);
    socket.terminate();
    return 101;
  } catch (error) {
    if (error instanceof RefusedHandshake) return error.status;
    throw error;
  }
}

test("the nodes of an installation share an account's quota of new connections", { timeout: 60_000 }, async () => {
  const store = createMemoryStore();
  // It stands still: nothing comes back to the quota.
  const clock = createFakeClock(Date.UTC(2026, 0, 1));
  const both = { live: () => ["a", "b"], isDivided: () => true };
  const start = () => startFakeGateway(clock, { ...everybody, limits: { nodes: both } }, store);
  const gateways = [await start(), await start()];
  const [first] = gateways;
  await first?.publish(webSocketStage("api", [functionRoute("$default", { integration: mockOf("default") })]));
  try {
    const counts = new Map<number, number>();
    const more = 20;
    for (let asked = 0; asked < limits.connectionsPerSecond + more; asked += 52) {
      const answers = Array.from({ length: 52 }, (_, at) => status(gateways[at % 2]?.url ?? ""));
      for (const answer of await Promise.all(answers)) counts.set(answer, (counts.get(answer) ?? 0) + 1);
    }
    expect(Object.fromEntries(counts)).toEqual({ 101: limits.connectionsPerSecond, 429: more });
  } finally {
    for (const gateway of gateways) await gateway.stop();
    await store.close();
  }
});
