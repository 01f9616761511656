import { createHash } from "node:crypto";
import { AwsError } from "../../../aws/error.ts";
import { validation } from "../errors.ts";
import type { Table } from "../tables/table.ts";
import { parseItem, type Item } from "../values/attribute-value.ts";
import type { StatementInput } from "./compile.ts";

/** Where a SELECT goes on: in which of its stretches, and after which key of it; from its beginning where there is none. */
export interface Continuation {
  readonly range: number;
  readonly after: Item | undefined;
}

/** A token goes with its statement, parameters and table. It holds no more than a key that the caller has seen. */
export function toNextToken(input: StatementInput, table: Table, { range, after }: Continuation): string {
  return Buffer.from(JSON.stringify([digestOf(input, table), range, after ?? null])).toString("base64");
}

/** @throws {ValidationException} for what is no token, or one of another statement */
export function parseNextToken(text: string, input: StatementInput, table: Table): Continuation {
  const [digest, range, after] = parts(text);
  if (typeof digest !== "string" || !Number.isSafeInteger(range)) throw invalid();
  if (digest !== digestOf(input, table)) throw validation("NextToken does not match request");
  return { range: Number(range), after: toKey(after) };
}

function parts(text: string): readonly unknown[] {
  try {
    const found: unknown = JSON.parse(Buffer.from(text, "base64").toString("utf8"));
    return Array.isArray(found) ? found : [];
  } catch {
    throw invalid();
  }
}

function toKey(found: unknown): Item | undefined {
  if (found === null) return undefined;
  if (typeof found !== "object" || found === undefined) throw invalid();
  try {
    return parseItem({ ...found });
  } catch (error) {
    throw error instanceof AwsError ? invalid() : error;
  }
}

export function invalid() {
  return validation("Invalid NextToken");
}

function digestOf({ Statement: text, Parameters: parameters = [] }: StatementInput, table: Table): string {
  return createHash("sha256")
    .update(JSON.stringify([table.place.account, table.record.storeId, text, parameters], toPlain))
    .digest("base64url")
    .slice(0, 22);
}

/** Services of the platform hand bytes in as they are. */
function toPlain(_name: string, value: unknown): unknown {
  return value instanceof Uint8Array ? Buffer.from(value).toString("base64") : value;
}
