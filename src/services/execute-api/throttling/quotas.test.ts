import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { randomIds } from "../../../kernel/ids.ts";
import { createLog } from "../../../kernel/log.ts";
import { createMemoryStore } from "../../../kernel/store/memory-store.ts";
import type { Store } from "../../../kernel/store/store.ts";
import { createFakeClock, type FakeClock } from "../../../testing/fake-clock.ts";
import type { PublishedQuota } from "../port.ts";
import { createLeaseJournal } from "./lease-journal.ts";
import { quotaLimitIn, quotaPeriodOf } from "./quota-period.ts";
import { createQuotas, type QuotaCounter, type Quotas } from "./quotas.ts";
import { readQuota } from "./quota-record.ts";
import { recoverQuotas } from "./recover-quotas.ts";
import { createThrottles } from "./throttles.ts";

const log = createLog(
  "silent",
  () => undefined,
  () => 0,
);
const address = { account: "000000000000", region: "us-east-1", planId: "plan", keyId: "key" };
const sunday = Date.UTC(2026, 10, 22);
const quota = (limit: number, more: Partial<PublishedQuota> = {}): PublishedQuota => ({
  limit,
  offset: 0,
  period: "DAY",
  since: 0,
  ...more,
});

let folder: string;
let store: Store;
let clock: FakeClock;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "cumulet-quotas-"));
  store = createMemoryStore();
  clock = createFakeClock(sunday + 3_600_000);
});
afterEach(async () => {
  await store.close();
  await rm(folder, { recursive: true, force: true });
});

function node(name: string, nodes = 1): Quotas {
  return createQuotas({
    store,
    clock,
    ids: randomIds,
    log,
    journal: createLeaseJournal(folder, name),
    nodes: () => nodes,
  });
}

const recover = (isGone: (owner: string) => boolean) => recoverQuotas({ store, folder, now: clock.now, isGone });

async function takeMany(counter: QuotaCounter, times: number): Promise<number> {
  let taken = 0;
  for (let index = 0; index < times; index++) if (await counter.take(clock.now())) taken++;
  return taken;
}

describe("a quota", () => {
  test("lets exactly its number through, however many ask at once", async () => {
    const counter = node("a").of(address, quota(100));
    const takers = Array.from({ length: 8 }, () => takeMany(counter, 30));
    expect((await Promise.all(takers)).reduce((sum, taken) => sum + taken)).toBe(100);
  });

  test("lets exactly its number through over three nodes", async () => {
    const counters = ["a", "b", "c"].map((name) => node(name, 3).of(address, quota(500)));
    const rounds = [];
    for (let round = 0; round < 40; round++) {
      rounds.push(await Promise.all(counters.map((counter) => takeMany(counter, 10))));
      // What a node has left and does not use is given back after a while.
      if (round > 20) clock.advance(2_500);
    }
    expect(rounds.flat().reduce((sum, taken) => sum + taken)).toBe(500);
  });

  test("lets exactly its number through when nodes are killed and what they left is found", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(60), { minLength: 1, maxLength: 6 }), async (lives) => {
        const own = { ...address, keyId: randomIds.uuid() };
        let taken = 0;
        for (const [life, wanted] of lives.entries()) {
          taken += await takeMany(node(`${own.keyId}-${life}`).of(own, quota(100)), wanted);
          await recover((owner) => owner === `${own.keyId}-${life}`);
        }
        taken += await takeMany(node(`${own.keyId}-last`).of(own, quota(100)), 200);
        expect(taken).toBe(100);
      }),
      { numRuns: 20 },
    );
  });

  test("is never exceeded when what a killed node left is not found", async () => {
    const taken = await takeMany(node("lost").of(address, quota(100)), 10);
    await rm(folder, { recursive: true });
    await recover(() => true);
    const rest = await takeMany(node("other").of(address, quota(100)), 200);
    expect(taken + rest).toBeLessThanOrEqual(100);
    expect(taken + rest).toBeGreaterThanOrEqual(75);
  });

  test("begins anew with the next period, and what was used stands in the store after a stop", async () => {
    const quotas = node("a");
    const counter = quotas.of(address, quota(5));
    expect(await takeMany(counter, 8)).toBe(5);
    clock.advance(86_400_000);
    expect(await takeMany(counter, 3)).toBe(3);
    await quotas.stop();
    const second = await store.read((reader) => readQuota(reader, address, "DAY 2026-11-23"));
    expect(second).toEqual({ v: 1, used: 3, taken: 0, extra: 0 });
  });

  test.each([
    // now and the last moment of the period, and when the next one begins
    ["WEEK", "2026-11-18T12:00:00.000Z", "2026-11-21T23:59:59.999Z", "2026-11-22T00:00:00.000Z"],
    ["WEEK", "2026-12-27T00:00:00.000Z", "2027-01-02T23:59:59.999Z", "2027-01-03T00:00:00.000Z"],
    ["MONTH", "2026-11-01T00:00:00.000Z", "2026-11-30T23:59:59.999Z", "2026-12-01T00:00:00.000Z"],
    ["MONTH", "2026-12-31T23:59:00.000Z", "2026-12-31T23:59:59.999Z", "2027-01-01T00:00:00.000Z"],
    ["MONTH", "2028-02-10T00:00:00.000Z", "2028-02-29T23:59:59.999Z", "2028-03-01T00:00:00.000Z"],
  ] as const)("of a %s that was used up at %s lasts until %s, over a restart too", async (period, now, last, next) => {
    clock = createFakeClock(Date.parse(now));
    const before = node("a");
    expect(await takeMany(before.of(address, quota(5, { period })), 8)).toBe(5);
    await before.stop();
    clock.advance(Date.parse(last) - clock.now());
    const after = node("b");
    const counter = after.of(address, quota(5, { period }));
    expect(await takeMany(counter, 8)).toBe(0);
    clock.advance(Date.parse(next) - clock.now());
    expect(await takeMany(counter, 8)).toBe(5);
    await after.stop();
  });

  test("is used up for a moment at least, and looked at again when a key or plan changes", async () => {
    const quotas = node("a");
    const counter = quotas.of(address, quota(1));
    expect(await takeMany(counter, 2)).toBe(1);
    expect(counter.take(clock.now())).toBe(false);
    quotas.refresh();
    expect(counter.take(clock.now())).toBeInstanceOf(Promise);
  });
});

