import type { Ids } from "../../kernel/ids.ts";
import type { Reader, Transaction } from "../../kernel/store/store.ts";
import { useCapacity } from "./capacity/model.ts";
import type { CodeStore } from "./code/code-store.ts";
import { codeStorageExceeded, functionNotFound, invalidParameter } from "./errors.ts";
import { lambdaLimits } from "./limits.ts";
import {
  addToTotals,
  functionArn,
  keyOf,
  readFunction,
  writeFunction,
  type CodePackage,
  type FunctionRecord,
  type FunctionVersion,
  type Place,
} from "./model.ts";
import type { FunctionReference } from "./names.ts";
import { hasSnapStart } from "./snap-start.ts";

export async function existingFunction(reader: Reader, reference: FunctionReference): Promise<FunctionRecord> {
  const record = await readFunction(reader, reference, reference.name);
  if (!record) throw functionNotFound(functionArn(reference, reference.name, reference.qualifier));
  return record;
}

/**
 * Publish `$LATEST` as the next version; the last published one again when nothing has changed since. Returns the function as it
 * is then, and the version.
 */
export async function publishVersion(
  tx: Transaction,
  place: Place,
  record: FunctionRecord,
  description: string | undefined,
  ids: Ids,
  code: CodeStore,
): Promise<{ readonly record: FunctionRecord; readonly version: FunctionVersion }> {
  const { latest, published } = record;
  if (published?.digest === latest.digest) {
    const same = await tx.get<FunctionVersion>(keyOf("version", place, record.name, Number(published.version)));
    if (same) return { record, version: same };
  }
  const number = record.nextVersion;
  const version: FunctionVersion = {
    ...latest,
    version: String(number),
    settings: { ...latest.settings, description: description ?? latest.settings.description },
    revisionId: ids.uuid(),
  };
  tx.set(keyOf("version", place, record.name, number), version);
  retainVersion(tx, code, place, record, version);
  await useCapacity(tx, place, record.name, version.version, undefined, version.settings);
  if (hasSnapStart(version)) tx.set(keyOf("snapStart", place, record.name, number), { v: 1 });
  await chargeStorage(tx, place, version.code.bytes);
  const next: FunctionRecord = {
    ...record,
    nextVersion: number + 1,
    published: { version: String(number), digest: latest.digest },
  };
  writeFunction(tx, place, next);
  return { record: next, version };
}

/**
 * Publish `$LATEST` as `$LATEST.PUBLISHED`, in place of what was published so before. Functions on a capacity provider alone
 * have that; for others it is refused. Sentences of ours.
 */
export async function publishLatest(
  tx: Transaction,
  place: Place,
  record: FunctionRecord,
  description: string | undefined,
  ids: Ids,
  code: CodeStore,
): Promise<{ readonly record: FunctionRecord; readonly version: FunctionVersion }> {
  const { latest, latestPublished: before } = record;
  if (latest.settings.capacity === undefined) {
    throw invalidParameter("PublishTo isn't supported for Lambda Default functions.");
  }
  const version: FunctionVersion = {
    ...latest,
    version: "$LATEST.PUBLISHED",
    settings: { ...latest.settings, description: description ?? latest.settings.description },
    revisionId: ids.uuid(),
  };
  if (before === undefined) retainVersion(tx, code, place, record, version);
  else await replacePackages(tx, code, place, record, before, version);
  await chargeStorage(tx, place, version.code.bytes - (before?.code.bytes ?? 0));
  await useCapacity(tx, place, record.name, version.version, before?.settings, version.settings);
  const next: FunctionRecord = { ...record, latestPublished: version };
  writeFunction(tx, place, next);
  return { record: next, version };
}

/** Count a package against the account's storage; throws CodeStorageExceededException. */
export async function chargeStorage(tx: Transaction, place: Place, bytes: number): Promise<void> {
  const totals = await addToTotals(tx, place, { codeBytes: bytes });
  if (bytes > 0 && totals.codeBytes > lambdaLimits.codeStorageBytesMax) throw codeStorageExceeded();
}

export function retainVersion(
  tx: Transaction,
  code: CodeStore,
  place: Place,
  record: FunctionRecord,
  version: FunctionVersion,
): void {
  for (const each of packagesOf(version)) code.retain(tx, each, ownerOf(place, record, version.version));
}

/** `after` takes the place of `before` under the same name. What both use is not touched. */
export async function replacePackages(
  tx: Transaction,
  code: CodeStore,
  place: Place,
  record: FunctionRecord,
  before: FunctionVersion,
  after: FunctionVersion,
): Promise<void> {
  const owner = ownerOf(place, record, before.version);
  const [had, has] = [packagesOf(before), packagesOf(after)];
  for (const each of has) {
    if (!had.some((other) => other.blobId === each.blobId)) code.retain(tx, each, owner);
  }
  for (const each of had) {
    if (!has.some((other) => other.blobId === each.blobId)) await code.release(tx, each, owner);
  }
}

export async function releaseVersion(
  tx: Transaction,
  code: CodeStore,
  place: Place,
  record: FunctionRecord,
  version: FunctionVersion,
): Promise<void> {
  for (const each of packagesOf(version)) await code.release(tx, each, ownerOf(place, record, version.version));
}

/** A version keeps its layers usable even when their versions are deleted. */
function packagesOf(version: FunctionVersion): readonly CodePackage[] {
  return [version.code, ...version.settings.layers.map((layer) => layer.code)];
}

function ownerOf(place: Place, record: FunctionRecord, version: string): string {
  return `${place.account}/${place.region}/${record.name}/${record.id}/${version}`;
}
