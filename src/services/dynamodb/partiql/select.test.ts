import { type ExecuteStatementCommandInput } from "@aws-sdk/client-dynamodb";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { refusalOf, startPartiqlPlatform, type PartiqlPlatform } from "../../../testing/partiql.ts";

let partiql: PartiqlPlatform;
let document: PartiqlPlatform["document"];

beforeAll(async () => {
  partiql = await startPartiqlPlatform();
  ({ document } = partiql);
});
afterAll(() => partiql.platform.stop());

const createTable: PartiqlPlatform["createTable"] = (more) => partiql.createTable(more);
const run: PartiqlPlatform["run"] = (...statement) => partiql.run(...statement);

const invalid = "ValidationException: ";

describe("a SELECT reads", () => {
  let T = "";
  beforeAll(async () => {
    T = await createTable();
    for (const pk of ["o", "p"])
      for (const sk of ["1", "2", "3"]) await document.put({ TableName: T, Item: { pk, sk, n: Number(sk) } });
  });
  const rows = async (where: string) =>
    ((await run(`SELECT pk, sk FROM "${T}" WHERE ${where}`)).Items ?? []).map(({ pk, sk }) => `${pk}/${sk}`);

  test.each([
    ["pk = 'o' ORDER BY sk DESC", "o/3 o/2 o/1"],
    ["pk = 'o' ORDER BY sk", "o/1 o/2 o/3"],
    // AWS: the sort key descends where the order does not name it.
    ["pk = 'o' ORDER BY pk ASC", "o/3 o/2 o/1"],
    ["pk IN ['o', 'p'] ORDER BY pk DESC, sk ASC", "p/1 p/2 p/3 o/1 o/2 o/3"],
    ["pk = 'o' AND sk > '1' AND sk <= '2'", "o/2"],
    ["pk = 'o' AND (sk = '3' OR sk = '1')", "o/1 o/3"],
    ["pk = 'o' AND sk IN ('3')", "o/3"],
    ["pk = 'o' AND (sk < '2' OR sk > '2' OR sk = '2')", "o/1 o/2 o/3"],
    ["'2' < sk AND 'p' = pk", "p/3"],
    ["pk = 'o' AND begins_with(sk, '2')", "o/2"],
    ["pk = 'o' AND sk BETWEEN '2' AND '9'", "o/2 o/3"],
    ["pk = 'o' AND NOT sk = '1' OR pk = 'o' AND sk = '2'", "o/2 o/3"],
    ["pk = 'o' OR pk = 'o' AND sk <> '1'", "o/1 o/2 o/3"],
    ["pk = 'o' AND pk = 'p'", ""],
    ["(pk = 'o' AND sk = '1') OR (pk = 'p' AND n > 2)", "o/1 p/3"],
  ])("%s", async (where, expected) => {
    expect((await rows(where)).join(" ")).toBe(expected);
  });

  test.each([
    ["ORDER BY sk", "Must have WHERE clause in the statement when using ORDER BY clause."],
    ["WHERE pk = 'o' ORDER BY n DESC", "Attribute n in ORDER BY clause must be part of the primary key"],
    [
      "WHERE pk > 'a' ORDER BY sk",
      "Must have at least one non-optional hash key condition in WHERE clause when using ORDER BY clause.",
    ],
    [
      "WHERE pk IN ['o', 'p'] ORDER BY sk DESC",
      "Must have hash key in ORDER BY clause when more than one hash key condition specified in WHERE clause.",
    ],
    ["WHERE pk IN ['o', 'o']", "Overlapping conditions with range keys are not supported in where clause"],
    [
      "WHERE pk = 'o' AND (sk > '0' OR sk < '5')",
      "Overlapping conditions with range keys are not supported in where clause",
    ],
    [
      "WHERE pk = 'o' AND (sk = '1' OR n = 2)",
      "Overlapping conditions with range keys are not supported in where clause",
    ],
    ["WHERE pk = 1", "Key attribute's data type should match its data type in table's schema: Key pk"],
    [
      "WHERE pk = 'o' AND sk IN ['1', 2]",
      "Key attribute's data type should match its data type in table's schema: Key sk",
    ],
    [
      `WHERE pk IN [${Array.from({ length: 51 }, (_, at) => `'${at}'`).join()}]`,
      "Too many decomposed read operations for a given query.",
    ],
    [
      `WHERE n IN [${Array.from({ length: 101 }, (_, at) => at).join()}]`,
      "The IN operator is provided with too many operands; number of operands: 101",
    ],
  ])("nothing %s", async (clauses, message) => {
    expect(await refusalOf(run(`SELECT * FROM "${T}" ${clauses}`))).toBe(invalid + message);
  });

  test("page by page, each token with its own statement", async () => {
    const page = (NextToken?: string, where = "pk IN ['o', 'p'] ORDER BY pk DESC") =>
      run(`SELECT pk, sk FROM "${T}" WHERE ${where}`, undefined, {
        Limit: 2,
        ...(NextToken !== undefined && { NextToken }),
      });
    const first = await page();
    expect([first.Items, first.LastEvaluatedKey]).toEqual([
      [
        { pk: "p", sk: "3" },
        { pk: "p", sk: "2" },
      ],
      { pk: "p", sk: "2" },
    ]);
    const second = await page(first.NextToken);
    expect(second.Items).toEqual([
      { pk: "p", sk: "1" },
      { pk: "o", sk: "3" },
    ]);
    const third = await page(second.NextToken);
    expect(third.Items).toEqual([
      { pk: "o", sk: "2" },
      { pk: "o", sk: "1" },
    ]);
    expect((await page(third.NextToken)).Items).toEqual([]);
    expect(await refusalOf(page(first.NextToken, "pk = 'o'"))).toBe(`${invalid}NextToken does not match request`);
    expect(await refusalOf(page("nonsense"))).toBe(`${invalid}Invalid NextToken`);
    const [digest] = JSON.parse(Buffer.from(first.NextToken ?? "", "base64").toString()) as unknown[];
    for (const forged of [
      [digest, 9, null],
      [digest, 0, { pk: { S: "o" }, sk: { S: "1" } }],
      [digest, 0, { x: 1 }],
      [digest],
    ]) {
      const token = Buffer.from(JSON.stringify(forged)).toString("base64");
      expect(await refusalOf(page(token))).toBe(`${invalid}Invalid NextToken`);
    }
    // One item by its whole key is all that there is.
    expect(
      (await run(`SELECT * FROM "${T}" WHERE pk='o' AND sk='1'`, undefined, { Limit: 1 })).NextToken,
    ).toBeUndefined();
  });

  test("ranges of an index whose key has several attributes, and of sort keys that are numbers", async () => {
    const names = ["p", "q", "s", "t"];
    const TableName = await createTable({
      AttributeDefinitions: ["pk", "sk", ...names].map((AttributeName) => ({
        AttributeName,
        AttributeType: AttributeName === "q" || AttributeName === "s" ? "N" : "S",
      })),
      GlobalSecondaryIndexes: [
        {
          IndexName: "many",
          KeySchema: names.map((AttributeName, at) => ({ AttributeName, KeyType: at < 2 ? "HASH" : "RANGE" })),
          Projection: { ProjectionType: "ALL" },
        },
      ],
    });
    for (let at = -3; at < 9; at += 1) {
      await document.put({ TableName, Item: { pk: "a", sk: String(at), p: "p", q: Math.abs(at % 2), s: at, t: "t" } });
    }
    const read = async (where: string) => {
      const Statement = `SELECT s FROM "${TableName}"."many" WHERE ${where}`;
      const { Items, ConsumedCapacity } = await run(Statement, undefined, {
        ReturnConsumedCapacity: "INDEXES",
        Limit: 4,
      });
      return [(Items ?? []).map((each) => Number(each["s"])).join(" "), ConsumedCapacity?.GlobalSecondaryIndexes];
    };
    const half = { many: { CapacityUnits: 0.5 } };
    expect(await read("p = 'p' AND q = 0 AND s > -2 AND s <= 6")).toEqual(["0 2 4 6", half]);
    expect(await read("p = 'p' AND q = 1 AND s = 7 AND t >= 'a'")).toEqual(["7", half]);
    expect(await read("p = 'p' AND q = 1 ORDER BY s DESC")).toEqual(["7 5 3 1", half]);
    expect(await read("p = 'p' AND q IN [0, 1] AND s IN [-3, 8] ORDER BY q DESC")).toEqual([
      "-3 8",
      { many: { CapacityUnits: 2 } },
    ]);
    // Half of the partition key is none.
    const scanned = await refusalOf(run(`SELECT s FROM "${TableName}"."many" WHERE p = 'p' ORDER BY s`));
    expect(scanned).toContain("Must have at least one non-optional hash key condition");
  });

  test("at the cost of a Query, or of a Scan", async () => {
    const cost = async (where: string, more: Partial<ExecuteStatementCommandInput> = {}) =>
      (await run(`SELECT * FROM "${T}" ${where}`, undefined, { ReturnConsumedCapacity: "TOTAL", ...more }))
        .ConsumedCapacity;
    expect(await cost("WHERE pk='o'")).toEqual({ TableName: T, CapacityUnits: 0.5 });
    expect(await cost("WHERE pk='o'", { ConsistentRead: true })).toEqual({ TableName: T, CapacityUnits: 1 });
    expect(await cost("WHERE pk IN ['o', 'p', 'q']")).toEqual({ TableName: T, CapacityUnits: 1.5 });
    expect(await cost("")).toEqual({ TableName: T, CapacityUnits: 0.5 });
  });
});

