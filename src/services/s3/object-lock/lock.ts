import type { Call } from "../../../wire/service.ts";
import { invalidArgument, invalidRequest, lacksObjectLock, protectedByLock } from "../errors.ts";

/** What keeps a version from being removed. Source: "Locking objects with Object Lock", S3 User Guide. */
export interface Locked {
  readonly retention?: Retention;
  readonly legalHold?: boolean;
}

export interface Retention {
  readonly mode: LockMode;
  /** Epoch milliseconds. */
  readonly until: number;
}

export type LockMode = "GOVERNANCE" | "COMPLIANCE";

/** Absent in a bucket's record: there is no Object Lock. */
export interface ObjectLock {
  readonly default?: { readonly mode: LockMode; readonly days?: number; readonly years?: number };
}

/** A bucket's record. */
interface Lockable {
  readonly objectLock?: ObjectLock;
}

/** What a request that writes an object says of its lock. */
export interface LockHeaders {
  readonly ObjectLockMode?: string | undefined;
  readonly ObjectLockRetainUntilDate?: Date | undefined;
  readonly ObjectLockLegalHoldStatus?: string | undefined;
}

export function isLockMode(mode: string | undefined): mode is LockMode {
  return mode === "GOVERNANCE" || mode === "COMPLIANCE";
}

/**
 * The lock that the request's headers ask for; the bucket's default comes when the object does.
 *
 * @throws {AwsError} InvalidRequest where the bucket has none, InvalidArgument
 */
export function toAskedLock(input: LockHeaders, bucket: Lockable, call: Call): Locked {
  const { ObjectLockMode: mode, ObjectLockRetainUntilDate: until, ObjectLockLegalHoldStatus: hold } = input;
  if (mode === undefined && until === undefined && hold === undefined) return {};
  if (!bucket.objectLock) throw invalidRequest("Bucket is missing ObjectLockConfiguration");
  if ((mode === undefined) !== (until === undefined)) {
    throw invalidArgument(
      "x-amz-object-lock-retain-until-date and x-amz-object-lock-mode must both be supplied",
      mode === undefined ? "x-amz-object-lock-mode" : "x-amz-object-lock-retain-until-date",
    );
  }
  if (hold !== undefined && hold !== "ON" && hold !== "OFF") {
    throw invalidArgument("Legal Hold must be either of 'ON' or 'OFF'", "x-amz-object-lock-legal-hold", hold);
  }
  if (mode !== undefined && !isLockMode(mode)) {
    throw invalidArgument("Unknown wormMode directive.", "x-amz-object-lock-mode", mode);
  }
  if (until) checkFuture(until, "x-amz-object-lock-retain-until-date", call.now);
  return {
    ...(mode && until && { retention: { mode, until: until.getTime() } }),
    ...(hold === "ON" && { legalHold: true }),
  };
}

export function checkFuture(until: Date, argument: string, now: number): void {
  if (until.getTime() > now) return;
  throw invalidArgument("The retain until date must be in the future!", argument, until.toISOString());
}

/** The lock of an object that comes now: what was asked for, or the bucket's default. */
export function lockOf({ retention, legalHold }: Locked, bucket: Lockable, now: number): Locked {
  const kept = retention ?? defaultRetention(bucket, now);
  return { ...(kept && { retention: kept }), ...(legalHold && { legalHold }) };
}

const dayMs = 86_400_000;

function defaultRetention({ objectLock }: Lockable, now: number): Retention | undefined {
  if (!objectLock?.default) return undefined;
  const { mode, days, years } = objectLock.default;
  // AWS: a year is 365 days.
  return { mode, until: now + (days ?? (years ?? 0) * 365) * dayMs };
}

/** AWS: whoever locks what it writes must say what it writes. @throws {AwsError} InvalidRequest */
export function checkLockedUpload({ retention, legalHold }: Locked, isChecked: boolean): void {
  if (isChecked || (!retention && !legalHold)) return;
  throw invalidRequest(
    "Content-MD5 OR x-amz-checksum- HTTP header is required for Put Object requests with Object Lock parameters",
  );
}

/** Whether something forbids removing the version. @param bypass the caller may remove what is under governance */
export function isProtected({ retention, legalHold }: Locked, now: number, bypass: boolean): boolean {
  if (legalHold) return true;
  return retention !== undefined && retention.until > now && !(bypass && retention.mode === "GOVERNANCE");
}

/**
 * Whether a retention may take the place of another. A longer one of the same mode always may.
 *
 * @throws {AwsError} AccessDenied
 */
export function checkReplacement(
  now: number,
  bypass: boolean,
  before: Retention | undefined,
  after: Retention | undefined,
): void {
  if (!before || before.until <= now || (bypass && before.mode === "GOVERNANCE")) return;
  if (after && after.mode === before.mode && after.until >= before.until) return;
  throw protectedByLock();
}

export function checkLockable(bucket: Lockable): void {
  if (!bucket.objectLock) throw lacksObjectLock();
}

/** As GetObject and HeadObject answer it. */
export function toLockMembers({ retention, legalHold }: Locked): {
  readonly retention?: { readonly ObjectLockMode: LockMode; readonly ObjectLockRetainUntilDate: Date };
  readonly legalHold?: { readonly ObjectLockLegalHoldStatus: "ON" | "OFF" };
} {
  return {
    ...(retention && {
      retention: { ObjectLockMode: retention.mode, ObjectLockRetainUntilDate: new Date(retention.until) },
    }),
    ...(legalHold !== undefined && { legalHold: { ObjectLockLegalHoldStatus: legalHold ? "ON" : "OFF" } }),
  };
}
