import fc from "fast-check";
import { expect, test } from "vitest";
import { createFakeClock } from "../../testing/fake-clock.ts";
import { createTimeouts } from "./timeouts.ts";

test("calls back each that was not cancelled, at its time and once, whatever others do", () => {
  const steps = fc.array(
    fc.oneof(
      fc.record({ kind: fc.constant("begin" as const) }),
      fc.record({ kind: fc.constant("advance" as const), ms: fc.integer({ min: 1, max: 150 }) }),
      fc.record({ kind: fc.constant("cancel" as const), which: fc.nat(50) }),
    ),
    { maxLength: 200 },
  );
  fc.assert(
    fc.property(steps, (all) => {
      const clock = createFakeClock(1_000);
      const timeouts = createTimeouts(clock, 100);
      const begun: { dueAt: number; cancelled: boolean; endedAt: number[]; cancel: () => void }[] = [];
      for (const step of all) {
        if (step.kind === "advance") clock.advance(step.ms);
        else if (step.kind === "begin") {
          const endedAt: number[] = [];
          const cancel = timeouts.begin(() => endedAt.push(clock.now()));
          begun.push({ dueAt: clock.now() + 100, cancelled: false, endedAt, cancel });
        } else {
          const one = begun[step.which];
          if (one === undefined || one.endedAt.length > 0) continue;
          one.cancelled = true;
          one.cancel();
        }
      }
      clock.advance(100);
      for (const { dueAt, cancelled, endedAt } of begun) expect(endedAt).toEqual(cancelled ? [] : [dueAt]);
    }),
  );
});

test("keeps nothing of those that are over behind one that is not", () => {
  const clock = createFakeClock(0);
  const timeouts = createTimeouts(clock, 100);
  let ended = 0;
  timeouts.begin(() => (ended += 1));
  for (let index = 0; index < 5_000; index += 1) timeouts.begin(() => (ended += 1))();
  clock.advance(100);
  timeouts.begin(() => (ended += 1));
  clock.advance(100);
  expect(ended).toBe(2);
});
