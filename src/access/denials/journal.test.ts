import { expect, test } from "vitest";
import { createLog } from "../../kernel/log.ts";
import { createMemoryStore } from "../../kernel/store/memory-store.ts";
import { createFakeClock } from "../../testing/fake-clock.ts";
import { createDenialJournal } from "./journal.ts";
import { denialLimits as limits } from "./limits.ts";

const account = "111111111111";
const log = createLog("silent", () => {}, Date.now);

function start() {
  const clock = createFakeClock(Date.parse("2026-01-02T03:04:05Z"));
  const journal = createDenialJournal({ store: createMemoryStore(), clock, log });
  const note = (requestId: string, principal = "ann", more: ReadonlyMap<string, readonly string[]> = new Map()) =>
    journal.note({
      requestId,
      environment: {
        account,
        region: "us-east-1",
        sourceIp: "",
        secureTransport: true,
        userAgent: "",
        now: clock.now(),
        requestId,
      },
      told: { principal, action: "s3:GetObject", resource: "*" },
      reasoned: {
        decision: { decision: "implicitDeny", policyType: "identity-based policy" },
        context: more,
        policies: {},
      },
    });
  return { clock, journal, note };
}

test("a denial is in the store a second later, and found by account and request", async () => {
  const { clock, journal, note } = start();
  note("r1");
  clock.advance(limits.writeAfterMs);
  await journal.flush();
  expect(await journal.find(account, "r1")).toMatchObject([{ requestId: "r1", principal: "ann" }]);
  expect(await journal.find("222222222222", "r1")).toEqual([]);
});

test("it is found for two days and no longer", async () => {
  const { clock, journal, note } = start();
  note("r1");
  await journal.flush();
  clock.advance((limits.hoursKept - 1) * 3_600_000);
  expect(await journal.find(account, "r1")).toHaveLength(1);
  clock.advance(2 * 3_600_000);
  expect(await journal.find(account, "r1")).toEqual([]);
});

test("who is denied all the time pushes out nobody else, and an hour later is noted again", async () => {
  const { clock, journal, note } = start();
  for (let at = 0; at < limits.perPrincipalMax + 50; at++) note(`noise${at}`, "noise");
  for (let at = 0; at < limits.anonymousMax + 50; at++) note(`nobody${at}`, "anonymous");
  note("mine");
  await journal.flush();
  expect(await journal.find(account, `noise${limits.perPrincipalMax - 1}`)).toHaveLength(1);
  expect(await journal.find(account, `noise${limits.perPrincipalMax}`)).toEqual([]);
  expect(await journal.find(account, `nobody${limits.anonymousMax}`)).toEqual([]);
  expect(await journal.find(account, "mine")).toHaveLength(1);
  clock.advance(3_600_000);
  note("later", "noise");
  await journal.flush();
  expect(await journal.find(account, "later")).toHaveLength(1);
});

test("no process keeps more than its number of an hour, however many principals ask", async () => {
  const { journal, note } = start();
  for (let at = 0; at < limits.perHourMax + 10; at++) note(`r${at}`, `user${at}`);
  await journal.flush();
  expect(await journal.find(account, `r${limits.perHourMax - 1}`)).toHaveLength(1);
  expect(await journal.find(account, `r${limits.perHourMax}`)).toEqual([]);
});

test("the denials of one request are kept in their order, up to a number; long values are cut", async () => {
  const { journal, note } = start();
  const long = new Map([["test:key", ["x".repeat(10_000)]]]);
  for (let at = 0; at < limits.perRequestMax + 5; at++) note("r1", `p${at}`, long);
  await journal.flush();
  const found = await journal.find(account, "r1");
  expect(found.map(({ principal }) => principal)).toEqual(["p0", "p1", "p2", "p3", "p4", "p5", "p6", "p7"]);
  expect(found[0]?.context["test:key"]?.[0]).toHaveLength(limits.valueCharactersMax);
});
