import type { OperationUpdate } from "@aws-sdk/client-lambda";
import fc from "fast-check";
import { expect, test } from "vitest";
import { checkUpdates, toUpdates } from "./checkpoint-rules.ts";
import type { OperationRecord, OperationStatus } from "./model.ts";
import { parseOutput } from "./output.ts";
import { replayed } from "./state.ts";

const facts = (id: string, status: OperationStatus, order = 1) => ({ v: 1 as const, id, order, status, startedAt: 0 });
const step = (status: OperationStatus): OperationRecord => ({
  ...facts("a", status),
  type: "STEP",
  attempt: 1,
  name: "n",
});
const wait = (status: OperationStatus): OperationRecord => ({
  ...facts("a", status),
  type: "WAIT",
  seconds: 1,
  endsAt: 1000,
});
const context = (status: OperationStatus): OperationRecord => ({
  ...facts("a", status),
  type: "CONTEXT",
  replayChildren: false,
});
const callback: OperationRecord = { ...facts("a", "STARTED"), type: "CALLBACK", callbackId: "c" };
const invoke: OperationRecord = { ...facts("a", "STARTED"), type: "CHAINED_INVOKE" };

const check = (updates: OperationUpdate[], ...operations: OperationRecord[]) =>
  checkUpdates(toUpdates(updates), new Map(operations.map((operation) => [operation.id, operation])));

const a = (Type: OperationUpdate["Type"], Action: OperationUpdate["Action"], more: Partial<OperationUpdate> = {}) => ({
  Id: "a",
  Type,
  Action,
  ...more,
});
const retry = { StepOptions: { NextAttemptDelaySeconds: 1 } };
const execution = { Id: "e", Type: "EXECUTION", Action: "SUCCEED" } as const;

test.each<[string, OperationUpdate[], OperationRecord[]]>([
  ["Cannot checkpoint multiple EXECUTION updates.", [execution, execution], []],
  ["EXECUTION checkpoint must be the last update.", [execution, a("STEP", "START")], []],
  ["Cannot checkpoint multiple operations with the same ID.", [a("STEP", "START"), a("STEP", "START")], []],
  ["Cannot checkpoint multiple operations with the same ID.", [a("STEP", "SUCCEED"), a("STEP", "SUCCEED")], []],
  ["Invalid parent operation id.", [a("STEP", "START", { ParentId: "nobody" })], []],
  ["Invalid parent operation id.", [{ ...a("STEP", "START"), Id: "b", ParentId: "a" }], [step("STARTED")]],
  ["Inconsistent operation type.", [a("STEP", "START")], [wait("STARTED")]],
  ["Inconsistent operation name.", [a("STEP", "SUCCEED", { Name: "other" })], [step("STARTED")]],
  ["Inconsistent operation subtype.", [a("STEP", "SUCCEED", { SubType: "Other" })], [step("STARTED")]],
  [
    "Inconsistent parent operation id.",
    [{ ...a("CONTEXT", "START"), Id: "p" }, a("STEP", "SUCCEED", { ParentId: "p" })],
    [step("STARTED")],
  ],
  ["Invalid action for the given operation type.", [a("WAIT", "SUCCEED")], []],
  ["Invalid action for the given operation type.", [a("CALLBACK", "FAIL")], []],
  ["Invalid action for the given operation type.", [a("CHAINED_INVOKE", "CANCEL")], []],
  ["Cannot provide a Payload for FAIL action.", [a("STEP", "FAIL", { Payload: "1" })], []],
  ["Cannot provide an Error for SUCCEED action.", [a("CONTEXT", "SUCCEED", { Error: {} })], []],
  ["Invalid current STEP state to start.", [a("STEP", "START")], [step("STARTED")]],
  ["Invalid current STEP state to close.", [a("STEP", "SUCCEED")], [step("PENDING")]],
  ["Invalid current STEP state to re-attempt.", [a("STEP", "RETRY", retry)], [step("FAILED")]],
  ["Invalid StepOptions for the given action.", [a("STEP", "RETRY")], [step("STARTED")]],
  [
    "Cannot provide both error and payload to RETRY a STEP.",
    [a("STEP", "RETRY", { ...retry, Error: {}, Payload: "" })],
    [],
  ],
  ["Cannot start a CONTEXT that already exist.", [a("CONTEXT", "START")], [context("STARTED")]],
  ["Invalid current CONTEXT state to close.", [a("CONTEXT", "FAIL")], [context("SUCCEEDED")]],
  [
    "Cannot start a WAIT that already exist.",
    [a("WAIT", "START", { WaitOptions: { WaitSeconds: 1 } })],
    [wait("STARTED")],
  ],
  ["Cannot cancel a WAIT that does not exist or has already completed.", [a("WAIT", "CANCEL")], []],
  ["Cannot cancel a WAIT that does not exist or has already completed.", [a("WAIT", "CANCEL")], [wait("SUCCEEDED")]],
  ["Cannot start a CALLBACK that already exist.", [a("CALLBACK", "START")], [callback]],
  ["Cannot start a CHAINED_INVOKE operation that already exists.", [a("CHAINED_INVOKE", "START")], [invoke]],
  ["Update for CHAINED_INVOKE operation requires ChainedInvokeOptions.", [a("CHAINED_INVOKE", "START")], []],
  [
    "STEP output payload size must be less than or equal to 1048576 bytes.",
    [a("STEP", "SUCCEED", { Payload: "x".repeat(1_048_577) })],
    [],
  ],
  [
    "CHAINED_INVOKE input payload size must be less than or equal to 1048576 bytes.",
    [a("CHAINED_INVOKE", "START", { Payload: "é".repeat(524_289) })],
    [],
  ],
])("a checkpoint is refused: %s", (message, updates, operations) => {
  expect(() => check(updates, ...operations)).toThrow(message);
});

