import { mkdtempSync, readdirSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { randomIds } from "../kernel/ids.ts";
import { createLog } from "../kernel/log.ts";
import { createMemoryStore } from "../kernel/store/memory-store.ts";
import type { Store } from "../kernel/store/store.ts";
import { createFakeClock } from "../testing/fake-clock.ts";
import { createBatch } from "./batch.ts";
import { createJournal, findJournals } from "./journal.ts";
import { createLedger } from "./ledger.ts";
import { hasEnded, processIdentity } from "../kernel/process-identity.ts";
import { parseLines } from "./lines.ts";
import { listRecords, parseDimensions, reportUsage } from "./report.ts";
import type { UsageRecord, UsageSubject } from "./usage.ts";

const account = "000000000000";
const subject: UsageSubject = {
  account,
  region: "us-east-1",
  functionName: "f",
  version: "$LATEST",
  memoryMb: 128,
  architecture: "x86_64",
  trigger: "lambda",
  tags: { team: "a" },
};
const base = Date.UTC(2026, 0, 2, 12);

function record(more: Partial<UsageRecord> = {}): UsageRecord {
  return {
    requestId: randomIds.uuid(),
    startedAt: base,
    durationMs: 1.23,
    billedMs: 2,
    initMs: 0,
    maxMemoryMb: 40,
    cpuMs: 0,
    status: "success",
    ...more,
  };
}

let dataDir: string;
let store: Store;
let now: ReturnType<typeof createFakeClock>;
const log = createLog(
  "silent",
  () => {},
  () => 0,
);

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), "cumulet-usage-"));
  store = createMemoryStore();
  now = createFakeClock(base + 60_000);
});
afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

const open = (more: { store?: Store; heldRecordsMax?: number } = {}) =>
  createLedger({ store, clock: now, ids: randomIds, log, dataDir, ...more });
const report = (by = "") =>
  reportUsage(store, { account, from: base - 1, to: base + 3_600_000, by: parseDimensions(by) });
/** What a process has written of records with these sequence numbers. */
const leaveJournal = (writer: string, owner: string, sequences: readonly number[], more: Partial<UsageRecord> = {}) => {
  const journal = createJournal(join(dataDir, "usage"), writer, owner);
  const batch = createBatch();
  for (const sequence of sequences) {
    journal.write(Buffer.from(batch.add(sequence, subject, record(more))), "");
  }
  journal.close();
};
const journals = () => readdirSync(join(dataDir, "usage"));

