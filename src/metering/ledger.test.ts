import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { randomIds } from "../kernel/ids.ts";
import { createLog } from "../kernel/log.ts";
import { createMemoryStore } from "../kernel/store/memory-store.ts";
import type { Store } from "../kernel/store/store.ts";
import { createFakeClock } from "../testing/fake-clock.ts";
import { createJournal, parseJournal } from "./journal.ts";
import { createLedger } from "./ledger.ts";
import { hasEnded, processIdentity } from "../kernel/process-identity.ts";
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

const open = (more: { store?: Store } = {}) =>
  createLedger({ store, clock: now, ids: randomIds, log, dataDir, ...more });
const report = (by = "") =>
  reportUsage(store, { account, from: base - 1, to: base + 3_600_000, by: parseDimensions(by) });
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
    const left = createJournal(join(dataDir, "usage"), "dead", "1-1");
    for (const sequence of [1, 2, 3]) left.append({ sequence, subject, record: record() });
    left.flush();
    left.close();
    await open().recover();
    expect(await report()).toMatchObject([{ totals: { invocations: 3 } }]);
    expect(journals()).toEqual([]);
    await open().recover();
    expect(await report()).toMatchObject([{ totals: { invocations: 3 } }]);
  });

  test("counts once what several processes that start together find", async () => {
    for (const writer of ["one", "two"]) {
      const left = createJournal(join(dataDir, "usage"), writer, "1-1");
      for (const sequence of [1, 2, 3]) left.append({ sequence, subject, record: record() });
      left.flush();
      left.close();
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
    const line = { sequence: 2, subject, record: record() };
    const writer = name.split(".")[1] ?? "";
    const again = createJournal(join(dataDir, "usage"), writer, "1-1");
    again.append(line);
    again.flush();
    again.close();
    await open().recover();
    expect(await report()).toMatchObject([{ totals: { invocations: 2 } }]);
  });

  test("leaves the journal of a process that lives alone", async () => {
    const living = createJournal(join(dataDir, "usage"), "alive", processIdentity(process.pid));
    living.append({ sequence: 1, subject, record: record() });
    living.flush();
    await open().recover();
    expect(await report()).toEqual([]);
    expect(journals()).toHaveLength(1);
    living.close();
  });

  test("reads a journal up to a line that is cut short", () => {
    const folder = join(dataDir, "usage");
    const journal = createJournal(folder, "w", "1-1");
    for (const sequence of [1, 2]) journal.append({ sequence, subject, record: record({ requestId: 'a"\n\\b' }) });
    journal.flush();
    journal.close();
    writeFileSync(join(folder, readdirSync(folder)[0] ?? ""), '[3,0,"cut', { flag: "a" });
    const [text = ""] = readdirSync(folder);
    expect(text).toMatch(/^1-1\.w\.\d+\.journal$/);
    const entries = parseJournal(`${JSON.stringify(subject)}\n[1,0,"a",5,1.5,2,0,40,0,"success"]\n[2,0,"cu`);
    expect(entries).toHaveLength(1);
    expect(entries[0]).toMatchObject({ sequence: 1, subject, record: { requestId: "a", durationMs: 1.5 } });
  });

  test("follows a commit in the same transaction", async () => {
    const seen: number[] = [];
    const ledger = createLedger({
      store,
      clock: now,
      ids: randomIds,
      log,
      dataDir,
      follow: (tx, entries) => {
        seen.push(entries.length);
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
