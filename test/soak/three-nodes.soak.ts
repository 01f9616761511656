import { describe, expect, test } from "vitest";
import { noFakeTime, startCluster } from "../nodes/cluster.ts";
import { faults, runFaults, type Fault } from "../nodes/faults.ts";

const tell = (line: string) => void process.stdout.write(`${line}\n`);

/** Run as root on a machine with PostgreSQL and nginx (see `tools/setup-test.sh`). Prints what `docs/evidence/nodes.md` keeps. */
describe("three nodes behind nginx on PostgreSQL", () => {
  const all = Object.keys(faults).filter((name): name is Fault => name in faults);

  test("whatever happens to them, nothing acknowledged is lost and the client's retries cure all failures", async () => {
    const cluster = await startCluster([0, 0, 0]);
    try {
      const { reports, missing } = await runFaults(cluster, all, { afterMs: 10_000, attempts: 3 }, tell);
      expect(missing).toEqual([]);
      expect(Object.values(reports).flatMap(({ failed }) => failed)).toEqual([]);
      expect(reports["the nodes are upgraded, one after the other"]?.failedAtBalancer).toEqual([]);
    } finally {
      await cluster.stop();
    }
  });

  test.skipIf(noFakeTime !== undefined)(
    `the same with clocks five minutes apart (${noFakeTime ?? "libfaketime"})`,
    async () => {
      const cluster = await startCluster([0, -150, 150]);
      try {
        const wanted: Fault[] = ["a node is killed", "every node is killed, one after the other", "PostgreSQL crashes"];
        const { reports, missing } = await runFaults(cluster, wanted, { afterMs: 10_000, attempts: 3 }, tell);
        expect(missing).toEqual([]);
        expect(Object.values(reports).flatMap(({ failed }) => failed)).toEqual([]);
      } finally {
        await cluster.stop();
      }
    },
  );
});
