import type { AuthorizationRequest } from "../../access/authorization.ts";
import type { Call } from "../../wire/service.ts";
import { tokenize } from "./expressions/lexer.ts";
import { arnOf, type TableCatalog, type TableName } from "./tables/catalog.ts";
import type { Table } from "./tables/table.ts";

/** What an operation asks about one table or index. */
export interface Asked {
  readonly action: string;
  readonly table: TableName;
  readonly index?: string | undefined;
  /** Condition keys of DynamoDB, worked out only where policies may look at them. */
  readonly context?: (table: Table) => Readonly<Record<string, readonly string[]>>;
}

/** Source: service authorization reference, DynamoDB (2026-11). */
export async function toAuthorization(
  catalog: TableCatalog,
  call: Call,
  asked: readonly Asked[],
): Promise<readonly AuthorizationRequest[]> {
  const requests: AuthorizationRequest[] = [];
  for (const { action, table: name, index, context } of asked) {
    const arn = arnOf(name);
    const found = catalog.find(name);
    const table = found instanceof Promise ? await found : found;
    const policy = table?.record.policy?.text;
    // Of the account's root nobody asks more, unless the table has a policy of its own.
    const asks = table && context && (call.principal.type !== "root" || policy !== undefined);
    const request = { action: `dynamodb:${action}`, resource: index === undefined ? arn : `${arn}/index/${index}` };
    const isPlain = name.place.account === call.account && policy === undefined && !asks;
    requests.push(
      isPlain
        ? request
        : {
            ...request,
            ...(name.place.account !== call.account && { resourceAccount: name.place.account }),
            ...(policy !== undefined && { resourcePolicy: policy }),
            ...(asks && { context: context(table) }),
          },
    );
  }
  return requests;
}

/** The condition keys of a request that reads or writes items. */
export function itemContext(
  table: Table,
  input: object,
  more: {
    /** Keys or items: their partition keys are the leading keys. */
    readonly keys?: readonly unknown[];
    /** Values of a Query's partition key. */
    readonly leading?: readonly string[];
    readonly attributes?: readonly string[];
  } = {},
): Record<string, readonly string[]> {
  const given = new Map(Object.entries(input));
  const [hash] = table.key.hash;
  const leading = [...(more.leading ?? [])];
  for (const key of more.keys ?? []) {
    const value = hash && textOfMember(key, hash.name);
    if (value !== undefined) leading.push(value);
  }
  const attributes = new Set(more.attributes);
  for (const key of more.keys ?? []) for (const name of namesOf(key)) attributes.add(name);
  for (const name of attributesOf(given)) attributes.add(name);
  const context: Record<string, readonly string[]> = {};
  if (leading.length > 0) context["dynamodb:LeadingKeys"] = leading;
  if (attributes.size > 0) context["dynamodb:Attributes"] = [...attributes];
  for (const name of ["Select", "ReturnValues", "ReturnConsumedCapacity"]) {
    const value = given.get(name);
    if (typeof value === "string") context[`dynamodb:${name}`] = [value];
  }
  return context;
}

function namesOf(value: unknown): readonly string[] {
  return typeof value === "object" && value !== null ? Object.keys(value) : [];
}

function textOfMember(key: unknown, name: string): string | undefined {
  if (typeof key !== "object" || key === null) return undefined;
  const found = new Map(Object.entries(key)).get(name);
  return found === undefined ? undefined : textOfValue(found);
}

/** A key's value as policies compare it. */
export function textOfValue(value: unknown): string | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const [content] = Object.values(value);
  if (content instanceof Uint8Array) return Buffer.from(content).toString("base64");
  return typeof content === "string" ? content : undefined;
}

/** Attributes that a request names anywhere: top-level ones, by their real names. */
function attributesOf(given: ReadonlyMap<string, unknown>): ReadonlySet<string> {
  const names = new Set<string>();
  const listed = given.get("AttributesToGet");
  if (Array.isArray(listed)) for (const each of listed) names.add(String(each));
  for (const legacy of ["Expected", "AttributeUpdates", "QueryFilter", "ScanFilter", "KeyConditions"]) {
    for (const name of namesOf(given.get(legacy))) names.add(name);
  }
  const placeholders = new Map(Object.entries(given.get("ExpressionAttributeNames") ?? {}));
  for (const parameter of expressionParameters) {
    const text = given.get(parameter);
    if (typeof text !== "string") continue;
    const tokens = tokenize(text);
    tokens.forEach((token, at) => {
      if (tokens[at - 1]?.text === "." || tokens[at + 1]?.text === "(") return;
      if (token.kind === "name") names.add(String(placeholders.get(token.text) ?? token.text));
      else if (token.kind === "word" && !grammarWords.has(token.text.toUpperCase())) names.add(token.text);
    });
  }
  return names;
}

const expressionParameters = [
  "ProjectionExpression",
  "FilterExpression",
  "KeyConditionExpression",
  "ConditionExpression",
  "UpdateExpression",
];
const grammarWords: ReadonlySet<string> = new Set([
  "AND",
  "OR",
  "NOT",
  "IN",
  "BETWEEN",
  "SET",
  "REMOVE",
  "ADD",
  "DELETE",
]);
