import { setTimeout as delay } from "node:timers/promises";
import type { TestCluster, TestNode } from "./cluster.ts";
import { startWorkload, type WorkloadReport } from "./workload.ts";

const recoveryMsMax = 30_000;

/** What is done to three nodes while clients work. */
export const faults = {
  "a node is killed": async ({ away, back, nodes }) => {
    const [node] = nodes;
    away(node);
    await node.kill();
    await delay(3000);
    await node.start();
    back(node);
  },
  "every node is killed, one after the other": async ({ away, back, nodes, balancer }) => {
    for (const node of nodes) {
      away(node);
      await node.kill();
      await node.start();
      // Else all would be left out at the same time by a load balancer that does not look whether a server is back.
      await balancer.takeIn(node.server);
      back(node);
    }
  },
  "PostgreSQL is restarted": ({ postgres }) => postgres.restart("fast"),
  "PostgreSQL crashes": ({ postgres }) => postgres.restart("immediate"),
  "a node is cut off from PostgreSQL": async ({ away, back, nodes }) => {
    const [, node] = nodes;
    away(node);
    await node.cutOffFromStore();
    await delay(20_000);
    await node.reconnect();
    await delay(5000);
    back(node);
  },
  "a node stands still for a minute": async ({ away, back, nodes }) => {
    const [, , node] = nodes;
    away(node);
    node.pause();
    await delay(60_000);
    node.resume();
    await delay(3000);
    back(node);
  },
  "the nodes are upgraded, one after the other": async ({ away, back, nodes, balancer }) => {
    for (const node of nodes) {
      away(node);
      await balancer.takeOut(node.server);
      const status = await node.drain();
      if (status !== 0) throw new Error(`${node.name} ended with ${status}:\n${node.log().slice(-2000)}`);
      await node.start();
      await balancer.takeIn(node.server);
      back(node);
    }
  },
} satisfies Record<string, (cluster: FaultyCluster) => Promise<void>>;

export type Fault = keyof typeof faults;

interface FaultyCluster {
  readonly nodes: readonly [TestNode, TestNode, TestNode];
  readonly postgres: TestCluster["postgres"];
  readonly balancer: TestCluster["balancer"];
  /** From now on it is not looked whether a deployment is seen there. */
  away(node: TestNode): void;
  back(node: TestNode): void;
}

export interface FaultsReport {
  /** By fault. */
  readonly reports: Readonly<Partial<Record<Fault, WorkloadReport & AtBalancer>>>;
  /** Acknowledged and not there in the end, or not seen on a node when it should have been. */
  readonly missing: readonly string[];
}

interface AtBalancer {
  /** Answers of 500 and more of the load balancer, before any retry of a client. */
  readonly failedAtBalancer: readonly string[];
}

/** Does one after the other to the cluster under load; `afterMs` is how long clients go on after each, `attempts` how often they try. */
export async function runFaults(
  cluster: TestCluster,
  wanted: readonly Fault[],
  { afterMs, attempts }: { readonly afterMs: number; readonly attempts: number },
  tell: (line: string) => void,
): Promise<FaultsReport> {
  const alive = new Set(cluster.nodes);
  const [first, second, third] = cluster.nodes;
  if (!first || !second || !third) throw new Error("It takes three nodes");
  const faulty: FaultyCluster = {
    nodes: [first, second, third],
    postgres: cluster.postgres,
    balancer: cluster.balancer,
    away: (node) => alive.delete(node),
    back: (node) => alive.add(node),
  };
  const workload = await startWorkload(cluster.settings, () => [...alive].map(({ settings }) => settings), attempts);
  const reports: Partial<Record<Fault, WorkloadReport & AtBalancer>> = {};
  for (const fault of wanted) {
    workload.begin();
    await cluster.balancer.failures();
    await faults[fault](faulty);
    await delay(afterMs);
    // A busy machine answers nobody for a while: what is told is of a time in which clients were answered again.
    for (const until = Date.now() + recoveryMsMax; !workload.report().succeeded["request"] && Date.now() < until;) {
      await delay(50);
    }
    const report = { ...workload.report(), failedAtBalancer: await cluster.balancer.failures() };
    reports[fault] = report;
    tell(
      `${fault}: answered ${toText(report.succeeded)}; longest without an answer ${toText(report.longestGapMs, " ms")}; ` +
        `failed at the load balancer: ${report.failedAtBalancer.length}; after the client's retries: ${report.failed.length}`,
    );
  }
  const missing = await workload.end();
  tell(`acknowledged and not there: ${missing.length}`);
  return { reports, missing };
}

function toText(numbers: Readonly<Record<string, number>>, unit = ""): string {
  return Object.entries(numbers)
    .map(([name, value]) => `${name} ${value}${unit}`)
    .join(", ");
}
