import { notImplemented } from "../../../aws/error.ts";
import type { Call, OperationsOf } from "../../../wire/service.ts";
import { lockNeedsVersioning, malformedXml, noObjectLock, noObjectLockOf } from "../errors.ts";
import { concealAbsence, existingObject } from "../find-object.ts";
import { rewriteVersion, type StoredObject, writeBucket } from "../model.ts";
import { existingBucket, refuse, type Sdk } from "../needs.ts";
import type { OperationNeeds } from "../operations/operation-needs.ts";
import { formatObjectLock, parseObjectLock } from "./configuration.ts";
import { checkFuture, checkLockable, checkReplacement, isLockMode, type Retention } from "./lock.ts";

interface OfObject {
  readonly Bucket?: string | undefined;
  readonly Key?: string | undefined;
  readonly VersionId?: string | undefined;
  readonly ExpectedBucketOwner?: string | undefined;
}

/** Object Lock: of buckets, and of versions of objects. */
export function objectLockOperations(needs: OperationNeeds) {
  const { store, access } = needs;

  const read = (input: OfObject, call: Call) =>
    concealAbsence(access, call, input.Bucket ?? "", () =>
      store.read(async (reader) => {
        const bucket = await existingBucket(reader, input);
        checkLockable(bucket);
        return existingObject(reader, bucket, input, call);
      }),
    );
  const change = (input: OfObject, call: Call, to: (object: StoredObject) => StoredObject) =>
    concealAbsence(access, call, input.Bucket ?? "", () =>
      store.transact(async (tx) => {
        const bucket = await existingBucket(tx, input);
        checkLockable(bucket);
        const object = await existingObject(tx, bucket, input, call);
        await rewriteVersion(tx, bucket, input.Key ?? "", to(object));
        return {};
      }),
    );

  return {
    GetObjectLockConfiguration: {
      authorize: (input, call) => access.bucket(call, "GetBucketObjectLockConfiguration", input.Bucket),
      async run(input) {
        const { name, objectLock } = await store.read((reader) => existingBucket(reader, input));
        if (!objectLock) throw noObjectLock(name);
        return { ObjectLockConfiguration: formatObjectLock(objectLock) };
      },
    },
    PutObjectLockConfiguration: {
      authorize: (input, call) => access.bucket(call, "PutBucketObjectLockConfiguration", input.Bucket),
      async run(input) {
        refuse(input, "PutObjectLockConfiguration", ["Token"]);
        const objectLock = parseObjectLock(input.ObjectLockConfiguration);
        await store.transact(async (tx) => {
          const bucket = await existingBucket(tx, input);
          if (bucket.versioning !== "Enabled") throw lockNeedsVersioning();
          writeBucket(tx, { ...bucket, objectLock });
        });
        return {};
      },
    },

    GetObjectRetention: {
      authorize: (input, call) =>
        access.object(call, "GetObjectRetention", input.Bucket, input.Key, {}, input.VersionId),
      async run(input, call) {
        const { retention } = await read(input, call);
        if (!retention) throw noObjectLockOf(input.Key ?? "");
        return { Retention: { Mode: retention.mode, RetainUntilDate: new Date(retention.until) } };
      },
    },
    PutObjectRetention: {
      authorize: (input, call) =>
        access.object(
          call,
          ["PutObjectRetention", ...bypassActions(input.BypassGovernanceRetention)],
          input.Bucket,
          input.Key,
          {},
          input.VersionId,
        ),
      async run(input, call) {
        const after = toRetention(input.Retention, call);
        return change(input, call, ({ retention: before, ...object }) => {
          checkReplacement(call.now, input.BypassGovernanceRetention ?? false, before, after);
          return { ...object, ...(after && { retention: after }) };
        });
      },
    },

    GetObjectLegalHold: {
      authorize: (input, call) =>
        access.object(call, "GetObjectLegalHold", input.Bucket, input.Key, {}, input.VersionId),
      async run(input, call) {
        const { legalHold } = await read(input, call);
        if (legalHold === undefined) throw noObjectLockOf(input.Key ?? "");
        return { LegalHold: { Status: legalHold ? "ON" : "OFF" } };
      },
    },
    PutObjectLegalHold: {
      authorize: (input, call) =>
        access.object(call, "PutObjectLegalHold", input.Bucket, input.Key, {}, input.VersionId),
      async run(input, call) {
        const status = input.LegalHold?.Status;
        if (status !== "ON" && status !== "OFF") throw malformedXml();
        return change(input, call, (object) => ({ ...object, legalHold: status === "ON" }));
      },
    },
  } satisfies OperationsOf<Sdk>;
}

/** AWS: asking to bypass needs the permission to. */
export function bypassActions(asked: boolean | undefined): readonly string[] {
  return asked ? ["BypassGovernanceRetention"] : [];
}

/** Undefined for the empty one, which takes it away. */
function toRetention(
  given:
    | {
        readonly Mode?: string | undefined;
        readonly RetainUntilDate?: Date | undefined;
        readonly EventHold?: string | undefined;
        readonly EventHoldDuration?: object | undefined;
      }
    | undefined,
  call: Call,
): Retention | undefined {
  if (!given) throw malformedXml();
  const { Mode, RetainUntilDate, EventHold, EventHoldDuration } = given;
  if (EventHold !== undefined) throw notImplemented("EventHold of PutObjectRetention");
  if (EventHoldDuration !== undefined) throw notImplemented("EventHoldDuration of PutObjectRetention");
  if (Mode === undefined && RetainUntilDate === undefined) return undefined;
  if (!isLockMode(Mode) || !RetainUntilDate) throw malformedXml();
  checkFuture(RetainUntilDate, "RetainUntilDate", call.now);
  return { mode: Mode, until: RetainUntilDate.getTime() };
}
