import fc from "fast-check";
import { expect, test } from "vitest";
import { randomIds } from "../../kernel/ids.ts";
import { createTracing, lineageHash } from "./recursion.ts";

const hash = lineageHash("arn:aws:lambda:us-east-1:000000000000:function:f");
const other = lineageHash("arn:aws:lambda:us-east-1:000000000000:function:g");
const { follow } = createTracing(randomIds);

/** As often as a function invokes itself with what it was given. */
const chain = (times: number, loops: "Allow" | "Terminate", between: (trace: string) => string = (trace) => trace) => {
  let trace: string | undefined;
  for (let count = 0; count < times; count += 1)
    trace = follow(trace && between(trace), hash, loops, 1_700_000_000_000);
  return trace ?? "";
};

test("an invocation that brings no trace header gets one, with a lineage of its own", () => {
  const trace = follow(undefined, hash, "Terminate", 1_700_000_000_000);
  expect(trace).toMatch(new RegExp(`^Root=1-6553f100-[0-9a-f]{24};Parent=[0-9a-f]{16};Sampled=0;Lineage=1:${hash}:0$`));
  expect(follow(undefined, hash, "Terminate", 1_700_000_000_000)).not.toBe(trace);
});

test("a trace header is kept as it came, and its lineage is added or continued", () => {
  expect(follow("Root=1-a-b;Sampled=1", hash, "Terminate", 0)).toBe(`Root=1-a-b;Sampled=1;Lineage=1:${hash}:0`);
  expect(follow(`Root=1-a-b;Lineage=1:${hash}:4`, hash, "Terminate", 0)).toBe(`Root=1-a-b;Lineage=1:${hash}:5`);
  expect(follow(`Root=1-a-b;Lineage=${hash}:4`, hash, "Terminate", 0)).toBe(`Root=1-a-b;Lineage=1:${hash}:5`);
});

test("the 17th invocation of a function in a chain is refused with RecursiveInvocationException", () => {
  expect(chain(16, "Terminate")).toContain(`Lineage=1:${hash}:15`);
  expect(() => chain(17, "Terminate")).toThrow("recursive loop");
});

const viaOther = (trace: string) => follow(trace, other, "Terminate", 0);

test("a loop over two functions is found as well", () => {
  chain(16, "Terminate", viaOther);
  expect(() => chain(17, "Terminate", viaOther)).toThrow("recursive loop");
});

test("a function that allows recursive loops is not stopped", () => {
  expect(chain(100, "Allow")).toContain(`Lineage=1:${hash}:99`);
});

test("no header at all breaks it, and none makes it grow without end", () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      const trace = follow(`Lineage=${text}`, hash, "Allow", 0);
      expect(trace).toContain(hash);
    }),
  );
  const many = Array.from({ length: 100 }, (_, index) => `1:${lineageHash(String(index))}:1`).join("|");
  expect(follow(`Lineage=${many}`, hash, "Terminate", 0).split("|")).toHaveLength(16);
});
