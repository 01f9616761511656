import { beforeEach, expect, test } from "vitest";
import { randomIds } from "../../../kernel/ids.ts";
import { createJobs } from "../../../kernel/jobs/stored-jobs.ts";
import { createLog } from "../../../kernel/log.ts";
import { createMemoryStore } from "../../../kernel/store/memory-store.ts";
import type { Store } from "../../../kernel/store/store.ts";
import { createFakeClock, type FakeClock } from "../../../testing/fake-clock.ts";
import { createTransactionTokens } from "./transaction-tokens.ts";

let clock: FakeClock;
let store: Store;
const log = createLog(
  "silent",
  () => {},
  () => 0,
);
const place = { account: "000000000000", region: "us-east-1" };

/** A process that shares the store. */
function newProcess() {
  const jobs = createJobs({ store, clock, ids: randomIds, log });
  const tokens = createTransactionTokens({ store, jobs, clock });
  return {
    drain: () => jobs.drain(),
    isDone: (token: string, request: unknown = 1) =>
      store.transact((tx) => tokens.isDone(tx, { place, token, request }, clock.now())),
  };
}

const count = async (prefix: string) =>
  (await store.read((reader) => reader.range({ prefix: ["dynamodb", prefix] }, { limit: 1_000 }))).length;
const kept = async () => [await count("token"), await count("tokenEnd")];

beforeEach(() => {
  clock = createFakeClock(1_000_000);
  store = createMemoryStore();
});

test("a token is remembered for ten minutes and forgotten then, whatever the request was", async () => {
  const { isDone, drain } = newProcess();
  expect(await isDone("a")).toBe(false);
  expect(await isDone("a")).toBe(true);
  await expect(isDone("a", 2)).rejects.toMatchObject({ code: "IdempotentParameterMismatchException" });
  clock.advance(10 * 60_000 - 1);
  await drain();
  expect(await isDone("a")).toBe(true);
  clock.advance(60_001);
  await drain();
  expect(await kept()).toEqual([0, 0]);
  expect(await isDone("a", 2)).toBe(false);
});

test("one that is used again is remembered from then on", async () => {
  const { isDone, drain } = newProcess();
  await isDone("a");
  clock.advance(10 * 60_000);
  expect(await isDone("a", 2)).toBe(false);
  clock.advance(60_000);
  await drain();
  expect(await kept()).toEqual([1, 1]);
  expect(await isDone("a", 2)).toBe(true);
});

test("many are forgotten by few jobs, after a restart too", async () => {
  const before = newProcess();
  for (let at = 0; at < 1_200; at += 1) await before.isDone(`token-${at}`);
  expect(await kept()).toEqual([1_000, 1_000]);
  clock.advance(11 * 60_000);
  await newProcess().drain();
  expect(await kept()).toEqual([0, 0]);
});

test("a transaction that fails leaves no token", async () => {
  const tokens = createTransactionTokens({
    store,
    jobs: createJobs({ store, clock, ids: randomIds, log }),
    clock,
  });
  const failing = store.transact(async (tx) => {
    await tokens.isDone(tx, { place, token: "a", request: 1 }, clock.now());
    throw new Error("no");
  });
  await expect(failing).rejects.toThrow("no");
  expect(await kept()).toEqual([0, 0]);
});
