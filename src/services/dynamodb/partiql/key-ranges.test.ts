import { describe, expect, test } from "vitest";
import type { TableRecord } from "../model.ts";
import { toTable } from "../tables/table.ts";
import { createStatements } from "./compile.ts";
import { planRead } from "./key-ranges.ts";

const place = { account: "000000000000", region: "us-east-1" };
const pk = { name: "pk", type: "S" } as const;
const sk = { name: "sk", type: "S" } as const;
const record: TableRecord = {
  v: 1,
  name: "tab",
  tableId: "id",
  storeId: "store",
  generation: 1,
  status: "ACTIVE",
  createdAt: 0,
  attributes: [pk, sk],
  key: { hash: [pk], range: [sk] },
  indexes: [],
  billingMode: "PAY_PER_REQUEST",
  throughput: { read: 0, write: 0 },
  tags: {},
  deletionProtection: false,
  itemCount: 0,
  bytes: 0,
};
const table = toTable(place, record);
const statements = createStatements();

function plan(where: string) {
  const compiled = statements.compile({ Statement: `SELECT * FROM tab WHERE ${where}` }, [], place);
  if (compiled.kind !== "select") throw new TypeError("It is a SELECT");
  return planRead(table, undefined, compiled.where, compiled.order);
}

const values = (count: number) => Array.from({ length: count }, (_each, at) => `'${at}'`).join();

describe("what a condition reads", () => {
  test.each([
    ["pk = 'a'", 1],
    ["pk = 'a' AND sk = '1'", 1],
    ["pk IN ['a', 'b'] AND sk IN ['1', '2', '3']", 6],
    ["pk = 'a' AND (n = 1 OR m = 2)", 1],
    ["pk = 'a' AND pk = 'b'", 0],
    ["pk = 'a' AND sk > '5' AND sk < '3'", 0],
    ["(pk = 'a' AND sk < '1') OR (pk = 'a' AND sk >= '1') OR pk = 'b'", 3],
    [`pk IN [${values(50)}]`, 50],
  ])("%s: so many ranges", (where, count) => {
    const { ranges, isScan } = plan(where);
    expect([ranges.length, isScan]).toEqual([count, false]);
  });

  test.each([
    "n = 1",
    "pk > 'a'",
    "pk = 'a' OR n = 1",
    "NOT pk = 'a'",
    "pk <> 'a'",
    "sk = '1'",
    "pk = n",
    "size(pk) = 1",
  ])("%s: everything", (where) =>
    expect(plan(where)).toMatchObject({ isScan: true, leading: [], ranges: [{ single: false }] }),
  );

  test("one item by its whole key, and leading keys", () => {
    expect(plan("pk = 'a' AND sk = '1'").ranges[0]?.single).toBe(true);
    expect(plan("pk = 'a' AND sk >= '1'").ranges[0]?.single).toBe(false);
    expect(plan("(pk = 'a' AND n = 1) OR pk IN ('b')").leading).toEqual([{ S: "a" }, { S: "b" }]);
  });
});

test("conditions that are made to take long do not", () => {
  const tooMany = "Too many decomposed read operations";
  expect(() => plan(`pk IN [${values(25)}] AND sk IN [${values(40)}]${" AND pk='a'".repeat(600)}`)).toThrow(tooMany);
  expect(() => plan(`(pk='a' OR pk='b')${" AND (pk='a' OR pk='b')".repeat(330)}`)).toThrow(tooMany);
  expect(() => plan(`pk='a'${" OR pk='a'".repeat(750)}`)).toThrow(tooMany);
  expect(plan(`pk='a'${" AND pk='a'".repeat(700)}`).ranges).toHaveLength(1);
  expect(plan(`n=1${" OR n=1".repeat(1_100)}`).isScan).toBe(true);
});
