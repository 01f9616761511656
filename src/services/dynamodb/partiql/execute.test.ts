import { ExecuteStatementCommand } from "@aws-sdk/client-dynamodb";
import {
  DescribeStreamCommand,
  DynamoDBStreamsClient,
  GetRecordsCommand,
  GetShardIteratorCommand,
  ListStreamsCommand,
} from "@aws-sdk/client-dynamodb-streams";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { refusalOf, startPartiqlPlatform, type PartiqlPlatform } from "../../../testing/partiql.ts";

let partiql: PartiqlPlatform;
let client: PartiqlPlatform["client"];
let document: PartiqlPlatform["document"];

beforeAll(async () => {
  partiql = await startPartiqlPlatform();
  ({ client, document } = partiql);
});
afterAll(() => partiql.platform.stop());

const createTable: PartiqlPlatform["createTable"] = (more) => partiql.createTable(more);
const run: PartiqlPlatform["run"] = (...statement) => partiql.run(...statement);

const invalid = "ValidationException: ";

describe("what the developer guide shows", () => {
  test("INSERT, UPDATE of every kind of attribute, and SELECT", async () => {
    const T = await createTable();
    const inserted = await client.send(
      new ExecuteStatementCommand({
        Statement: `INSERT INTO "${T}" value {'pk':'dt','sk':'1','N':1, 'M':{'e1':'value','e2':4}, 'L':[1,'stringval'],
          'NS':<<1,34,32,4.5>>, 'SS':<<'stringval','stringval2'>>}`,
      }),
    );
    expect(inserted.Items).toEqual([]);
    await run(`UPDATE "${T}" SET N=N + 100 SET M.New=[2020, 'stringvalue', 2.4] SET L = LIST_APPEND(L, [4, <<'s1', 's2'>>])
      SET NS = SET_ADD(NS, <<345, 48.4>>) SET SS = SET_ADD(SS, <<'a', 'b'>>) WHERE pk='dt' AND sk='1'`);
    await run(`UPDATE "${T}" SET N=N - 1 REMOVE L[1] REMOVE M.New SET NS = SET_DELETE( NS, <<345>>)
      SET SS = SET_DELETE( SS, <<'a'>>) WHERE pk='dt' AND sk='1'`);
    const { Items } = await run(`SELECT * FROM "${T}" WHERE pk='dt' AND sk='1'`);
    expect(Items).toEqual([
      {
        pk: "dt",
        sk: "1",
        N: 100,
        M: { e1: "value", e2: 4 },
        L: [1, 4, new Set(["s1", "s2"])],
        NS: new Set([1, 34, 32, 4.5, 48.4]),
        SS: new Set(["stringval", "stringval2", "b"]),
      },
    ]);
  });

  test("RETURNING answers what was and what is", async () => {
    const T = await createTable();
    await document.put({
      TableName: T,
      Item: { pk: "a", sk: "1", v: "old", keep: 1, m: { a: 1, b: 2 }, l: ["x", "y", "z"] },
    });
    const update = async (clauses: string, returning: string) =>
      (await run(`UPDATE "${T}" ${clauses} WHERE pk='a' AND sk='1' RETURNING ${returning} *`)).Items;
    expect(await update("SET v = 'new'", "MODIFIED OLD")).toEqual([{ v: "old" }]);
    expect(await update("SET m.a = 5", "MODIFIED NEW")).toEqual([{ m: { a: 5 } }]);
    expect(await update("SET l[2] = 'c', l[0] = 'a'", "MODIFIED NEW")).toEqual([{ l: ["a", "c"] }]);
    expect(await update("REMOVE l[1]", "MODIFIED NEW")).toEqual([{ l: ["c"] }]);
    expect(await update("SET fresh = 1", "MODIFIED OLD")).toEqual([]);
    expect(await update("REMOVE fresh", "MODIFIED NEW")).toEqual([]);
    expect(await update("SET v = 'x'", "ALL OLD")).toMatchObject([{ pk: "a", v: "new", keep: 1 }]);
    expect(await update("SET v = 'y'", "ALL NEW")).toMatchObject([{ pk: "a", v: "y", keep: 1 }]);
    const gone = await run(`DELETE FROM "${T}" WHERE pk='a' AND sk='1' RETURNING ALL OLD *`);
    expect(gone.Items).toMatchObject([{ v: "y" }]);
    expect((await run(`DELETE FROM "${T}" WHERE pk='a' AND sk='1' RETURNING ALL OLD *`)).Items).toEqual([]);
  });

  test("functions, IS, and what is MISSING", async () => {
    const T = await createTable();
    await document.put({
      TableName: T,
      Item: {
        pk: "fn-1",
        sk: "1",
        Address: "24th Kirkland",
        tags: new Set(["a"]),
        Total: 400,
        nul: null,
        Image: new Uint8Array(400),
        yes: true,
      },
    });
    await document.put({ TableName: T, Item: { pk: "fn-2", sk: "1", Total: 550, m: { x: 1 } } });
    const keys = async (where: string) =>
      ((await run(`SELECT pk FROM "${T}" WHERE pk IN ['fn-1', 'fn-2'] AND ${where}`)).Items ?? [])
        .map(({ pk }) => pk)
        .toSorted();
    for (const [where, ...expected] of [
      ["contains(\"Address\", 'Kirkland')", "fn-1"],
      ["contains(tags, 'a')", "fn-1"],
      ["attribute_type(Total, 'N')", "fn-1", "fn-2"],
      ["size(Image) > 300", "fn-1"],
      ["Total != 400", "fn-2"],
      ["Total BETWEEN 500 AND 600", "fn-2"],
      ["Total NOT IN (400, 1)", "fn-2"],
      ["nul IS NULL", "fn-1"],
      ["nul IS NOT NULL", "fn-2"],
      ["absent IS NULL"],
      ["m IS MISSING", "fn-1"],
      ["m.x IS NOT MISSING AND m IS STRUCT", "fn-2"],
      ["NOT begins_with(Address, '24')", "fn-2"],
      ["attribute_exists(nul) = false", "fn-2"],
      ["(Total = 400) <> attribute_exists(m)", "fn-1", "fn-2"],
      ["attribute_exists(Address) = yes", "fn-1"],
      ["(Total = 5 OR Total > 500) = false", "fn-1"],
    ] as const) {
      expect(await keys(where), where).toEqual(expected);
    }
  });
});

