import type { Job } from "../../../kernel/jobs/jobs.ts";
import type { Key, Transaction } from "../../../kernel/store/store.ts";
import { releaseContent, releaseParts } from "../content.ts";
import { s3Limits } from "../limits.ts";
import {
  type Bucket,
  findBucket,
  findLatest,
  findVersionAt,
  removeVersion,
  rewriteVersion,
  type Upload,
  uploadPrefix,
  type Version,
  versionPrefix,
} from "../model.ts";
import { ownCause } from "../notifications/message.ts";
import { isProtected } from "../object-lock/lock.ts";
import type { OperationNeeds } from "../operations/operation-needs.ts";
import { removeObject } from "../remove-object.ts";
import { abortionOf, type Due, findDue } from "./due.ts";

const kind = "s3.lifecycle";
const dayMs = 86_400_000;

type Needs = Pick<OperationNeeds, "store" | "blobs" | "jobs" | "clock" | "ids" | "push" | "notify">;

/** Have a bucket's rules carried out now, and from then on every midnight (UTC) until it has none. */
export function scheduleLifecycle(tx: Transaction, { jobs, clock }: Needs, bucket: Bucket): void {
  jobs.schedule(tx, { kind, key: [bucket.id], at: clock.now(), payload: { bucket: bucket.name } });
}

export function cancelLifecycle(tx: Transaction, { jobs }: Needs, bucket: Bucket): void {
  jobs.cancel(tx, kind, [bucket.id]);
}

export function handleLifecycle(needs: Needs): void {
  needs.jobs.handle(kind, {
    concurrency: 1,
    async run(job) {
      const [id] = job.key;
      const find = async () => {
        const bucket = await needs.store.read((reader) => findBucket(reader, toBucketName(job.payload)));
        return bucket?.id === id && bucket?.lifecycle ? bucket : undefined;
      };
      const bucket = await find();
      if (!bucket) return;
      const now = needs.clock.now();
      await sweepVersions(needs, bucket, now, job);
      await sweepUploads(needs, bucket, now, job);
      await job.repeat((Math.floor(now / dayMs) + 1) * dayMs, job.payload, () => Promise.resolve());
    },
  });
}

interface Found {
  readonly key: string;
  readonly version: Version;
  readonly due: Due;
}

/** Every version in the order of keys, the latest first, a page at a time. */
async function sweepVersions(needs: Needs, bucket: Bucket, now: number, job: Job): Promise<void> {
  const rules = bucket.lifecycle ?? [];
  const prefix = versionPrefix(bucket);
  let after: Key | undefined;
  /** The version whose place is known once the next is: it may be the only one. */
  let waiting:
    | {
        readonly key: string;
        readonly version: Version;
        readonly replacedAt: number | undefined;
        readonly newer: number;
      }
    | undefined;
  for (;;) {
    job.signal.throwIfAborted();
    const page = await needs.store.read((reader) =>
      reader.range<Version>(after ? { prefix, after } : { prefix }, { limit: s3Limits.storePageMax }),
    );
    const found: Found[] = [];
    const decide = (next: string | undefined) => {
      if (!waiting) return;
      const alone = waiting.replacedAt === undefined && next !== waiting.key;
      const due = findDue(rules, { ...waiting, alone }, now);
      if (due) found.push({ key: waiting.key, version: waiting.version, due });
    };
    for (const { key: stored, value: version } of page) {
      const key = String(stored[3]);
      decide(key);
      const of: typeof waiting = waiting?.key === key ? waiting : undefined;
      waiting = {
        key,
        version,
        replacedAt: of?.version.modifiedAt,
        newer: of?.replacedAt === undefined ? 0 : of.newer + 1,
      };
    }
    const ended = page.length < s3Limits.storePageMax;
    if (ended) decide(undefined);
    await carryOut(needs, bucket, found, now);
    if (ended) return;
    after = page.at(-1)?.key;
  }
}

async function carryOut(needs: Needs, bucket: Bucket, found: readonly Found[], now: number): Promise<void> {
  for (let from = 0; from < found.length; from += s3Limits.lifecycleBatchMax) {
    const batch = found.slice(from, from + s3Limits.lifecycleBatchMax);
    const cause = ownCause(needs.ids.uuid().replaceAll("-", "").slice(0, 16).toUpperCase(), now);
    await needs.store.transact(async (tx) => {
      for (const { key, version, due } of batch) {
        // Since it was read, somebody may have written the key, or removed the version.
        const current = await findVersionAt(tx, bucket, key, version.sequence);
        if (!current) continue;
        if (due.kind === "expire") {
          if ((await findLatest(tx, bucket, key))?.sequence !== version.sequence) continue;
          await removeObject(tx, needs, bucket, key, { event: "LifecycleExpiration", cause });
        } else if (due.kind === "remove") {
          // AWS: what is locked stays until its lock ends.
          if (current.kind === "object" && isProtected(current, now, false)) continue;
          await removeVersion(tx, bucket, key, current);
          if (current.kind === "object") await releaseContent(tx, needs.blobs, current.content);
          needs.notify(tx, bucket, { event: "LifecycleExpiration:Delete", key, version: current }, cause);
        } else if (current.kind === "object") {
          const moved = { ...current, storageClass: due.storageClass };
          await rewriteVersion(tx, bucket, key, moved);
          needs.notify(tx, bucket, { event: "LifecycleTransition", key, version: moved }, cause);
        }
      }
    });
  }
}

async function sweepUploads(needs: Needs, bucket: Bucket, now: number, job: Job): Promise<void> {
  const rules = bucket.lifecycle ?? [];
  if (rules.every(({ abortDays }) => abortDays === undefined)) return;
  const prefix = uploadPrefix(bucket);
  let after: Key | undefined;
  for (;;) {
    job.signal.throwIfAborted();
    const page = await needs.store.read((reader) =>
      reader.range<Upload>(after ? { prefix, after } : { prefix }, { limit: s3Limits.storePageMax }),
    );
    for (const { key, value } of page) {
      const abortion = abortionOf(rules, String(key[3]), value.initiatedAt);
      if (!abortion || abortion.at > now) continue;
      await needs.store.transact(async (tx) => {
        if ((await tx.get(key)) === undefined) return;
        tx.delete(key);
        await releaseParts(tx, needs.blobs, value.uploadId);
      });
    }
    if (page.length < s3Limits.storePageMax) return;
    after = page.at(-1)?.key;
  }
}

// Written by `scheduleLifecycle`.
function toBucketName(payload: unknown): string {
  return (payload as { readonly bucket: string }).bucket;
}
