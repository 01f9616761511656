import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { AwsError } from "../../../aws/error.ts";
import { createStatements } from "./compile.ts";
import { parseStatement } from "./statement-parser.ts";

const place = { account: "000000000000", region: "us-east-1" };
const statements = createStatements();

const compile = (Statement: string, ...Parameters: unknown[]) => {
  const input = { Statement, Parameters };
  return statements.compile(input, statements.parameters(input), place);
};

function refusalOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof AwsError && error.code === "ValidationException") return error.message;
    throw error;
  }
  return "";
}

const malformed = "Statement wasn't well formed, can't be processed: ";
const leftover = `${malformed}Unexpected token after expression`;

const nested = (levels: number) => `INSERT INTO tab VALUE {'d': ${"{'a':".repeat(levels)}1${"}".repeat(levels)}}`;

describe("a statement is refused", () => {
  test.each([
    ["SLECT * FROM tab", `${malformed}Expected data manipulation`],
    ["", `${malformed}Expected data manipulation`],
    ["SELECT * FROM tab WHERE pk = 1 foo", leftover],
    ["SELECT * FROM tab WHERE pk = 1 e5", leftover],
    ["INSERT INTO tab VALUE {'pk': 1} foo", leftover],
    ["UPDATE tab SET a = 9 WHERE pk = 1 foo", leftover],
    ["DELETE FROM tab WHERE pk = 1 ORDER BY pk", leftover],
    ["SELECT * FROM tab ORDER BY pk WHERE pk = 1", leftover],
    ["SELECT * FROM tab WHERE pk = 1)", leftover],
    ["INSERT INTO tab t VALUE {'pk': 'x'}", leftover],
    ["FROM tab SET c = 1 WHERE pk = 'x'", leftover],
    ["SELECT * FROM tab WHERE pk = 1e2147483648", malformed],
    ["SELECT * FROM tab WHERE pk = 1.5e-2147483647", malformed],
    ["SELECT * FROM tab WHERE pk = 1 # note", malformed],
    ["SELECT * FROM tab WHERE pk = 1 /* note", malformed],
    ["SELECT * FROM tab t WHERE pk = 'x'", "Aliasing is not supported"],
    ["SELECT * FROM tab AS t WHERE pk = 'x'", "Aliasing is not supported"],
    ["SELECT a AS b FROM tab", "Aliasing is not supported"],
    ["UPDATE tab t SET a = 3 WHERE pk = 'x'", "Aliasing is not supported"],
    ["DELETE FROM tab t WHERE pk = 'x'", "Aliasing is not supported"],
    ["SELECT * FROM tab WHERE", `${malformed}Unexpected term`],
    ["SELECT * FROM tab WHERE;", `${malformed}Unexpected term`],
    ["SELECT * FROM tab WHERE NOT", `${malformed}Unexpected term`],
    ["SELECT * FROM tab WHERE (", `${malformed}Unexpected term`],
    ["SELECT * FROM", `${malformed}Unexpected term`],
    ["SELECT * FROM tab WHERE pk = 'p1' AND", `${malformed}Missing right-hand side expression of infix operator`],
    ["SELECT * FROM tab WHERE ORDER BY pk", `${malformed}Unexpected keyword`],
    ["SELECT * FROM tab WHERE name = 1 AND key = 2", `${malformed}Unexpected keyword`],
    ["SELECT * FROM tab WHERE IS NULL", `${malformed}Unexpected operator`],
    ["SELECT * FROM tab WHERE pk = LIKE", `${malformed}Unexpected operator`],
    ["SELECT * FROM tab WHERE pk = 'a' AND x IS FOO", `${malformed}Expected type name`],
    ["SELECT * FROM tab WHERE attribute_exists(m.inner)", `${malformed}Invalid path dot component`],
    ["DELETE FROM WHERE pk = 'a'", `${malformed}Expected identifier for simple path`],
    ["DELETE FROM", `${malformed}Expected identifier for simple path`],
    ['SELECT * FROM "tab"."a"."b"', "A path may contain at most 2 components in the FROM clause"],
    ['SELECT * FROM "tab".""', "Path component cannot be an empty string"],
    ['SELECT * FROM ""', "Path component cannot be an empty string"],
    ["SELECT *, a FROM tab", "Other attributes should not be present in the projection when '*' is used."],
    ["SELECT * FROM tab, other", "Only select from a single table or index is supported."],
    ["SELECT VALUE a FROM tab", "Select projection doesn't support value or pivot keywords"],
    ["SELECT a, b.a FROM tab", "Duplicate identifiers in select clause: a"],
    ["SELECT attribute_exists(ss) FROM tab", "Unexpected path component at 1:8:16"],
    ["SELECT a[*] FROM tab", "Wildcard path component like a[*].b are not supported"],
    ["SELECT l[-1] FROM tab", "List index is not within the allowable range; index: [-1] at 1:10:1"],
    ["SELECT l[2147483648] FROM tab", "List index is not within the allowable range; index: [2147483648] at 1:10:10"],
    [
      "SELECT * FROM ta",
      "Table name should be within the length [3, 255] and only contain 'a-z', 'A-Z', '0-9', '-', '_', '.'.",
    ],
    ["SELECT * FROM tab LIMIT 5", "Unsupported clause: LIMIT"],
    ["SELECT * FROM tab WHERE a", "WHERE clause must contain an expression that resolves to a boolean"],
    ["SELECT * FROM tab WHERE a = 1 AND b", "The arguments to AND/OR must be Expressions"],
    ["SELECT * FROM tab WHERE NOT b", "The argument to NOT must be a Type or Expression"],
    ["SELECT * FROM tab WHERE a = missing", "MISSING must be compared using IS operator"],
    ["SELECT * FROM tab WHERE a + 1 = 2", "Unsupported operator in Condition Expression. Operator: +"],
    ["SELECT * FROM tab WHERE a LIKE 'x'", "Unsupported operator in Condition Expression. Operator: LIKE"],
    ["SELECT * FROM tab WHERE a > -?", "Unsupported operator in Condition Expression. Operator: -"],
    ["SELECT * FROM tab WHERE EXISTS(ss)", "Unrecognized function: exists at 1:25:6"],
    ["SELECT * FROM tab WHERE set_add(ss, <<'x'>>) = ss", "Unrecognized function: set_add at 1:25:7"],
    ["SELECT * FROM tab WHERE a = <<>>", "Empty bags are not supported"],
    [
      "SELECT * FROM tab WHERE a = 1e126",
      "Number overflow. Attempting to store a number with magnitude larger than supported range under root",
    ],
    [
      "SELECT * FROM tab WHERE a > true",
      "Incorrect operand type for operator or function; operator or function: >, operand type: BOOL",
    ],
    [
      "SELECT * FROM tab WHERE attribute_exists()",
      "Incorrect number of operands for operator or function; operator or function: attribute_exists, number of operands: 0",
    ],
    [
      "SELECT * FROM tab WHERE attribute_exists('ss')",
      "Operator or function requires a document path; operator or function: attribute_exists",
    ],
    [
      "SELECT * FROM tab WHERE attribute_type(l, 1)",
      "Incorrect operand type for operator or function; operator or function: attribute_type, operand type: N",
    ],
    [
      "INSERT INTO tab VALUE ?",
      "Unsupported format in item expression. Please use struct format {...} to express item values for insert statement.",
    ],
    [
      "INSERT INTO tab <<{'a': 1}>>",
      'Unsupported operation: Inserting multiple items in a single statement is not supported, use "INSERT INTO tableName VALUE item" instead',
    ],
    ["INSERT INTO tab VALUE {'a': 1} RETURNING ALL OLD *", "RETURNING is not supported in INSERT"],
    ["INSERT INTO tab VALUE {'a': 1, 'a': 2}", "Duplicate keys in tuple. Key: a under root"],
    [
      "INSERT INTO tab VALUE {'m': {'x': 1e126}}",
      "Number overflow. Attempting to store a number with magnitude larger than supported range under root.x",
    ],
    [
      "INSERT INTO tab VALUE {'l': [1, 1e-131]}",
      "Number underflow. Attempting to store a number with magnitude smaller than supported range under root[1]",
    ],
    [
      "INSERT INTO tab VALUE {'s': <<1, 'a'>>}",
      "Unsupported data type in Bag. DynamoDB only supports either numbers or strings in bags",
    ],
    [
      "INSERT INTO tab VALUE {'s': <<'a', 'a'>>}",
      "One or more parameter values were invalid: Input collection [a, a] contains duplicates.",
    ],
    [
      "INSERT INTO tab VALUE {'s': <<2, 2.0>>}",
      "One or more parameter values were invalid: Input collection [2, 2.0] contains duplicates! under root",
    ],
    [
      "INSERT INTO tab VALUE {'s': set_add(<<'a'>>, <<'b'>>)}",
      "Unsupported data type: set_add under key root at 1:29:7",
    ],
    ["INSERT INTO tab VALUE {'s': `{a: 1}`}", "Ion Literals are not supported: {a: 1} under key root"],
    [
      "UPDATE tab SET a = set_add(b, <<'x'>>) WHERE pk = 1",
      "The first argument to SET_ADD must equal the assignment value at 1:20:7",
    ],
    [
      "UPDATE tab SET a = set_add(a, 'x') WHERE pk = 1",
      "The second argument to SET_ADD must be a value with type SET at 1:28:1",
    ],
    ["UPDATE tab SET a = set_delete(a) WHERE pk = 1", "SET_DELETE must have exactly two arguments at 1:20:10"],
    [
      "UPDATE tab SET a = 'a' + 1 WHERE pk = 1",
      "Incorrect operand type for operator or function; operator or function: +, operand type: S",
    ],
    ["UPDATE tab SET a = b * 2 WHERE pk = 1", "Unsupported operator in Update Expression. Operator: *"],
    [
      "UPDATE tab SET a = 1 REMOVE a WHERE pk = 1",
      "Two document paths overlap with each other; must remove or rewrite one of these paths; path one: [a], path two: [a]",
    ],
    ["UPDATE tab INSERT a WHERE pk = 1", "Only SET and REMOVE are supported in update expressions at this time"],
    [
      "DELETE FROM tab WHERE pk = 'x' RETURNING ALL NEW *",
      "Invalid returning clause: RETURNING ALL NEW *. Only RETURNING ALL OLD * is allowed in DELETE statements.",
    ],
  ])("%s", (text, message) => {
    // As many parameters as there are marks, so that what is wrong is something else.
    const parameters = Array.from(text.matchAll(/\?/g), () => ({ N: "1" }));
    expect(refusalOf(() => compile(text, ...parameters))).toBe(message);
  });

  test("for parameters that are too many or too few, and for those within a literal", () => {
    const count = "Number of parameters in request and statement don't match.";
    expect(refusalOf(() => compile("SELECT * FROM tab WHERE a = ?"))).toBe(count);
    expect(refusalOf(() => compile("SELECT * FROM tab", { S: "a" }))).toBe(count);
    expect(refusalOf(() => compile("INSERT INTO tab VALUE {'m': {'k': ?}}", { S: "a" }))).toBe(
      "Unsupported data type: Parameter under key root.k at 1:35:1",
    );
  });

  test("for literals that are nested too deeply", () => {
    expect(refusalOf(() => compile(nested(31)))).toBe("");
    expect(refusalOf(() => compile(nested(32)))).toBe(
      `Nesting Levels have exceeded supported limits under root${".a".repeat(32)}`,
    );
    expect(refusalOf(() => compile(`SELECT * FROM tab WHERE ${"(".repeat(4_000)}`))).toContain("nested too deeply");
    expect(refusalOf(() => compile(`SELECT * FROM tab WHERE ${"NOT ".repeat(2_000)}a = 1`))).toContain("too deeply");
  });

  test("for conditions that are compared with conditions over and over, at once", () => {
    expect(refusalOf(() => compile(`SELECT * FROM tab WHERE a${" = b".repeat(20)}`))).toContain("too many nested");
    expect(refusalOf(() => compile(`SELECT * FROM tab WHERE a${" = b".repeat(2_000)}`))).toContain("too deeply");
    expect(refusalOf(() => compile(`SELECT * FROM tab WHERE (a = 1)${" = true".repeat(200)}`))).toBe("");
  });
});

