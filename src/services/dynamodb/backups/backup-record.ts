import { parseArn, toArn } from "../../../aws/arn.ts";
import type { Key, Reader, Transaction } from "../../../kernel/store/store.ts";
import { validation } from "../errors.ts";
import type { Place, TableRecord } from "../model.ts";

/** A backup. Version 1. */
export interface BackupRecord {
  readonly v: 1;
  /** The last part of its ARN: when it was made, and chance. */
  readonly id: string;
  readonly name: string;
  readonly type: "USER" | "SYSTEM";
  readonly status: "CREATING" | "AVAILABLE";
  readonly createdAt: number;
  /** Those that the system makes go by themselves. */
  readonly expiresAt?: number;
  /** The table as it was. */
  readonly table: TableRecord;
  /** Where its items are: as a table's. */
  readonly storeId: string;
  readonly itemCount: number;
  readonly bytes: number;
  /** Tables that are being filled from it, by their storeIds. */
  readonly restoring: readonly string[];
}

const backupsPrefix: Key = ["dynamodb", "backup"];

export function backupsOf({ account, region }: Place): Key {
  return [...backupsPrefix, account, region];
}

function backupKey(place: Place, id: string): Key {
  return [...backupsOf(place), id];
}

export function backupArn({ account, region }: Place, backup: Pick<BackupRecord, "id" | "table">): string {
  return toArn("dynamodb", region, account, `table/${backup.table.name}/backup/${backup.id}`);
}

/** Which backup an ARN names. */
export interface BackupName {
  readonly place: Place;
  readonly table: string;
  readonly id: string;
  readonly arn: string;
}

/** @throws {ValidationException} for what is no backup's ARN in this account and region */
export function parseBackupArn(text: string | undefined, place: Place): BackupName {
  const arn = parseArn(text ?? "");
  const [, table, id] = /^table\/([a-zA-Z0-9_.-]{3,255})\/backup\/([0-9a-z-]{1,64})$/.exec(arn?.resource ?? "") ?? [];
  if (
    !arn ||
    arn.service !== "dynamodb" ||
    arn.region !== place.region ||
    arn.account !== place.account ||
    table === undefined ||
    id === undefined
  ) {
    throw validation(`Invalid backup ARN: ${text ?? ""}`);
  }
  return { place: { account: arn.account, region: arn.region }, table, id, arn: text ?? "" };
}

export async function readBackup(reader: Reader, { place, table, id }: Omit<BackupName, "arn">) {
  const backup = await reader.get<BackupRecord>(backupKey(place, id));
  return backup?.table.name === table ? backup : undefined;
}

export function writeBackup(tx: Transaction, place: Place, backup: BackupRecord): void {
  tx.set(backupKey(place, backup.id), backup);
}

export function forgetBackup(tx: Transaction, place: Place, backup: BackupRecord): void {
  tx.delete(backupKey(place, backup.id));
}

/** As AWS makes them: milliseconds in fourteen digits, so that they sort by time, and eight of chance. */
export function toBackupId(now: number, random: string): string {
  return `${String(now).padStart(14, "0")}-${random}`;
}
