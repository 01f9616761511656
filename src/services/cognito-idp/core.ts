import type { Reader } from "../../kernel/store/store.ts";
import { clientNotFound, poolNotFound } from "./errors.ts";
import { type Client, type Pool, readClient, readPool } from "./model.ts";
import type { CognitoNeeds } from "./needs.ts";
import type { Outbox } from "./outbox/outbox.ts";
import type { SigningKeys } from "./tokens/signing-keys.ts";
import type { Triggers } from "./triggers/triggers.ts";

/** What the parts of the slice share: what it needs, and what it has made of it. */
export interface Cognito extends CognitoNeeds {
  readonly keys: SigningKeys;
  readonly triggers: Triggers;
  readonly outbox: Outbox;
}

/** The account and region are part of who may see a pool. @throws ResourceNotFoundException */
export async function existingPool(
  { store }: Pick<CognitoNeeds, "store">,
  poolId: string | undefined,
  place?: { readonly account: string; readonly region: string },
): Promise<Pool> {
  const pool = await store.read((reader) => readPool(reader, poolId ?? ""));
  if (!pool || (place && (pool.account !== place.account || pool.region !== place.region)))
    throw poolNotFound(poolId ?? "");
  return pool;
}

/** The same within a transaction. @throws ResourceNotFoundException */
export async function existingPoolIn(reader: Reader, poolId: string | undefined): Promise<Pool> {
  const pool = await readPool(reader, poolId ?? "");
  if (!pool) throw poolNotFound(poolId ?? "");
  return pool;
}

export interface ClientOfPool {
  readonly pool: Pool;
  readonly client: Client;
}

/** An app client and its pool, by the client's id. @throws ResourceNotFoundException */
export async function existingClient(
  { store }: Pick<CognitoNeeds, "store">,
  clientId: string | undefined,
): Promise<ClientOfPool> {
  return store.read(async (reader) => {
    const client = await readClient(reader, clientId ?? "");
    const pool = client && (await readPool(reader, client.poolId));
    if (!client || !pool) throw clientNotFound(clientId ?? "");
    return { pool, client };
  });
}