describe("the usage ledger", () => {
  test("sums are those of the records, by what they are split by", async () => {
    const ledger = open();
    const other = { ...subject, functionName: "g", qualifier: "live", tenantId: "t", tags: {} };
    ledger.add(subject, record({ durationMs: 0.1, billedMs: 1 }));
    ledger.add(subject, record({ durationMs: 0.2, billedMs: 1, status: "error", initMs: 10 }));
    ledger.add(other, record({ billedMs: 5, status: "timeout", startedAt: base + 7_200_000 }));
    await ledger.flush();
    const rows = await reportUsage(store, {
      account,
      from: base,
      to: base + 1,
      by: parseDimensions("function,tenant,tag:team,day"),
    });
    expect(rows).toMatchObject([
      {
        group: ["f", "", "a", "2026-01-02"],
        totals: {
          invocations: 2,
          errors: 1,
          timeouts: 0,
          coldStarts: 1,
          durationUs: 300,
          billedMs: 2,
          billedMbMs: 256,
        },
      },
      { group: ["g", "t", "", "2026-01-02"], totals: { invocations: 1, errors: 1, timeouts: 1, billedMs: 5 } },
    ]);
    expect(await report("hour")).toMatchObject([{ group: ["2026-01-02T12:00Z"], totals: { invocations: 2 } }]);
    await ledger.stop();
  });

  test("a record stands in the journal a microtask after add, and nowhere else once it is committed", async () => {
    const ledger = open();
    ledger.add(subject, record());
    await Promise.resolve();
    expect(journals()).toHaveLength(1);
    await ledger.flush();
    expect(journals()).toEqual([]);
    await ledger.stop();
  });

  test("what waits is committed within a second", async () => {
    const ledger = open();
    ledger.add(subject, record());
    now.advance(1000);
    await ledger.flush();
    expect(await report()).toMatchObject([{ totals: { invocations: 1 } }]);
    await ledger.stop();
  });

  test("commits what a process that has died left in its journal, once", async () => {
    leaveJournal("dead", "1-1", [1, 2, 3]);
    await open().recover();
    expect(await report()).toMatchObject([{ totals: { invocations: 3 } }]);
    expect(journals()).toEqual([]);
    await open().recover();
    expect(await report()).toMatchObject([{ totals: { invocations: 3 } }]);
  });

  test("counts once what several processes that start together find", async () => {
    for (const writer of ["one", "two"]) {
      leaveJournal(writer, "1-1", [1, 2, 3]);
    }
    await Promise.all([open().recover(), open().recover(), open().recover()]);
    expect(await report()).toMatchObject([{ totals: { invocations: 6 } }]);
    expect(journals()).toEqual([]);
  });

  test("does not count again what was committed before the process died", async () => {
    let fail = false;
    const failing: Store = {
      ...store,
      transact: (body) => (fail ? Promise.reject(new Error("the disk is full")) : store.transact(body)),
    };
    const ledger = open({ store: failing });
    ledger.add(subject, record());
    await ledger.flush();
    fail = true;
    ledger.add(subject, record());
    await ledger.flush();
    const [name = ""] = journals();
    fail = false;
    await ledger.flush();
    expect(await report()).toMatchObject([{ totals: { invocations: 2 } }]);
    // As if it had been killed after the commit and before the file was removed.
    leaveJournal(name.split(".")[1] ?? "", "1-1", [2]);
    await open().recover();
    expect(await report()).toMatchObject([{ totals: { invocations: 2 } }]);
  });

  test("leaves the journal of a process that lives alone", async () => {
    leaveJournal("alive", processIdentity(process.pid), [1]);
    await open().recover();
    expect(await report()).toEqual([]);
    expect(journals()).toHaveLength(1);
  });

  test("reads lines up to one that is cut short, whatever ids hold", () => {
    const batch = createBatch();
    const lines = ['a"\n\\b', "c"].map((requestId, at) => batch.add(at + 1, subject, record({ requestId })));
    const entries = parseLines(`${lines.join("")}[3,0,"cut`);
    expect(entries).toMatchObject([
      { sequence: 1, subject, record: { requestId: 'a"\n\\b', durationMs: 1.23 } },
      { sequence: 2, subject, record: { requestId: "c" } },
    ]);
  });

  test("a file that cannot be written is followed by one that is whole by itself", () => {
    const folder = join(dataDir, "usage");
    const journal = createJournal(folder, "w", "1-1");
    const batch = createBatch();
    journal.write(Buffer.from(batch.add(1, subject, record())), "");
    journal.close();
    journal.write(Buffer.from(batch.add(2, subject, record())), batch.subjects);
    journal.close();
    expect(journals()).toHaveLength(2);
    const [found] = findJournals(folder, () => true);
    expect(found?.readEntries()).toMatchObject([
      { sequence: 1, subject },
      { sequence: 2, subject },
    ]);
  });

  test("what the store does not take for too long is left to the journal, and what came meanwhile, too: once", async () => {
    let full = true;
    const failing: Store = {
      ...store,
      transact: (body) => {
        if (!full) return store.transact(body);
        ledger.add(subject, record());
        return Promise.reject(new Error("the disk is full"));
      },
    };
    const ledger = open({ store: failing, heldRecordsMax: 3000 });
    for (let count = 0; count <= 3000; count += 1) ledger.add(subject, record());
    await ledger.flush();
    full = false;
    ledger.add(subject, record());
    await ledger.stop();
    expect(await report()).toMatchObject([{ totals: { invocations: 1 } }]);
    for (const name of journals()) {
      renameSync(join(dataDir, "usage", name), join(dataDir, "usage", name.replace(/^[^.]+/, "1-1")));
    }
    await open().recover();
    expect(await report()).toMatchObject([{ totals: { invocations: 3003 } }]);
  });

  test("follows a commit in the same transaction", async () => {
    const seen: number[] = [];
    const ledger = createLedger({
      store,
      clock: now,
      ids: randomIds,
      log,
      dataDir,
      follow: (tx, uses) => {
        seen.push(uses.length);
        tx.set(["test", "followed"], true);
        return Promise.resolve();
      },
    });
    ledger.add(subject, record());
    await ledger.stop();
    expect(seen).toEqual([1]);
    expect(await store.read((reader) => reader.get(["test", "followed"]))).toBe(true);
  });

  test("lists single records page by page, of one account and one function", async () => {
    const ledger = open();
    for (let index = 0; index < 2500; index += 1) ledger.add(subject, record({ startedAt: base + index }));
    ledger.add({ ...subject, functionName: "g" }, record());
    ledger.add({ ...subject, account: "111111111111" }, record());
    await ledger.stop();
    const ids = new Set<string>();
    let after: string | undefined;
    do {
      const page = await listRecords(store, { account, from: base, to: base + 10_000, functionName: "f", after });
      for (const { requestId } of page.records) ids.add(requestId);
      after = page.next;
    } while (after !== undefined);
    expect(ids.size).toBe(2500);
  });
});

test("a process is known by its id and its start: another of the same id is not it", () => {
  const identity = processIdentity(process.pid);
  expect(hasEnded(identity)).toBe(false);
  expect(hasEnded(`${process.pid}-1`)).toBe(true);
  expect(hasEnded("999999999-1")).toBe(true);
});
