import type { AuthorizationRequest } from "../../../access/authorization.ts";
import { AwsError } from "../../../aws/error.ts";
import type { Call } from "../../../wire/service.ts";
import { textOfValue, toAuthorization, type Asked } from "../access.ts";
import { pathsOf } from "../expressions/condition.ts";
import type { BoundSource } from "../expressions/update.ts";
import type { TableCatalog } from "../tables/catalog.ts";
import type { Table } from "../tables/table.ts";
import { attributeOf } from "../values/attribute-value.ts";
import type { Compiled, Select } from "./compile.ts";
import { valuesOf } from "./item-key.ts";
import { planRead } from "./key-ranges.ts";

/**
 * What statements ask for: an action of PartiQL's own each, on the table or index that it names. Source: developer guide, "IAM
 * security policies with PartiQL"; service authorization reference.
 */
export async function authorizationOf(
  catalog: TableCatalog,
  call: Call,
  statements: readonly Compiled[],
): Promise<readonly AuthorizationRequest[]> {
  return await toAuthorization(
    catalog,
    call,
    statements.map((statement): Asked => ({
      action: actions[statement.kind],
      table: statement.name,
      index: statement.index,
      context: (table) => ({
        ...contextOf(table, statement),
        ...(call.operation === "ExecuteTransaction" && { "dynamodb:EnclosingOperation": [call.operation] }),
      }),
    })),
  );
}

const actions: Readonly<Record<Compiled["kind"], string>> = {
  select: "PartiQLSelect",
  exists: "PartiQLSelect",
  insert: "PartiQLInsert",
  update: "PartiQLUpdate",
  delete: "PartiQLDelete",
};

const returnValues = {
  "ALL OLD": "ALL_OLD",
  "ALL NEW": "ALL_NEW",
  "MODIFIED OLD": "UPDATED_OLD",
  "MODIFIED NEW": "UPDATED_NEW",
} as const;

function contextOf(table: Table, statement: Compiled): Record<string, readonly string[]> {
  const attributes = [...new Set(attributesOf(statement))];
  return {
    ...(attributes.length > 0 && { "dynamodb:Attributes": attributes }),
    ...(statement.kind === "select" && selectContext(table, statement)),
    ...(statement.kind !== "select" && leadingContext(leadingOf(table, statement))),
    ...((statement.kind === "update" || statement.kind === "delete") && {
      "dynamodb:ReturnValues": [statement.returning === undefined ? "NONE" : returnValues[statement.returning]],
    }),
  };
}

function leadingContext(leading: readonly unknown[]): Record<string, readonly string[]> {
  const texts = leading.flatMap((value) => textOfValue(value) ?? []);
  return texts.length > 0 ? { "dynamodb:LeadingKeys": texts } : {};
}

function selectContext(table: Table, select: Select): Record<string, readonly string[]> {
  const index = table.indexes.find(({ record }) => record.name === select.index);
  const plan = tryTo(() => planRead(table, index, select.where, select.order));
  return {
    ...leadingContext(plan?.leading ?? []),
    "dynamodb:FullTableScan": [String(plan?.isScan ?? true)],
    "dynamodb:Select": [
      select.columns ? "SPECIFIC_ATTRIBUTES" : index?.projected ? "ALL_PROJECTED_ATTRIBUTES" : "ALL_ATTRIBUTES",
    ],
  };
}

function leadingOf(table: Table, statement: Exclude<Compiled, Select>): readonly unknown[] {
  const [hash] = table.key.hash;
  if (!hash) return [];
  if (statement.kind !== "insert") return valuesOf(hash.name, statement.where);
  const value = attributeOf(statement.item, hash.name);
  return value ? [value] : [];
}

/** A statement that cannot be run is refused when it is to run, by whoever may. */
function tryTo<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (error instanceof AwsError) return undefined;
    throw error;
  }
}

/** Top-level attributes that a statement names. */
function attributesOf(statement: Compiled): readonly string[] {
  if (statement.kind === "insert") return Object.keys(statement.item);
  const inWhere = statement.where ? pathsOf(statement.where).map(([name]) => String(name)) : [];
  if (statement.kind === "select") return [...(statement.columns?.map(firstName) ?? []), ...inWhere];
  if (statement.kind !== "update") return inWhere;
  const sources = statement.actions.flatMap((action) => (action.kind === "set" ? pathsOfSource(action.value) : []));
  return [...statement.actions.map(firstName), ...sources, ...inWhere];
}

function pathsOfSource(source: BoundSource): readonly string[] {
  switch (source.kind) {
    case "path":
      return [String(source.path[0])];
    case "value":
      return [];
    case "ifNotExists":
      return [String(source.path[0]), ...pathsOfSource(source.otherwise)];
    case "listAppend":
      return [...pathsOfSource(source.first), ...pathsOfSource(source.second)];
    case "math":
      return [...pathsOfSource(source.left), ...pathsOfSource(source.right)];
  }
}

function firstName({ path }: { readonly path: readonly (string | number)[] }): string {
  return String(path[0]);
}
