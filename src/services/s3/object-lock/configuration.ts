import type { ObjectLockConfiguration } from "@aws-sdk/client-s3";
import { notImplemented } from "../../../aws/error.ts";
import { invalidArgument, malformedXml } from "../errors.ts";
import { s3Limits } from "../limits.ts";
import { isLockMode, type ObjectLock } from "./lock.ts";

/** A bucket's Object Lock, checked. @throws {AwsError} MalformedXML, InvalidArgument */
export function parseObjectLock(given: ObjectLockConfiguration | undefined): ObjectLock {
  if (given?.ObjectLockEnabled !== "Enabled") throw malformedXml();
  if (!given.Rule) return {};
  const { Mode, Days, Years, DefaultEventHold } = given.Rule.DefaultRetention ?? {};
  if (DefaultEventHold !== undefined) throw notImplemented("DefaultEventHold of PutObjectLockConfiguration");
  if (!isLockMode(Mode) || (Days === undefined) === (Years === undefined)) throw malformedXml();
  if ((Days ?? Years ?? 0) <= 0) throw invalidArgument("Default retention period must be a positive integer value.");
  if ((Days ?? 0) > s3Limits.retentionDaysMax || (Years ?? 0) > s3Limits.retentionYearsMax) {
    throw invalidArgument("Default retention period too large.");
  }
  return {
    default: { mode: Mode, ...(Days !== undefined && { days: Days }), ...(Years !== undefined && { years: Years }) },
  };
}

/** As GetObjectLockConfiguration answers. */
export function formatObjectLock(lock: ObjectLock): ObjectLockConfiguration {
  if (!lock.default) return { ObjectLockEnabled: "Enabled" };
  const { mode, days, years } = lock.default;
  return { ObjectLockEnabled: "Enabled", Rule: { DefaultRetention: { Mode: mode, Days: days, Years: years } } };
}