describe("a statement says", () => {
  test("values of every type", () => {
    const text = `INSERT INTO "Music" VALUE {'s':'it''s', 'n':-1.50e1, 'z': - - .5, 't':true, 'nul':null, 'l':[1,'a',<<'b'>>],
      'm':{'k':{}}, 'ss':<<'a','b'>>, 'ns':<<1,4.5>>, 'p': ?, 'max': 12345678901234567890123456789012345678}; -- that is all`;
    expect(compile(text, { B: "AAE=" })).toMatchObject({
      kind: "insert",
      name: { name: "Music" },
      item: {
        s: { S: "it's" },
        n: { N: "-15" },
        z: { N: "0.5" },
        t: { BOOL: true },
        nul: { NULL: true },
        l: { L: [{ N: "1" }, { S: "a" }, { SS: ["b"] }] },
        m: { M: { k: { M: {} } } },
        ss: { SS: ["a", "b"] },
        ns: { NS: ["1", "4.5"] },
        p: { B: "AAE=" },
        max: { N: "12345678901234567890123456789012345678" },
      },
    });
  });

  test("paths, whose columns are called by their last name", () => {
    const text = `SELECT a, m.k[0], m."x y", l[-0], o['key'].z FROM tab."idx-1"`;
    expect(compile(text)).toMatchObject({
      index: "idx-1",
      columns: [
        { name: "a", path: ["a"] },
        { name: "k[0]", path: ["m", "k", 0] },
        { name: "x y", path: ["m", "x y"] },
        { name: "l[0]", path: ["l", 0] },
        { name: "z", path: ["o", "key", "z"] },
      ],
    });
  });

  test("updates of several clauses, either way round", () => {
    const text = `update tab set a = a - 1, b = list_append(b, [1]) remove c[1] set d = SET_ADD(d, <<1>>) where pk = 'x' returning modified old *`;
    const parsed = compile(text);
    expect(parsed).toMatchObject({
      kind: "update",
      actions: [
        { kind: "set" },
        { kind: "set" },
        { kind: "remove", path: ["c", 1] },
        { kind: "add", value: { NS: ["1"] } },
      ],
      returning: "MODIFIED OLD",
    });
    expect(compile("FROM tab WHERE pk = 'x' SET a = 1")).toMatchObject({ kind: "update", actions: [{ path: ["a"] }] });
  });

  test("what comments and quotation marks hide", () => {
    const found = compile('SELECT/**/* FROM "tab" -- t\nWHERE pk/* k */=\'a--b /*c*/\' AND "order" IS NOT MISSING');
    expect(found).toMatchObject({
      where: {
        left: { right: { value: { S: "a--b /*c*/" } } },
        right: { kind: "not", of: { name: "attribute_not_exists", args: [{ path: ["order"] }] } },
      },
    });
  });
});

