import type { Call } from "../../../wire/service.ts";
import { createLru, type Lru } from "../../../access/lru.ts";
import { AwsError } from "../../../aws/error.ts";
import { validation } from "../errors.ts";
import type { BoundCondition } from "../expressions/condition.ts";
import type { BoundPath } from "../expressions/placeholders.ts";
import type { BoundUpdate } from "../expressions/update.ts";
import { dynamoLimits } from "../limits.ts";
import { parseTableName, type TableName } from "../tables/catalog.ts";
import { parseValue, type Item } from "../values/attribute-value.ts";
import type { OrderTerm, PathExpression, Returning, Statement, Target } from "./ast.ts";
import { toCondition } from "./conditions.ts";
import { toItem, type Parameters } from "./literals.ts";
import { parseStatement } from "./statement-parser.ts";
import { toUpdate } from "./updates.ts";

/** A column of an answer: what it is called, and where it is in an item. */
export interface Column {
  readonly name: string;
  readonly path: BoundPath;
}

interface OnTable {
  readonly name: TableName;
  readonly index: string | undefined;
}

export interface Select extends OnTable {
  readonly kind: "select";
  /** Undefined for all. */
  readonly columns: readonly Column[] | undefined;
  readonly where: BoundCondition | undefined;
  readonly order: readonly OrderTerm[];
}

export interface Insert extends OnTable {
  readonly kind: "insert";
  readonly item: Item;
}

export interface Update extends OnTable {
  readonly kind: "update";
  readonly actions: readonly BoundUpdate[];
  readonly where: BoundCondition | undefined;
  readonly returning: Returning | undefined;
}

export interface Delete extends OnTable {
  readonly kind: "delete";
  readonly where: BoundCondition | undefined;
  readonly returning: "ALL OLD" | undefined;
}

export interface Exists extends OnTable {
  readonly kind: "exists";
  readonly where: BoundCondition | undefined;
}

/** A statement with its parameters, as far as it can be understood without its table. */
export type Compiled = Select | Insert | Update | Delete | Exists;

export interface StatementInput {
  readonly Statement?: string | undefined;
  readonly Parameters?: readonly unknown[] | undefined;
}

/** Statements of requests, each text parsed once. */
export interface Statements {
  /** @throws {ValidationException | SerializationException} for parameters that are no values: before the statement is looked at */
  parameters(input: StatementInput): Parameters;
  /** @throws {ValidationException} */
  compile(input: StatementInput, parameters: Parameters, call: Pick<Call, "account" | "region">): Compiled;
}

export function createStatements(): Statements {
  const kept: Lru<Statement> = createLru(dynamoLimits.statementsKept);
  const parse = (text: string): Statement => {
    const known = kept.get(text);
    if (known) return known;
    const parsed = parseStatement(text);
    if (text.length <= dynamoLimits.statementKeptBytesMax) kept.set(text, parsed);
    return parsed;
  };
  return {
    parameters: ({ Parameters: given = [] }) => given.map((each) => parseValue(each, 0)),
    compile: ({ Statement: text = "" }, parameters, call) => {
      const statement = parse(text);
      if (statement.parameters !== parameters.length) {
        throw validation("Number of parameters in request and statement don't match.");
      }
      return compileParsed(statement, parameters, call);
    },
  };
}

function compileParsed(statement: Statement, parameters: Parameters, call: Pick<Call, "account" | "region">): Compiled {
  const on = { name: toTableName(statement.target, call), index: statement.target.index };
  if (statement.kind === "insert") return { kind: "insert", ...on, item: toItem(statement.item, parameters) };
  const where = statement.where && toCondition(statement.where, parameters);
  switch (statement.kind) {
    case "select":
      return { kind: "select", ...on, columns: toColumns(statement.projection), where, order: statement.order };
    case "update":
      return {
        kind: "update",
        ...on,
        actions: toUpdate(statement.clauses, parameters),
        where,
        returning: statement.returning,
      };
    case "delete": {
      const { returning } = statement;
      if (returning !== undefined && returning !== "ALL OLD") {
        throw validation(
          `Invalid returning clause: RETURNING ${returning} *. Only RETURNING ALL OLD * is allowed in DELETE statements.`,
        );
      }
      return { kind: "delete", ...on, where, returning };
    }
    case "exists":
      return { kind: "exists", ...on, where };
  }
}

function toTableName({ table }: Target, call: Pick<Call, "account" | "region">): TableName {
  try {
    return parseTableName(table, call);
  } catch (error) {
    if (!(error instanceof AwsError) || table.startsWith("arn:")) throw error;
    throw validation(
      "Table name should be within the length [3, 255] and only contain 'a-z', 'A-Z', '0-9', '-', '_', '.'.",
    );
  }
}

function toColumns(paths: readonly PathExpression[] | undefined): readonly Column[] | undefined {
  const columns = paths?.map(({ steps }) => ({ name: columnName(steps), path: steps }));
  const names = columns?.map(({ name }) => name) ?? [];
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined) throw validation(`Duplicate identifiers in select clause: ${twice}`);
  return columns;
}

/** AWS: the path's last name, with the positions behind it. */
function columnName(steps: readonly (string | number)[]): string {
  const from = steps.findLastIndex((step) => typeof step === "string");
  return steps.slice(from).reduce<string>((name, step) => (typeof step === "number" ? `${name}[${step}]` : step), "");
}
