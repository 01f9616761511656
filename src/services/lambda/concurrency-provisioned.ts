import type { Key, Reader, Transaction } from "../../kernel/store/store.ts";
import { conflict, invalidParameter } from "./errors.ts";
import { lambdaLimits } from "./limits.ts";
import {
  addToTotals,
  keyOf,
  readAll,
  writeFunction,
  type AliasRecord,
  type FunctionRecord,
  type Place,
} from "./model.ts";
import { isVersionNumber } from "./names.ts";

/** What PutProvisionedConcurrencyConfig asked for, of a version or an alias. */
export interface ProvisionedConfig {
  readonly v: 1;
  readonly qualifier: string;
  readonly requested: number;
  /** Epoch milliseconds. */
  readonly modifiedAt: number;
}

/** A function's share of the account's concurrency: what it has reserved, or else what is provisioned for it. */
export function claimOf(record: FunctionRecord): number {
  return record.reservedConcurrency ?? record.provisionedConcurrency ?? 0;
}

/**
 * Write a function whose reserved or provisioned concurrency has changed, and what that takes from the account.
 *
 * @param refusal what InvalidParameterValueException says when too little is left for all others
 */
export async function writeClaim(
  tx: Transaction,
  place: Place,
  before: FunctionRecord,
  after: FunctionRecord,
  refusal: string,
): Promise<void> {
  const change = claimOf(after) - claimOf(before);
  const totals = await addToTotals(tx, place, { reservedConcurrency: change });
  const left = lambdaLimits.concurrentExecutions - totals.reservedConcurrency;
  if (change > 0 && left < lambdaLimits.unreservedConcurrencyMin) throw invalidParameter(refusal);
  writeFunction(tx, place, after);
}

export function provisionedKey(place: Place, name: string, qualifier: string): Key {
  return keyOf("provisioned", place, name, qualifier);
}

export function readProvisioned(
  reader: Reader,
  place: Place,
  name: string,
  qualifier: string,
): Promise<ProvisionedConfig | undefined> {
  return reader.get<ProvisionedConfig>(provisionedKey(place, name, qualifier));
}

/** Take a configuration away; the function as it is then. Without effect when there is none. */
export async function removeProvisioned(
  tx: Transaction,
  place: Place,
  record: FunctionRecord,
  qualifier: string,
): Promise<FunctionRecord> {
  const config = await readProvisioned(tx, place, record.name, qualifier);
  if (!config) return record;
  tx.delete(provisionedKey(place, record.name, qualifier));
  const after = withProvisioned(record, (record.provisionedConcurrency ?? 0) - config.requested);
  await writeClaim(tx, place, record, after, "");
  return after;
}

export function withProvisioned(record: FunctionRecord, provisioned: number): FunctionRecord {
  const { provisionedConcurrency: _before, ...rest } = record;
  return provisioned > 0 ? { ...rest, provisionedConcurrency: provisioned } : rest;
}

/** Throws when provisioned concurrency cannot go with what an alias points to. */
export async function checkProvisionedAlias(
  reader: Reader,
  place: Place,
  name: string,
  alias: AliasRecord,
): Promise<void> {
  if (alias.functionVersion === "$LATEST") throw unpublished();
  for (const version of [alias.functionVersion, ...Object.keys(alias.weights)]) {
    if (await readProvisioned(reader, place, name, version)) {
      throw conflict("Alias can't be used for Provisioned Concurrency configuration on an already Provisioned version");
    }
  }
}

/** Throws when an alias that points to a version has provisioned concurrency already. */
export async function checkProvisionedVersion(
  reader: Reader,
  place: Place,
  name: string,
  version: string,
): Promise<void> {
  for (const alias of await readAll<AliasRecord>(reader, keyOf("alias", place, name))) {
    if (alias.functionVersion !== version && !(version in alias.weights)) continue;
    if (await readProvisioned(reader, place, name, alias.name)) {
      throw conflict("Version is pointed by a Provisioned Concurrency alias");
    }
  }
}

export function unpublished() {
  return invalidParameter("Provisioned Concurrency Configs cannot be applied to unpublished function versions.");
}

/** How many environments each version gets of what is provisioned for a qualifier: an alias shares it out by its weights. */
export function sharesOf(
  qualifier: string,
  requested: number,
  alias: AliasRecord | undefined,
): ReadonlyMap<string, number> {
  if (isVersionNumber(qualifier)) return new Map([[qualifier, requested]]);
  const shares = new Map<string, number>();
  if (!alias) return shares;
  let left = requested;
  for (const [version, weight] of Object.entries(alias.weights)) {
    const share = Math.min(left, Math.round(requested * weight));
    if (share > 0) shares.set(version, share);
    left -= share;
  }
  if (left > 0) shares.set(alias.functionVersion, left);
  return shares;
}
