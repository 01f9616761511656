import type { Ids } from "../../../kernel/ids.ts";
import { AwsError } from "../../../aws/error.ts";
import type { Transaction } from "../../../kernel/store/store.ts";
import { inPool, type Pool, type User } from "../model.ts";
import { aliasesOf } from "../rules.ts";
import { checkAttributes } from "../schema.ts";
import { nameUser } from "../users/names.ts";
import { findUser, writeUser } from "../users/users.ts";
import { parseRow, type Row } from "./csv.ts";

export type LineOutcome = { readonly result: "SUCCEEDED" | "SKIPPED" | "FAILED"; readonly why: string };

const failed = (why: string): LineOutcome => ({ result: "FAILED", why });

/**
 * Make the user of a line. Who is there already stays as is. Nothing is written of a line that fails.
 *
 * Source: developer guide, "Viewing the user pool import results in the CloudWatch console".
 */
export async function importUser(
  tx: Transaction,
  { ids }: { readonly ids: Ids },
  pool: Pool,
  line: string,
  names: readonly string[],
  now: number,
): Promise<LineOutcome> {
  const row = parseRow(line, names);
  if ("problem" in row) return failed(row.problem);
  const automatic = pool.settings.AutoVerifiedAttributes ?? ["email", "phone_number"];
  if (!automatic.some((kind) => row.attributes[kind] && row.attributes[`${kind}_verified`] === "true")) {
    return failed(
      "The User Record does not set any of the auto verified attributes to true. (Example: email_verified to true).",
    );
  }
  const user = toUser(ids, pool, row, now);
  if (typeof user === "string") return failed(user);
  if (await findUser(tx, pool, row.username === "" ? user.username : row.username)) return exists;
  for (const [kind, value] of aliasesOf(pool, user)) {
    if (await tx.get(inPool("alias", pool.id, kind, value))) return exists;
  }
  await writeUser(tx, pool, user, undefined);
  return { result: "SUCCEEDED", why: "The import succeeded." };
}

const exists: LineOutcome = { result: "SKIPPED", why: "The user already exists." };

/** AWS: whoever was imported sets a password with a code, the first time. */
function toUser(ids: Ids, pool: Pool, row: Row, now: number): User | string {
  const { attributes } = row;
  const isNamedSo = (pool.settings.UsernameAttributes?.length ?? 0) > 0;
  // Where names are addresses, the column may have any name for the user that the file's writer knows.
  const given = isNamedSo ? (attributes["email"] ?? attributes["phone_number"] ?? row.username) : row.username;
  if (given === "") return "The user has no cognito:username.";
  try {
    const name = nameUser(ids, pool, given, attributes);
    checkAttributes(pool, name.attributes, undefined, { by: "admin" });
    return {
      v: 1,
      poolId: pool.id,
      username: name.username,
      key: name.key,
      sub: name.sub,
      attributes: name.attributes,
      status: "RESET_REQUIRED",
      enabled: true,
      createdAt: now,
      updatedAt: now,
      mfa: row.mfa,
    };
  } catch (error) {
    // No user data is written to the log: only which rule it breaks.
    if (error instanceof AwsError) return "The user data does not match the schema of the user pool.";
    throw error;
  }
}
