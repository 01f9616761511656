import fc from "fast-check";
import { expect, test } from "vitest";
import { readAnswer } from "./response.ts";

const sequenceNumbers = ["1", "2", "3"];

test("whatever a function answers, it settles all records, or those before one of them", () => {
  const item = fc.oneof(
    fc.record({ itemIdentifier: fc.oneof(fc.constantFrom("1", "2", "3", "4", ""), fc.integer(), fc.constant(null)) }),
    fc.jsonValue(),
  );
  const answer = fc.oneof(
    fc.record({ batchItemFailures: fc.oneof(fc.array(item, { maxLength: 4 }), fc.jsonValue()) }),
    fc.jsonValue(),
  );
  const bytes = fc.oneof(
    answer.map((each) => Buffer.from(JSON.stringify(each))),
    fc.uint8Array().map((each) => Buffer.from(each)),
  );
  fc.assert(
    fc.property(bytes, fc.boolean(), fc.boolean(), (payload, reportsFailures, hasWindow) => {
      const { failedFrom, state } = readAnswer(payload, sequenceNumbers, { reportsFailures, hasWindow });
      expect([undefined, 0, 1, 2]).toContain(failedFrom);
      if (state !== undefined) expect(JSON.parse(state)).toBeTypeOf("object");
      if (!reportsFailures && !hasWindow) expect(failedFrom).toBeUndefined();
    }),
    { numRuns: 300 },
  );
});

test("the lowest failure counts, and a state beside it is kept", () => {
  const answer = { state: { n: 1 }, batchItemFailures: [{ itemIdentifier: "3" }, { itemIdentifier: "2" }] };
  const read = readAnswer(Buffer.from(JSON.stringify(answer)), sequenceNumbers, {
    reportsFailures: true,
    hasWindow: true,
  });
  expect(read).toEqual({ failedFrom: 1, state: '{"n":1}' });
});
