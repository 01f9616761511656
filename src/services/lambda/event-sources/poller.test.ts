import { setImmediate } from "node:timers/promises";
import { beforeEach, describe, expect, test } from "vitest";
import { createFakeClock } from "../../../testing/fake-clock.ts";
import { AwsError } from "../../../aws/error.ts";
import { createFakeProcesses, fakeRecord, fakeSourceArn, type FakeProcesses } from "./fake-processes.ts";

const start = 1_800_000_000_000;
let p: FakeProcesses;

beforeEach(() => {
  p = createFakeProcesses(createFakeClock(start));
});

describe("records", () => {
  test("are handed over in order, in batches, and each batch once", async () => {
    p.add("a", "b", "c");
    await p.map({ batchSize: 2 });
    await p.run();
    expect(p.ids()).toEqual(["ab", "c"]);
    p.add("d");
    await p.settle();
    expect(p.ids()).toEqual(["ab", "c", "d"]);
  });

  test("that no filter lets pass are passed over and counted", async () => {
    p.add("a", "b", "a");
    await p.map({ filters: ['{"id":["b"]}', '{"id":["x"]}'], metrics: ["EventCount"] });
    await p.run();
    expect(p.ids()).toEqual(["b"]);
    expect(p.metrics).toMatchObject({ PolledEventCount: 3, FilteredOutEventCount: 2, InvokedEventCount: 1 });
  });

  test("go together up to the size of an event", async () => {
    const fill = "x".repeat(2.5e6);
    ["a", "b", "c"].forEach((id, index) => p.stream.push(fakeRecord(id, index + 1, start, { fill })));
    await p.map({});
    await p.run();
    expect(p.ids()).toEqual(["ab", "c"]);
  });

  test("of one item are handed over one after the other, others beside them", async () => {
    const items = Array.from({ length: 40 }, (_, n) => `${"abcdefgh"[n % 8]}`);
    p.add(...items);
    let most = 0;
    const busy = new Set<string>();
    p.handle = async ({ ids: handedIds }) => {
      for (const id of handedIds) {
        expect(busy.has(id)).toBe(false);
        busy.add(id);
      }
      most = Math.max(most, busy.size);
      await setImmediate();
      for (const id of handedIds) busy.delete(id);
    };
    await p.map({ batchSize: 1, parallelizationFactor: 4 });
    await p.run();
    expect(p.ids().toSorted().join("")).toBe(items.toSorted().join(""));
    expect(most).toBeGreaterThan(1);
  });

  test("wait for the batching window, or until the batch is full", async () => {
    await p.map({ batchSize: 3, batchingWindowSeconds: 10 });
    await p.run();
    p.add("a");
    await p.settle();
    await p.advance(9_000);
    expect(p.ids()).toEqual([]);
    await p.advance(1_000);
    expect(p.ids()).toEqual(["a"]);
    p.add("b", "c", "d");
    await p.settle();
    expect(p.ids()).toEqual(["a", "bcd"]);
  });

  test("that are too old are dropped, and told to the destination, without a run", async () => {
    p.add("a");
    p.clock.advance(61_000);
    p.add("b");
    await p.map({ maximumRecordAgeSeconds: 60, onFailure: "arn:aws:s3:::failures", metrics: ["EventCount"] });
    await p.run();
    expect(p.ids()).toEqual(["b"]);
    expect(p.put.map(({ record }) => record["requestContext"])).toMatchObject([
      { condition: "RecordAgeExceeded", approximateInvokeCount: 0 },
    ]);
    expect(p.metrics).toMatchObject({ DroppedEventCount: 1, OnFailureDestinationDeliveredEventCount: 1 });
  });
});

