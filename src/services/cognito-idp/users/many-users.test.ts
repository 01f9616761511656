import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { systemClock } from "../../../kernel/clock.ts";
import { openLmdbStore } from "../../../kernel/store/lmdb-store.ts";
import type { Key, Reader, Store } from "../../../kernel/store/store.ts";
import { type Pool, type User, writePool } from "../model.ts";
import { findFiltered, listAll } from "../operations/list-users.ts";
import { parseFilter } from "./filter.ts";
import { countUsers, findUser, writeUser } from "./users.ts";

const many = 10_000;

/** A pool's users, and how many entries of the store were read. */
interface Counted {
  readonly store: Store;
  readonly pool: Pool;
  read: number;
}

async function poolWith(users: number): Promise<Counted> {
  const store = await openLmdbStore({ folder: join(folder, String(users)), clock: systemClock });
  const pool: Pool = {
    v: 1,
    id: "us-east-1_AbCdEfGhI",
    account: "000000000000",
    region: "us-east-1",
    name: "pool",
    createdAt: 0,
    updatedAt: 0,
    settings: { AliasAttributes: ["email"] },
    schema: [],
    mfa: { configuration: "OFF", softwareToken: false },
    tags: {},
  };
  await store.transact(async (tx) => writePool(tx, pool));
  for (let from = 0; from < users; from += 500) {
    await store.transact(async (tx) => {
      for (let at = from; at < Math.min(users, from + 500); at += 1) {
        await writeUser(tx, pool, userOf(pool, at), undefined);
      }
    });
  }
  return { store, pool, read: 0 };
}

function userOf(pool: Pool, at: number): User {
  const name = `user-${at}`;
  return {
    v: 1,
    poolId: pool.id,
    username: name,
    key: name,
    sub: `00000000-0000-4000-8000-${String(at).padStart(12, "0")}`,
    attributes: {
      email: `${name}@example.com`,
      email_verified: "true",
      phone_number: `+4910000${at}`,
      name: `Name ${at}`,
      given_name: `Given ${at}`,
      family_name: `Family ${at}`,
      preferred_username: `nick-${at}`,
    },
    status: at % 1_000 === 3 ? "UNCONFIRMED" : "CONFIRMED",
    enabled: at % 1_000 !== 4,
    createdAt: 0,
    updatedAt: 0,
    mfa: [],
  };
}

function counting(counted: Counted, reader: Reader): Reader {
  return {
    get<V>(key: Key) {
      counted.read += 1;
      return reader.get<V>(key);
    },
    getMany<V>(keys: readonly Key[]) {
      counted.read += keys.length;
      return reader.getMany<V>(keys);
    },
    async range<V>(...asked: Parameters<Reader["range"]>) {
      const entries = await reader.range<V>(...asked);
      counted.read += entries.length + 1;
      return entries;
    },
  };
}

let folder: string;
let few: Counted;
let lots: Counted;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cumulet-users-"));
  few = await poolWith(10);
  lots = await poolWith(many);
}, 60_000);
afterAll(async () => {
  await Promise.all([few.store.close(), lots.store.close()]);
  await rm(folder, { recursive: true });
});

/** What is found, five users at the most, and how many entries were looked at. */
async function list(of: Counted, text?: string) {
  of.read = 0;
  const { users } = await of.store.read((reader) => {
    const counted = counting(of, reader);
    return text === undefined
      ? listAll(counted, of.pool, 5, undefined)
      : findFiltered(counted, of.pool, parseFilter(text), 5, undefined);
  });
  return { found: users.map(({ username }) => username), read: of.read };
}

async function cpuOf(of: Counted): Promise<number> {
  const from = process.cpuUsage();
  for (let turn = 0; turn < 200; turn += 1) {
    await list(of, 'email = "user-7@example.com"');
    await of.store.read((reader) => findUser(reader, of.pool, "user-7@example.com"));
  }
  const { user, system } = process.cpuUsage(from);
  return user + system;
}

describe("With 10,000 users", () => {
  test.each([
    ['username = "user-7"', ["user-7"]],
    ['username ^= "USER-7"', undefined],
    ['email = "User-7@example.com"', ["user-7"]],
    ['email ^= "user-7@"', ["user-7"]],
    ['phone_number = "+49100007"', ["user-7"]],
    ['name = "Name 7"', ["user-7"]],
    ['given_name ^= "Given 7"', undefined],
    ['family_name = "Family 7"', ["user-7"]],
    ['preferred_username = "nick-7"', ["user-7"]],
    ['sub = "00000000-0000-4000-8000-000000000007"', ["user-7"]],
    ['sub ^= "00000000-0000-4000-8000-00000000000"', undefined],
    ['cognito:user_status = "UNCONFIRMED"', undefined],
    ['status = "Disabled"', undefined],
    ['email = "nobody@example.com"', []],
    [undefined, undefined],
  ])("ListUsers %s reads what it finds, and no more", async (filter, found) => {
    const small = await list(few, filter);
    const large = await list(lots, filter);
    if (found !== undefined) {
      expect(small.found).toEqual(found);
      expect(large.found).toEqual(found);
    }
    // Of a page of five: index and user each, of one more that says whether there is another page too.
    expect(large.read).toBeLessThanOrEqual(Math.max(small.read, 15));
  });

  test("a user is found to sign in, by name and by alias, with as many reads as of ten", async () => {
    for (const name of ["user-7", "user-7@example.com", "nobody"]) {
      const reads: number[] = [];
      for (const each of [few, lots]) {
        each.read = 0;
        await each.store.read((reader) => findUser(counting(each, reader), each.pool, name));
        reads.push(each.read);
      }
      expect(reads[1]).toBe(reads[0]);
    }
    expect(await lots.store.read((reader) => countUsers(reader, lots.pool))).toBe(many);
  });

  test("and that takes about the same processor time", async () => {
    await cpuOf(few);
    // Alternating; the least of each is what it takes.
    const least = { few: Number.POSITIVE_INFINITY, lots: Number.POSITIVE_INFINITY };
    for (let round = 0; round < 5; round += 1) {
      least.few = Math.min(least.few, await cpuOf(few));
      least.lots = Math.min(least.lots, await cpuOf(lots));
    }
    expect(least.lots / least.few).toBeLessThan(4);
  });
});