describe("periods of quotas", () => {
  test.each([
    ["DAY", "2026-11-22", "2026-11-23"],
    ["WEEK", "2026-11-22", "2026-11-29"],
    ["MONTH", "2026-11-01", "2026-12-01"],
  ] as const)("%s begins %s and ends %s", (kind, start, end) => {
    const period = quotaPeriodOf(kind, sunday + 5);
    expect([period.start, period.end]).toEqual([Date.parse(start), Date.parse(end)]);
    expect(quotaPeriodOf(kind, period.end).start).toBe(period.end);
  });

  test("the offset is taken from the first one alone", () => {
    const limited = quota(10, { period: "WEEK", offset: 4, since: sunday + 5 });
    expect(quotaLimitIn(limited, quotaPeriodOf("WEEK", sunday + 9))).toBe(6);
    expect(quotaLimitIn(limited, quotaPeriodOf("WEEK", sunday + 8 * 86_400_000))).toBe(10);
  });
});

describe("a rate", () => {
  const rate = { rateLimit: 10, burstLimit: 5 };

  test("alone: never lets more pass than the burst and what has come since, and lets that pass", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(400), { maxLength: 200 }), (pauses) => {
        const own = createFakeClock(0);
        const throttle = createThrottles({ store, clock: own, log, isDivided: () => false, nodes: () => 1 }).of(
          "k",
          rate,
        );
        let passed = 0;
        for (const pause of pauses) {
          own.advance(pause);
          if (throttle.take(own.now()) === true) passed++;
          expect(passed).toBeLessThanOrEqual(5 + own.now() / 100);
        }
      }),
    );
  });

  test("divided by nodes: all together let no more pass than the burst and what has come since", async () => {
    const throttles = [1, 2, 3].map(() =>
      createThrottles({ store, clock, log, isDivided: () => true, nodes: () => 3 }).of("k", rate),
    );
    const started = clock.now();
    let passed = 0;
    for (let step = 0; step < 100; step++) {
      const taken = await Promise.all(throttles.map((throttle) => throttle.take(clock.now())));
      passed += taken.filter(Boolean).length;
      expect(passed).toBeLessThanOrEqual(5 + (clock.now() - started) / 100 + 1e-6);
      clock.advance(50);
    }
    expect(passed).toBeGreaterThan(40);
  });

  test.each([[{ rateLimit: 0, burstLimit: 5 }], [{ rateLimit: 10, burstLimit: 0 }]])(
    "of %j lets nothing pass",
    (none) => {
      const throttle = createThrottles({ store, clock, log, isDivided: () => false, nodes: () => 1 }).of("k", none);
      expect(throttle.take(clock.now())).toBe(false);
    },
  );

  test("that is changed does not begin with another burst", () => {
    const throttles = createThrottles({ store, clock, log, isDivided: () => false, nodes: () => 1 });
    const before = throttles.of("k", rate);
    for (let index = 0; index < 5; index++) expect(before.take(clock.now())).toBe(true);
    expect(throttles.of("k", { rateLimit: 10, burstLimit: 50 }).take(clock.now())).toBe(false);
  });
});
