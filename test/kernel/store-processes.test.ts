import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { systemClock } from "../../src/kernel/clock.ts";
import { openLmdbStore } from "../../src/kernel/store/lmdb-store.ts";
import { killRounds, storeProcess } from "./kill-rounds.ts";

test("a killed process loses nothing it acknowledged and leaves no half transaction", async () => {
  const report = await killRounds(5, Math.random);
  expect(report).toMatchObject({ lost: 0, halves: 0, miscounted: 0 });
  expect(report.acknowledged).toBeGreaterThan(0);
});

test("processes that share a folder lose no increment, and hear of each other's changes", async () => {
  const folder = await mkdtemp(join(tmpdir(), "cumulet-shared-"));
  const store = await openLmdbStore({ folder, clock: systemClock });
  const heard = new Promise<void>((resolve) => {
    store.watch(["shared"], resolve);
  });
  store.watch(["elsewhere"], () => expect.unreachable());
  const children = [1, 2].map(() =>
    spawn(process.execPath, [storeProcess, folder, "increment", "100"], { stdio: "inherit" }),
  );
  const exits = children.map((child) => once(child, "exit"));
  await heard;
  for (let n = 0; n < 50; n += 1) {
    await store.transact(async (tx) => tx.set(["shared", "n"], Number((await tx.get(["shared", "n"])) ?? 0) + 1));
  }
  await Promise.all(exits);
  expect(await store.read((reader) => reader.get(["shared", "n"]))).toBe(250);
  await store.close();
  await rm(folder, { recursive: true });
});

test.each(["exit", "throw"])(
  "a process that ends by %s within a commit is gone at once, and others can write",
  async (how) => {
    const folder = await mkdtemp(join(tmpdir(), "cumulet-ending-"));
    const store = await openLmdbStore({ folder, clock: systemClock });
    for (const turns of ["0", "1", "2", "3"]) {
      const child = spawn(process.execPath, [storeProcess, folder, how, turns], {
        stdio: ["ignore", "ignore", "pipe"],
      });
      let told = "";
      child.stderr.on("data", (chunk: Buffer) => (told += chunk.toString()));
      // What hangs is killed, and found out by that.
      const cancel = setTimeout(() => child.kill("SIGTERM"), 15_000);
      const [code, signal] = await once(child, "close");
      clearTimeout(cancel);
      expect([3, 1, "SIGKILL"]).toContain(code ?? signal);
      if (how === "throw") expect(told).toContain("nobody catches this");
      await store.transact(async (tx) => tx.set(["after", turns], true));
    }
    await store.close();
    await rm(folder, { recursive: true });
  },
  60_000,
);
