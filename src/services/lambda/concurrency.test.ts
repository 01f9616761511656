import fc from "fast-check";
import { expect, test } from "vitest";
import { AwsError } from "../../aws/error.ts";
import { createFakeClock } from "../../testing/fake-clock.ts";
import { createConcurrency, type Share } from "./concurrency.ts";

const share: Share = { accountKey: "a", functionKey: "a/f", specId: "f:1", reserved: undefined, reservedTotal: 0 };

const start = () => {
  const clock = createFakeClock(0);
  const whole = createConcurrency(clock);
  // Alone, nobody is asked.
  const enter = (...args: Parameters<typeof whole.enter>) => {
    const leave = whole.enter(...args);
    if (leave instanceof Promise) throw new Error("Somebody was asked");
    return leave;
  };
  return { clock, concurrency: { enter } };
};

test("the 1,001st invocation of an account is refused, until one of the others has ended", () => {
  const { concurrency } = start();
  const leaves = Array.from({ length: 1000 }, (_, index) =>
    concurrency.enter({ ...share, functionKey: `a/f${index % 20}` }, true),
  );
  expect(reasonOf(() => concurrency.enter(share, true))).toBe("ConcurrentInvocationLimitExceeded");
  leaves[0]?.();
  concurrency.enter(share, true);
});

test("what functions have reserved is not there for others, who get ConcurrentInvocationLimitExceeded", () => {
  const { concurrency } = start();
  for (let index = 0; index < 100; index += 1) concurrency.enter({ ...share, reservedTotal: 900 }, true);
  expect(reasonOf(() => concurrency.enter({ ...share, reservedTotal: 900 }, true))).toBe(
    "ConcurrentInvocationLimitExceeded",
  );
});

test("a function with reserved concurrency stops there, whatever is left to the account", () => {
  const { concurrency } = start();
  const reserving = { ...share, reserved: 2, reservedTotal: 2 };
  concurrency.enter(reserving, true);
  concurrency.enter(reserving, true);
  expect(reasonOf(() => concurrency.enter(reserving, true))).toBe("ReservedFunctionConcurrentInvocationLimitExceeded");
  concurrency.enter({ ...share, functionKey: "a/g", reservedTotal: 2 }, true);
});

test("a function with reserved concurrency 0 is never invoked", () => {
  const { concurrency } = start();
  expect(reasonOf(() => concurrency.enter({ ...share, reserved: 0 }, false))).toBe(
    "ReservedFunctionConcurrentInvocationLimitExceeded",
  );
});

test("synchronous requests are limited to ten a second for each unit of reserved concurrency; asynchronous ones are not", () => {
  const { clock, concurrency } = start();
  const reserving = { ...share, reserved: 2, reservedTotal: 2 };
  for (let index = 0; index < 20; index += 1) concurrency.enter(reserving, true)();
  expect(reasonOf(() => concurrency.enter(reserving, true))).toBe("ReservedFunctionInvocationRateLimitExceeded");
  for (let index = 0; index < 50; index += 1) concurrency.enter(reserving, false)();
  clock.advance(50);
  concurrency.enter(reserving, true)();
  expect(reasonOf(() => concurrency.enter(reserving, true))).toBe("ReservedFunctionInvocationRateLimitExceeded");
});

test("invocations beyond what is provisioned share what the account has left", () => {
  const { concurrency } = start();
  const provisioned = { ...share, reservedTotal: 900, provisioned: () => 3 };
  for (let index = 0; index < 3; index += 1) concurrency.enter(provisioned, true);
  for (let index = 0; index < 100; index += 1) concurrency.enter(provisioned, true);
  expect(reasonOf(() => concurrency.enter(provisioned, true))).toBe("ConcurrentInvocationLimitExceeded");
});

test("each invocation of a version with provisioned environments is told, and whether it spills over", () => {
  const told: (number | undefined)[] = [];
  const { concurrency } = start();
  for (const reserved of [undefined, 5]) {
    const provisioned = { ...share, specId: `f:${reserved}`, reserved, provisioned: () => 2 };
    const enter = () => concurrency.enter({ ...provisioned, told: (used) => told.push(used) }, true);
    enter();
    const leave = enter();
    enter();
    leave();
    enter();
    expect(told.splice(0)).toEqual([1, 2, undefined, 2]);
  }
});

test("whatever comes and goes, no more run than may, and every place comes back", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 5 }), fc.array(fc.boolean(), { maxLength: 60 }), (reserved, steps) => {
      const { concurrency } = start();
      const leaves: (() => void)[] = [];
      for (const enters of steps) {
        if (!enters) {
          const leave = leaves.pop();
          leave?.();
          leave?.();
          continue;
        }
        const full = leaves.length >= reserved;
        const reason = reasonOf(() => leaves.push(concurrency.enter({ ...share, reserved }, false)));
        expect(reason !== undefined).toBe(full);
      }
    }),
  );
});

function reasonOf(action: () => unknown): unknown {
  try {
    action();
    return undefined;
  } catch (error) {
    return error instanceof AwsError ? error.members["Reason"] : error;
  }
}