describe("a statement that writes", () => {
  test("names one item, which INSERT makes, UPDATE finds and DELETE may miss", async () => {
    const T = await createTable();
    await run(`INSERT INTO "${T}" VALUE {'pk': ?, 'sk': ?, 'v': ?}`, ["a", "1", { deep: [1] }]);
    expect(await refusalOf(run(`INSERT INTO "${T}" VALUE {'pk': 'a', 'sk': '1'}`))).toBe(
      "DuplicateItemException: Duplicate primary key exists in table",
    );
    const failed = "ConditionalCheckFailedException: The conditional request failed";
    expect(await refusalOf(run(`UPDATE "${T}" SET v = 1 WHERE pk='none' AND sk='1'`))).toBe(failed);
    expect(await refusalOf(run(`UPDATE "${T}" SET v = 1 WHERE pk='a' AND sk='1' AND v = 2`))).toBe(failed);
    expect(await refusalOf(run(`DELETE FROM "${T}" WHERE pk='a' AND sk='1' AND v = 2`))).toBe(failed);
    await run(`DELETE FROM "${T}" WHERE pk='none' AND sk='1' AND v = 2`);
    await run(`UPDATE "${T}" SET v = 3 WHERE (pk='a' AND sk='1') AND v.deep[0] = 1 AND pk = 'a'`);
    expect((await run(`SELECT v FROM "${T}"`)).Items).toEqual([{ v: 3 }]);
  });

  test("answers the item whose condition did not hold, where it is asked to", async () => {
    const T = await createTable();
    await document.put({ TableName: T, Item: { pk: "a", sk: "1", v: 1 } });
    const update = run(`UPDATE "${T}" SET v = 2 WHERE pk='a' AND sk='1' AND v = 5`, undefined, {
      ReturnValuesOnConditionCheckFailure: "ALL_OLD",
    });
    await expect(update).rejects.toMatchObject({ name: "ConditionalCheckFailedException", Item: { v: { N: "1" } } });
  });

  test.each([
    ["UPDATE T SET v = 1 WHERE pk='a'", "Where clause does not contain a mandatory equality on all key attributes"],
    ["UPDATE T SET v = 1", "Where clause does not contain a mandatory equality on all key attributes"],
    ["FROM T WHERE v = 1 SET c = 1", "Where clause does not contain a mandatory equality on all key attributes"],
    [
      "DELETE FROM T WHERE pk IN ['a'] AND sk='1'",
      "Where clause does not contain a mandatory equality on all key attributes",
    ],
    [
      "DELETE FROM T WHERE pk='a' AND sk='1' AND pk='b'",
      "Multiple conditions on same key pk. Only single item Update/Insert/Delete are supported",
    ],
    ["DELETE FROM T WHERE pk='a' AND sk=1", "The provided key element does not match the schema"],
    [
      "UPDATE T SET sk = '2' WHERE pk='a' AND sk='1'",
      "One or more parameter values were invalid: Cannot update attribute sk. This attribute is part of the key",
    ],
    [
      "UPDATE T SET none[0] = 'x' WHERE pk='a' AND sk='1'",
      "The document path provided in the update expression is invalid for update",
    ],
    [
      "UPDATE T SET v = none + 1 WHERE pk='a' AND sk='1'",
      "The provided expression refers to an attribute that does not exist in the item",
    ],
    [
      "UPDATE T SET s = set_add(s, <<1>>) WHERE pk='a' AND sk='1'",
      "An operand in the update expression has an incorrect data type",
    ],
    ["INSERT INTO T VALUE {'pk': 'a'}", "One or more parameter values were invalid: Missing the key sk in the item"],
    [
      "INSERT INTO T VALUE {'pk': 1, 'sk': '1'}",
      "One or more parameter values were invalid: Type mismatch for key pk expected: S actual: N",
    ],
    ["UPDATE T.idx SET v = 1 WHERE pk='a' AND sk='1'", "This operation is not supported on an index"],
    [
      "EXISTS(SELECT * FROM T WHERE pk='a' AND sk='1' AND v = 1)",
      "EXISTS can only be used in ExecuteTransaction write requests.",
    ],
    ["SELECT * FROM T.none WHERE pk='a'", "The table does not have the specified index"],
  ])("%s", async (text, message) => {
    const T = await createTable();
    await document.put({ TableName: T, Item: { pk: "a", sk: "1", s: new Set(["x"]) } });
    expect(await refusalOf(run(text.replace(/\bT\b/, `"${T}"`)))).toBe(invalid + message);
  });

  test("makes no item that is nested too deeply", async () => {
    const T = await createTable();
    await document.put({ TableName: T, Item: { pk: "a", sk: "1", m: {} } });
    const nested = (levels: number): unknown => (levels === 0 ? "x" : { a: nested(levels - 1) });
    const update = (levels: number) => run(`UPDATE "${T}" SET m.deep = ? WHERE pk='a' AND sk='1'`, [nested(levels)]);
    expect(await refusalOf(update(31))).toBe(`${invalid}Nesting Levels have exceeded supported limits`);
    await update(30);
  });

  test("refuses a table that is not there, and parameters before anything else", async () => {
    for (const text of [
      "SELECT * FROM none",
      "INSERT INTO none VALUE {'a': 1}",
      "UPDATE none SET a = 1",
      "DELETE FROM none",
    ]) {
      expect(await refusalOf(run(text))).toBe("ResourceNotFoundException: Requested resource not found");
    }
    const duplicates = client.send(
      new ExecuteStatementCommand({ Statement: "UPDATE SET WHERE", Parameters: [{ SS: ["a", "a"] }] }),
    );
    expect(await refusalOf(duplicates)).toBe(
      `${invalid}One or more parameter values were invalid: Input collection [a, a] contains duplicates.`,
    );
  });

  test("is a change of its stream and its indexes, as any other", async () => {
    const T = await createTable({
      StreamSpecification: { StreamEnabled: true, StreamViewType: "NEW_AND_OLD_IMAGES" },
      AttributeDefinitions: ["pk", "sk", "g", "l"].map((AttributeName) => ({ AttributeName, AttributeType: "S" })),
      GlobalSecondaryIndexes: [
        {
          IndexName: "gsi-inc",
          KeySchema: [{ AttributeName: "g", KeyType: "HASH" }],
          Projection: { ProjectionType: "INCLUDE", NonKeyAttributes: ["p"] },
        },
      ],
      LocalSecondaryIndexes: [
        {
          IndexName: "lsi-keys",
          KeySchema: [
            { AttributeName: "pk", KeyType: "HASH" },
            { AttributeName: "l", KeyType: "RANGE" },
          ],
          Projection: { ProjectionType: "KEYS_ONLY" },
        },
      ],
    });
    await run(`INSERT INTO "${T}" VALUE {'pk': 'a', 'sk': '1', 'g': 'x', 'l': 'k1', 'p': 'in', 'u': 'out'}`);
    await run(`INSERT INTO "${T}" VALUE {'pk': 'a', 'sk': '2', 'u': 'out'}`);
    const index = async (projection: string, rest: string) =>
      (await run(`SELECT ${projection} FROM "${T}".${rest}`)).Items;
    expect(await index("*", `"gsi-inc" WHERE g = 'x'`)).toEqual([{ pk: "a", sk: "1", g: "x", p: "in" }]);
    expect(await index("*", `"lsi-keys" WHERE pk = 'a'`)).toEqual([{ pk: "a", sk: "1", l: "k1" }]);
    expect(await index("u", `"lsi-keys" WHERE pk = 'a' ORDER BY l DESC`)).toEqual([{ u: "out" }]);
    expect(await index("sk", `"gsi-inc" WHERE u = 'out'`)).toEqual([]);
    expect(await index("sk", `"gsi-inc" WHERE NOT u = 'out'`)).toEqual([{ sk: "1" }]);
    expect(await index("sk", `"gsi-inc" WHERE (g = 'x' AND u = 'out') OR g = 'y'`)).toEqual([]);
    const refused = async (text: string, more = {}) => await refusalOf(run(text, undefined, more));
    const values = `${invalid}One or more parameter values were invalid: `;
    expect(await refused(`SELECT u FROM "${T}"."gsi-inc" WHERE g = 'x'`)).toBe(
      `${values}Global secondary index gsi-inc does not project [u]`,
    );
    for (const kind of [`"gsi-inc" WHERE g = 'x'`, `"lsi-keys" WHERE pk = 'a'`]) {
      expect(await refused(`SELECT pk FROM "${T}".${kind} AND u = 'out'`)).toBe(
        `${values}Secondary index ${kind.slice(1, kind.indexOf('"', 1))} does not project one or more filter attributes: [u]`,
      );
    }
    expect(await refused(`SELECT * FROM "${T}"."gsi-inc" WHERE g = 'x'`, { ConsistentRead: true })).toBe(
      `${invalid}Strongly consistent read is not supported on Global Secondary Indexes`,
    );
    await run(`UPDATE "${T}" SET g = 'y' WHERE pk='a' AND sk='1'`);
    await run(`DELETE FROM "${T}" WHERE pk='a' AND sk='2'`);
    expect(await index("sk", `"gsi-inc" WHERE g IN ['x', 'y']`)).toEqual([{ sk: "1" }]);

    const streams = new DynamoDBStreamsClient(partiql.platform.settings);
    const StreamArn = (await streams.send(new ListStreamsCommand({ TableName: T }))).Streams?.[0]?.StreamArn;
    const ShardId = (await streams.send(new DescribeStreamCommand({ StreamArn }))).StreamDescription?.Shards?.[0]
      ?.ShardId;
    const { ShardIterator } = await streams.send(
      new GetShardIteratorCommand({ StreamArn, ShardId, ShardIteratorType: "TRIM_HORIZON" }),
    );
    const { Records } = await streams.send(new GetRecordsCommand({ ShardIterator }));
    expect(Records?.map(({ eventName }) => eventName)).toEqual(["INSERT", "INSERT", "MODIFY", "REMOVE"]);
  });
});