const names = (text: string) =>
  Object.fromEntries(
    ["pk", "sk", "s", "n"].filter((name) => new RegExp(`#${name}\\b`).test(text)).map((name) => [`#${name}`, name]),
  );

test("a SELECT finds what a Scan with the equal expression finds, in pages too", async () => {
  const T = await createTable();
  const pks = ["a", "b", "c"];
  const sks = ["1", "2", "3", "4"];
  for (const pk of pks)
    for (const sk of sks)
      await document.put({
        TableName: T,
        Item: { pk, sk, n: (Number(sk) * pk.charCodeAt(0)) % 5, ...(sk > "2" && { s: pk + sk }) },
      });
  const leaf = fc.oneof(
    fc.tuple(
      fc.constantFrom("pk", "sk", "s"),
      fc.constantFrom("=", "<>", "<", "<=", ">", ">="),
      fc.constantFrom(...pks, ...sks, "a3"),
    ),
    fc.tuple(fc.constant("n"), fc.constantFrom("=", "<>", "<", ">="), fc.integer({ min: 0, max: 4 })),
    fc.tuple(fc.constantFrom("pk", "sk", "s"), fc.constant("begins_with"), fc.constantFrom("a", "b", "1", "")),
    fc.tuple(fc.constantFrom("sk"), fc.constant("BETWEEN"), fc.constantFrom("1", "2")),
    fc.tuple(fc.constantFrom("pk", "sk"), fc.constant("IN"), fc.constantFrom("a", "1")),
    fc.tuple(fc.constant("s"), fc.constant("MISSING"), fc.constant("")),
  );
  type Tree =
    | { readonly leaf: readonly [string, string, string | number] }
    | { readonly join: "AND" | "OR"; readonly of: readonly Tree[] }
    | { readonly not: Tree };
  const { tree } = fc.letrec<{ tree: Tree }>((tie) => ({
    tree: fc.oneof(
      { depthSize: "small", withCrossShrink: true },
      leaf.map((found): Tree => ({ leaf: found })),
      fc
        .tuple(fc.constantFrom("AND" as const, "OR" as const), fc.array(tie("tree"), { minLength: 2, maxLength: 3 }))
        .map(([join, of]): Tree => ({ join, of })),
      tie("tree").map((not): Tree => ({ not })),
    ),
  }));
  const values: unknown[] = [];
  /** The condition in both languages; values are parameters in turn. */
  const write = (each: Tree, value: (found: unknown) => string, partiql: boolean): string => {
    if ("not" in each) return `(NOT ${write(each.not, value, partiql)})`;
    if ("join" in each) return `(${each.of.map((part) => write(part, value, partiql)).join(` ${each.join} `)})`;
    const [name, operator, operand] = each.leaf;
    const field = partiql ? `"${name}"` : `#${name}`;
    switch (operator) {
      case "begins_with":
        return `begins_with(${field}, ${value(operand)})`;
      case "BETWEEN":
        return `${field} BETWEEN ${value(operand)} AND ${value("3")}`;
      case "IN":
        return partiql
          ? `${field} IN [${value(operand)}, ${value("b")}]`
          : `${field} IN (${value(operand)}, ${value("b")})`;
      case "MISSING":
        return partiql ? `${field} IS MISSING` : `attribute_not_exists(${field})`;
      default:
        return `${field} ${operator} ${value(operand)}`;
    }
  };
  let compared = 0;
  await fc.assert(
    fc.asyncProperty(tree, fc.integer({ min: 2, max: 8 }), async (condition, Limit) => {
      values.length = 0;
      const Statement = `SELECT pk, sk FROM "${T}" WHERE ${write(condition, (found) => (values.push(found), "?"), true)}`;
      const bound: Record<string, unknown> = {};
      const FilterExpression = write(
        condition,
        (found) => {
          const name = `:v${Object.keys(bound).length}`;
          bound[name] = found;
          return name;
        },
        false,
      ).replace(/^\((.*)\)$/, "$1");
      const found: string[] = [];
      let NextToken: string | undefined;
      try {
        do {
          const page = await run(Statement, values.length > 0 ? [...values] : undefined, {
            Limit,
            ...(NextToken !== undefined && { NextToken }),
          });
          found.push(...(page.Items ?? []).map(({ pk, sk }) => `${pk}${sk}`));
          ({ NextToken } = page);
        } while (NextToken !== undefined);
      } catch (error) {
        // What PartiQL alone refuses.
        if (error instanceof Error && /Overlapping|Too many|empty string value/.test(error.message)) return;
        throw error;
      }
      const scanned = await document.scan({
        TableName: T,
        FilterExpression,
        ExpressionAttributeNames: names(FilterExpression),
        ...(Object.keys(bound).length > 0 && { ExpressionAttributeValues: bound }),
      });
      expect(found.toSorted(), Statement).toEqual((scanned.Items ?? []).map(({ pk, sk }) => `${pk}${sk}`).toSorted());
      compared += 1;
    }),
    { numRuns: 50 },
  );
  expect(compared).toBeGreaterThan(20);
}, 60_000);
