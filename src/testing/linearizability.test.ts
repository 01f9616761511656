import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { checkLinearizable, type Model, type Recorded } from "./linearizability.ts";

type Input = { readonly write: number } | { readonly swap: readonly [number, number] } | "read";

/** A register that is read, written, and swapped where it holds what is expected; writes answer with nothing, swaps with whether. */
const register: Model<number, Input, number | boolean> = {
  initial: 0,
  step: (state, input, output) => {
    if (input === "read") return output === undefined || output === state ? state : undefined;
    if ("write" in input) return input.write;
    const [from, to] = input.swap;
    const holds = state === from;
    if (output !== undefined && output !== holds) return undefined;
    return holds ? to : state;
  },
  key: String,
};

type Call = Recorded<Input, number | boolean>;
const call = (begin: number, end: number | undefined, input: Input, output?: number | boolean): Call => ({
  begin,
  ...(end !== undefined && { end }),
  input,
  ...(output !== undefined && { output }),
});
const isLinearizable = (...history: Call[]) => checkLinearizable(register, history).linearizable;

describe("a history is linearizable", () => {
  test("when nothing has happened", () => expect(isLinearizable()).toBe(true));

  test("when calls that overlap may have happened in either order", () => {
    expect(isLinearizable(call(0, 5, { write: 1 }), call(1, 4, "read", 0))).toBe(true);
    expect(isLinearizable(call(0, 5, { write: 1 }), call(1, 4, "read", 1))).toBe(true);
  });

  test("when a write whose answer was lost is seen, is never seen, or is seen late", () => {
    expect(isLinearizable(call(0, undefined, { write: 1 }), call(5, 6, "read", 1))).toBe(true);
    expect(isLinearizable(call(0, undefined, { write: 1 }), call(5, 6, "read", 0))).toBe(true);
    expect(isLinearizable(call(0, undefined, { write: 1 }), call(5, 6, "read", 0), call(7, 8, "read", 1))).toBe(true);
  });

  test("when one of two swaps from the same value wins", () => {
    expect(isLinearizable(call(0, 5, { swap: [0, 1] }, true), call(0, 5, { swap: [0, 2] }, false))).toBe(true);
  });
});

describe("a history is refused", () => {
  test("when a read that began after a write ended does not see it", () => {
    expect(isLinearizable(call(0, 1, { write: 1 }), call(2, 3, "read", 0))).toBe(false);
  });

  test("when two reads, one after the other, see a write and then do not", () => {
    const history = [call(0, 9, { write: 1 }), call(1, 2, "read", 1), call(3, 4, "read", 0)];
    expect(isLinearizable(...history)).toBe(false);
    expect(checkLinearizable(register, history)).toMatchObject({ stuck: [{ input: "read", output: 0 }] });
  });

  test("when two swaps from the same value both win", () => {
    expect(isLinearizable(call(0, 5, { swap: [0, 1] }, true), call(0, 5, { swap: [0, 2] }, true))).toBe(false);
  });

  test("when a swap fails although nothing else can have been there", () => {
    expect(isLinearizable(call(0, 1, { swap: [0, 1] }, false))).toBe(false);
  });

  test("when a write whose answer was lost is seen and then is not", () => {
    const lost = call(0, undefined, { write: 1 });
    expect(isLinearizable(lost, call(1, 2, "read", 1), call(3, 4, "read", 0))).toBe(false);
  });

  test("when what is read was never written", () => {
    expect(isLinearizable(call(0, 5, { write: 1 }), call(0, 5, "read", 2))).toBe(false);
  });
});

/** Every order that keeps what came before before: slow, plain, and only for short histories. */
function isLinearizableByTrying(history: readonly Call[], state = register.initial): boolean {
  if (history.every(({ end }) => end === undefined)) return true;
  return history.some((each, at) => {
    if (history.some((other) => other.end !== undefined && other.end < each.begin)) return false;
    const next = register.step(state, each.input, each.output);
    return next !== undefined && isLinearizableByTrying(history.toSpliced(at, 1), next);
  });
}

test("the search says of any short history what trying every order says", () => {
  const value = fc.integer({ min: 0, max: 2 });
  const someCall = fc
    .tuple(
      fc.integer({ min: 0, max: 12 }),
      fc.option(fc.integer({ min: 1, max: 6 }), { nil: undefined, freq: 6 }),
      fc.oneof(
        fc.tuple(fc.constant<Input>("read"), value),
        value.map((write): [Input, undefined] => [{ write }, undefined]),
        fc.tuple(
          fc.tuple(value, value).map((swap): Input => ({ swap })),
          fc.boolean(),
        ),
      ),
    )
    .map(([begin, length, [input, output]]) =>
      length === undefined ? call(begin, undefined, input) : call(begin, begin + length, input, output),
    );
  let refused = 0;
  fc.assert(
    fc.property(fc.array(someCall, { maxLength: 6 }), (history) => {
      const expected = isLinearizableByTrying(history);
      if (!expected) refused += 1;
      expect(isLinearizable(...history)).toBe(expected);
    }),
    { numRuns: 2_000 },
  );
  // Or it would say little.
  expect(refused).toBeGreaterThan(100);
});
