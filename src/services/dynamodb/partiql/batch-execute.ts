import type { AttributeValue, BatchStatementErrorCodeEnum } from "@aws-sdk/client-dynamodb";
import { AwsError } from "../../../aws/error.ts";
import type { Call, OperationsOf } from "../../../wire/service.ts";
import { validation } from "../errors.ts";
import { toAnswer } from "../items/answer.ts";
import { createUsed, toConsumedCapacity, toReadUnits, type Used } from "../items/capacity.ts";
import { decodeStored } from "../items/stored-item.ts";
import type { Sdk } from "../needs.ts";
import type { DataNeeds } from "../operations/data-needs.ts";
import { performWrite } from "../operations/write-items.ts";
import { addressOf, checkKey, type Table } from "../tables/table.ts";
import { authorizationOf } from "./access.ts";
import type { Compiled, Select, StatementInput, Statements } from "./compile.ts";
import { assertNoIndex, existsOutside } from "./execute-statement.ts";
import { readKey } from "./item-key.ts";
import { planRead } from "./key-ranges.ts";
import { rowOf } from "./select.ts";
import { returned, toWrite } from "./writes.ts";

interface MemberInput extends StatementInput {
  readonly ConsistentRead?: boolean | undefined;
  readonly ReturnValuesOnConditionCheckFailure?: string | undefined;
}

/** What became of one statement: the text of its response, and what it used. */
interface Outcome {
  readonly response: string;
  readonly used?: Used;
}

/** BatchExecuteStatement: each statement by itself, with an answer or an error of its own. */
export function batchOperation(needs: DataNeeds, statements: Statements) {
  const { observer } = needs;
  return {
    BatchExecuteStatement: {
      // Each statement is allowed or denied by itself, as the answers' AccessDenied says.
      authorize: () => [],
      run: async (input, call): Promise<never> =>
        await observer.observe(call, undefined, async () => {
          const members = (input.Statements ?? []).map((member) => {
            try {
              return { member, compiled: statements.compile(member, statements.parameters(member), call) };
            } catch (error) {
              return { member, refused: toRefusal(error) };
            }
          });
          const kinds = new Set(members.flatMap(({ compiled }) => (compiled ? compiled.kind === "select" : [])));
          if (kinds.size > 1) {
            throw validation(
              "BatchExecuteStatement API does not support both read and write operations in the same request.",
            );
          }
          const outcomes = await Promise.all(
            members.map(({ member, compiled, refused }) =>
              compiled ? runMember(needs, call, member, compiled) : { response: toResponse(refused) },
            ),
          );
          const capacity = outcomes.flatMap(({ used }: Outcome) =>
            used ? (toConsumedCapacity(used, input.ReturnConsumedCapacity) ?? []) : [],
          );
          return toAnswer(call, {
            Responses: `[${outcomes.map(({ response }) => response).join(",")}]`,
            ConsumedCapacity: capacity.length > 0 ? JSON.stringify(capacity) : undefined,
          });
        }),
    },
  } satisfies OperationsOf<Sdk>;
}

async function runMember(needs: DataNeeds, call: Call, member: MemberInput, statement: Compiled): Promise<Outcome> {
  // AWS: the table is told as soon as the statement has come to it.
  let reached: string | undefined;
  try {
    if (statement.kind === "exists") throw existsOutside();
    if (statement.kind !== "select") assertNoIndex(statement);
    for (const request of await authorizationOf(needs.catalog, call, [statement])) await call.authorize(request);
    const table = await needs.catalog.active(statement.name);
    if (statement.kind === "select") {
      const address = addressOf(table, itemKey(table, statement));
      reached = table.record.name;
      needs.throttle.admit(table, "read");
      const bytes = await needs.store.read((reader) => reader.get<Uint8Array>(address.key));
      const stored = bytes && decodeStored(bytes);
      const used = createUsed(table);
      used.read = toReadUnits(stored?.bytes ?? 0, member.ConsistentRead === true);
      needs.throttle.charge(used);
      needs.observer.used(call, used);
      return { response: toMember(reached, stored && rowOf(stored, statement.columns)), used };
    }
    const write = toWrite(table, statement, member.ReturnValuesOnConditionCheckFailure);
    reached = table.record.name;
    const { written, used } = await performWrite(needs, call, write);
    return { response: toMember(reached, returned(statement, written)), used };
  } catch (error) {
    return { response: toResponse(toRefusal(error), reached) };
  }
}

/** @throws {ValidationException} when it is not one item's key, and nothing else, that the statement asks for */
function itemKey(table: Table, select: Select) {
  if (select.index === undefined && select.order.length === 0) {
    const key = readKey(table, select.where);
    if (key) {
      checkKey(table.key, key);
      return key;
    }
    planRead(table, undefined, select.where, []);
  }
  throw validation("Select statements within BatchExecuteStatement must specify the primary key in the where clause.");
}

function toMember(table: string, item: string | undefined): string {
  return `{"TableName":${JSON.stringify(table)}${item === undefined ? "" : `,"Item":${item}`}}`;
}

interface Refusal {
  readonly Code: BatchStatementErrorCodeEnum;
  readonly Message: string;
  readonly Item?: Record<string, AttributeValue>;
}

function toResponse(refusal: Refusal | undefined, table?: string): string {
  return JSON.stringify({ Error: refusal, TableName: table });
}

function toRefusal(error: unknown): Refusal {
  const code = error instanceof AwsError ? codes[error.code] : undefined;
  if (!(error instanceof AwsError) || code === undefined) throw error;
  const { Item } = error.members;
  return {
    Code: code,
    Message: error.message,
    ...(Item !== undefined && { Item: Item as Record<string, AttributeValue> }),
  };
}

const codes: Readonly<Record<string, BatchStatementErrorCodeEnum>> = {
  AccessDeniedException: "AccessDenied",
  ConditionalCheckFailedException: "ConditionalCheckFailed",
  DuplicateItemException: "DuplicateItem",
  ItemCollectionSizeLimitExceededException: "ItemCollectionSizeLimitExceeded",
  ProvisionedThroughputExceededException: "ProvisionedThroughputExceeded",
  ResourceNotFoundException: "ResourceNotFound",
  ThrottlingException: "ThrottlingError",
  ValidationException: "ValidationError",
};
