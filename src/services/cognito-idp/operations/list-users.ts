import type { Key, Reader } from "../../../kernel/store/store.ts";
import type { OperationsOf } from "../../../wire/service.ts";
import { type Cognito, existingPool } from "../core.ts";
import { invalidParameter } from "../errors.ts";
import { cognitoLimits as limits } from "../limits.ts";
import { inPool, type Pool, type User } from "../model.ts";
import type { Sdk } from "../needs.ts";
import { parsePageToken, toPageToken } from "../rules.ts";
import { schemaOf } from "../schema.ts";
import { describeUser } from "../users/describe.ts";
import { type Filter, parseFilter } from "../users/filter.ts";
import { findUser, indexed, readUser, searchedValue, searchKey } from "../users/users.ts";
import { onPool } from "./access.ts";
import { invalidPageToken, pageOf } from "./paging.ts";

export function listUserOperations(cognito: Cognito) {
  const { store } = cognito;
  return {
    ListUsers: {
      authorize: onPool(cognito),
      async run(input, call) {
        const pool = await existingPool(cognito, input.UserPoolId, call);
        const { AttributesToGet: only, Filter: text, PaginationToken: token } = input;
        checkNames(pool, only);
        const limit = input.Limit === undefined || input.Limit === 0 ? limits.pageMax : input.Limit;
        const filter = text === undefined || text.trim() === "" ? undefined : parseFilter(text);
        const { users, nextToken } = await store.read((reader) =>
          filter ? findFiltered(reader, pool, filter, limit, token) : listAll(reader, pool, limit, token),
        );
        return {
          Users: users.map((user) => describeUser(user, only)),
          ...(nextToken !== undefined && { PaginationToken: nextToken }),
        };
      },
    },
  } satisfies OperationsOf<Sdk>;
}

function checkNames(pool: Pool, names: readonly string[] | undefined): void {
  const known = new Set(schemaOf(pool).map(({ Name }) => Name));
  const unknown = names?.find((name) => !known.has(name));
  if (unknown !== undefined)
    throw invalidParameter(`One or more requested attributes do not exist in user pool: ${unknown}`);
}

interface Found {
  readonly users: readonly User[];
  readonly nextToken: string | undefined;
}

export async function listAll(reader: Reader, pool: Pool, limit: number, token: string | undefined): Promise<Found> {
  const page = await pageOf<User>(reader, inPool("user", pool.id), { limit, token });
  return { users: page.values, nextToken: page.nextToken };
}

/** By the index of the attribute: what it costs depends on what is found, and not on how many users there are. */
export async function findFiltered(
  reader: Reader,
  pool: Pool,
  filter: Filter,
  limit: number,
  token: string | undefined,
): Promise<Found> {
  const { attribute, by } = filter;
  const value = searchKey(pool, attribute, filter.value);
  if (attribute === "sub" && by === "=") {
    const user = await findUser(reader, pool, value);
    return { users: user?.sub === value ? [user] : [], nextToken: undefined };
  }
  const matches = (user: User): boolean => {
    const has = searchedValue(user, attribute);
    if (has === undefined) return false;
    const key = searchKey(pool, attribute, has);
    return by === "=" ? key === value : key.startsWith(value);
  };
  // User names are the order of the users themselves; all other values have an index.
  const isName = attribute === "username" || attribute === "sub";
  const base: Key =
    attribute === "username"
      ? inPool("user", pool.id)
      : isName
        ? inPool("sub", pool.id)
        : inPool("find", pool.id, attribute);
  const start = indexed(value);
  const last = token === undefined ? undefined : parseLast(token);
  const from: Key = last ? [...base, ...last, ""] : [...base, start];
  const end: Key = by === "=" ? [...base, start, "\u{10ffff}"] : [...base, `${start}\u{10ffff}`];
  const users: User[] = [];
  let position = from;
  for (let looked = 0; looked < limits.filterLookMax;) {
    const entries = await reader.range<unknown>({ start: position, end }, { limit: limit + 1 });
    for (const { key, value: stored } of entries) {
      looked += 1;
      const userKey = attribute === "sub" ? String(stored) : String(key.at(-1));
      const user = await readUser(reader, pool, userKey);
      if (user && matches(user)) {
        if (users.length === limit) {
          const before = position.at(-1) === "" ? position.slice(base.length, -1) : undefined;
          return { users, nextToken: before && toPageToken(JSON.stringify(before)) };
        }
        users.push(user);
      }
      position = [...key, ""];
    }
    if (entries.length <= limit) return { users, nextToken: undefined };
  }
  return { users, nextToken: toPageToken(JSON.stringify(position.slice(base.length, -1))) };
}

function parseLast(token: string): readonly string[] {
  try {
    const value: unknown = JSON.parse(parsePageToken(token) ?? "");
    if (Array.isArray(value) && value.length <= 2 && value.every((part) => typeof part === "string"))
      return value.map(String);
  } catch {
    // Told below.
  }
  throw invalidPageToken();
}