const pieces = fc.array(
  fc.constantFrom(
    ..."SELECT INSERT INTO VALUE UPDATE SET REMOVE DELETE FROM WHERE ORDER BY AND OR NOT IN BETWEEN IS MISSING NULL EXISTS RETURNING ALL OLD NEW MODIFIED * ( ) [ ] { } << >> , . : ; = <> < > - + ? ' \" ` pk a.b l[0] 'x' 1 1e9 size begins_with( attribute_type( set_add( \"tab\" tab -- /* */".split(
      " ",
    ),
  ),
  { maxLength: 60 },
);

test("whatever text comes, it is read or refused as a ValidationException", () => {
  const texts = fc.oneof(
    pieces.map((each) => each.join(" ")),
    pieces.map((each) => `SELECT * FROM tab WHERE ${each.join(" ")}`),
    pieces.map((each) => `UPDATE tab SET a = ${each.join(" ")}`),
    pieces.map((each) => `INSERT INTO tab VALUE {'a': ${each.join("")}`),
    fc.string({ unit: "binary", maxLength: 300 }),
  );
  fc.assert(
    fc.property(texts, (text) => {
      refusalOf(() => compile(text, ...Array.from(text.matchAll(/\?/g), () => ({ S: "a" }))));
      refusalOf(() => parseStatement(text));
    }),
    { numRuns: 1_000 },
  );
});