test.each<[string, OperationUpdate[], OperationRecord[]]>([
  ["a step that starts and succeeds at once", [a("STEP", "START"), a("STEP", "SUCCEED")], []],
  ["a step that never said that it started", [a("STEP", "FAIL", { Error: {} })], []],
  [
    "an operation in a context that starts with it",
    [a("CONTEXT", "START"), { ...a("STEP", "START"), Id: "b", ParentId: "a" }],
    [],
  ],
  ["the next attempt of a step", [a("STEP", "START")], [step("READY")]],
  ["the end of a wait", [a("WAIT", "CANCEL")], [wait("STARTED")]],
])("a checkpoint may hold %s", (_what, updates, operations) => {
  check(updates, ...operations);
});

test("only what lies in no ended context is replayed, however deep", () => {
  const node = fc.record({ parent: fc.nat(20), ended: fc.boolean(), replayChildren: fc.boolean() });
  fc.assert(
    fc.property(fc.array(node, { maxLength: 20 }), (nodes) => {
      const operations = nodes.map(({ parent, ended, replayChildren }, index): OperationRecord => ({
        ...facts(`c${index}`, ended ? "SUCCEEDED" : "STARTED", index),
        ...(ended && { endedAt: 1 }),
        ...(parent < index && { parentId: `c${parent}` }),
        type: "CONTEXT",
        replayChildren,
      }));
      const kept = new Set(replayed(operations).map(({ id }) => id));
      for (const { id, parentId } of operations) {
        const above = operations.find((each) => each.id === parentId);
        const open =
          !above ||
          (kept.has(above.id) && (above.endedAt === undefined || above.type !== "CONTEXT" || above.replayChildren));
        expect(kept.has(id)).toBe(open);
      }
    }),
  );
});

test("whatever a function answers ends or goes on, and never throws", () => {
  const answer = fc.oneof(
    fc.json(),
    fc.string(),
    fc
      .record({
        Status: fc.constantFrom("SUCCEEDED", "FAILED", "PENDING", 1),
        Result: fc.jsonValue(),
        Error: fc.jsonValue(),
      })
      .map((value) => JSON.stringify(value)),
  );
  fc.assert(
    fc.property(answer, (text) => {
      expect(["SUCCEEDED", "FAILED", "PENDING"]).toContain(parseOutput(Buffer.from(text), 10).status);
    }),
  );
});