describe("a batch that fails", () => {
  test("is handed over again, with longer and longer waits, before anything else", async () => {
    p.add("a");
    let left = 3;
    p.handle = () => fails(left-- > 0);
    await p.map({});
    await p.run();
    p.add("b");
    expect(p.ids()).toEqual(["a"]);
    await p.advance(200);
    expect(p.ids()).toEqual(["a", "a"]);
    await p.advance(399);
    expect(p.ids()).toHaveLength(2);
    await p.advance(1);
    await p.advance(800);
    expect(p.ids()).toEqual(["a", "a", "a", "a", "b"]);
  });

  test("is given up after the retries, with its record in the bucket", async () => {
    p.add("a", "b");
    p.handle = ({ ids: [first] }) => fails(first === "a");
    await p.map({ maximumRetryAttempts: 1, onFailure: "arn:aws:s3:::failures", metrics: ["EventCount"] });
    await p.run();
    await p.advance(200);
    p.add("c");
    await p.settle();
    expect(p.ids()).toEqual(["ab", "ab", "c"]);
    expect(p.put).toEqual([
      {
        key: expect.stringMatching(/^aws\/lambda\/u\/shard\/2027\/01\/15\/2027-01-15T08\.00\.00-[0-9a-f-]{36}$/),
        record: {
          requestContext: {
            requestId: expect.any(String),
            functionArn: "arn:aws:lambda:us-east-1:000000000000:function:f",
            condition: "RetryAttemptsExhausted",
            approximateInvokeCount: 2,
          },
          responseContext: { statusCode: 200, executedVersion: "$LATEST", functionError: "Unhandled" },
          version: "1.0",
          timestamp: "2027-01-15T08:00:00.200Z",
          DDBStreamBatchInfo: {
            shardId: "shard",
            startSequenceNumber: "1",
            endSequenceNumber: "2",
            approximateArrivalOfFirstRecord: "2027-01-15T08:00:00Z",
            approximateArrivalOfLastRecord: "2027-01-15T08:00:00Z",
            batchSize: 2,
            streamArn: fakeSourceArn,
          },
          payload: '{"Records":[{"id":"a"},{"id":"b"}]}',
        },
      },
    ]);
    expect(p.metrics).toMatchObject({ InvokedEventCount: 5, FailedInvokeEventCount: 4, DroppedEventCount: 2 });
  });

  test("is divided until what fails is alone, without using up retries", async () => {
    p.add("a", "b", "c", "d", "e");
    p.handle = ({ ids: handedIds }) => fails(handedIds.includes("d"));
    await p.map({ bisectsBatches: true, maximumRetryAttempts: 1 });
    await p.run();
    expect(p.ids()).toEqual(["abcde", "abc", "de", "d"]);
    await p.advance(200);
    expect(p.ids()).toEqual(["abcde", "abc", "de", "d", "d", "e"]);
  });

  test("of a function that is throttled waits without using up retries", async () => {
    p.add("a");
    let left = 3;
    p.handle = () => {
      if (left-- > 0) throw new AwsError("TooManyRequestsException", 429, "Rate Exceeded.");
    };
    await p.map({ maximumRetryAttempts: 0 });
    await p.run();
    for (let n = 0; n < 3; n += 1) await p.advance(2_000);
    expect(p.ids()).toEqual(["a", "a", "a", "a"]);
    expect(await p.result()).toBe("OK");
  });

  test("is told as LastProcessingResult", async () => {
    await p.map({});
    await p.run();
    expect(await p.result()).toBeUndefined();
    p.handle = () => fails(true);
    p.add("a");
    await p.settle();
    expect(await p.result()).toBe("PROBLEM: Function call failed");
    p.handle = () => null;
    await p.advance(60_000);
    expect(await p.result()).toBe("OK");
  });
});

describe("an answer with batchItemFailures", () => {
  test("has what follows the first failure handed over again", async () => {
    p.add("a", "b", "c", "d");
    let first = true;
    p.handle = () => {
      const failed = first ? [{ itemIdentifier: "4" }, { itemIdentifier: "3" }] : [];
      first = false;
      return { batchItemFailures: failed };
    };
    await p.map({ reportsFailures: true });
    await p.run();
    await p.advance(200);
    expect(p.ids()).toEqual(["abcd", "cd"]);
  });

  test.each([null, {}, "", { batchItemFailures: [] }, { batchItemFailures: null }])("%j is success", async (answer) => {
    p.add("a", "b");
    p.handle = () => answer;
    await p.map({ reportsFailures: true });
    await p.run();
    await p.advance(60_000);
    expect(p.ids()).toEqual(["ab"]);
  });

  test.each([
    "ok",
    7,
    [],
    { batchItemFailures: "1" },
    { batchItemFailures: [{}] },
    { batchItemFailures: [{ itemIdentifier: "" }] },
    { batchItemFailures: [{ itemIdentifier: null }] },
    { batchItemFailures: [{ itemIdentifier: "2" }, { itemIdentifier: "9" }] },
    { batchItemFailures: [{ messageId: "2" }] },
  ])("%j is failure of the whole batch", async (answer) => {
    p.add("a", "b");
    p.handle = () => answer;
    await p.map({ reportsFailures: true, maximumRetryAttempts: 0 });
    await p.run();
    await p.advance(60_000);
    expect(p.ids()).toEqual(["ab"]);
    expect(await p.result()).toBe("PROBLEM: Function call failed");
  });

  test("counts for nothing where the mapping does not ask for it", async () => {
    p.add("a", "b");
    p.handle = () => ({ batchItemFailures: [{ itemIdentifier: "1" }] });
    await p.map({});
    await p.run();
    await p.advance(60_000);
    expect(p.ids()).toEqual(["ab"]);
  });
});

function fails(doesFail: boolean): null {
  if (doesFail) throw new Error("the function fails");
  return null;
}
