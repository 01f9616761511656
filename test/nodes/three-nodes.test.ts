import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { findPostgres, noPostgres } from "../../src/testing/postgres.ts";
import { findNginx, noNginx } from "./balancer.ts";
import { startCluster, type TestCluster } from "./cluster.ts";
import { runFaults, type Fault } from "./faults.ts";
import { noNetworks } from "./network.ts";

const missing =
  noNetworks() ?? ((await findPostgres()) === undefined ? noPostgres : findNginx() === undefined ? noNginx : undefined);

/** The short version of `test/soak/three-nodes.soak.ts`. */
describe.skipIf(missing !== undefined)(`three nodes behind nginx (${missing ?? "on PostgreSQL"})`, () => {
  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await startCluster([0, 0, 0]);
  }, 120_000);
  afterAll(() => cluster.stop());

  test("one is killed, the store crashes, all are upgraded: clients notice nothing, and nothing that was acknowledged is lost", async () => {
    const upgrade = "the nodes are upgraded, one after the other";
    const wanted: Fault[] = ["a node is killed", "PostgreSQL crashes", upgrade];
    // How long PostgreSQL takes to recover is the machine's: a busy one outlasts the three attempts of the SDK's default.
    const { reports, missing: lost } = await runFaults(cluster, wanted, { afterMs: 2000, attempts: 10 }, () => {});
    expect(lost).toEqual([]);
    expect(Object.values(reports).flatMap(({ failed }) => failed)).toEqual([]);
    for (const { succeeded } of Object.values(reports)) expect(succeeded["request"]).toBeGreaterThan(0);
    // Of an upgrade not even the clients' retries see anything.
    expect(reports[upgrade]?.failedAtBalancer).toEqual([]);
  }, 180_000);
});
