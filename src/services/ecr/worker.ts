import type { Transaction } from "../../kernel/store/store.ts";
import type { Jobs } from "../../kernel/jobs/jobs.ts";
import { ecrLimits } from "./limits.ts";
import { keyOf, type Image, type Layer, type Repository, type Upload } from "./model.ts";
import type { EcrNeeds } from "./needs.ts";
import { releaseBlob } from "./repositories.ts";

const uploads = "ecr.expireUpload";
const layers = "ecr.expireLayer";
const repositories = "ecr.forgetRepository";

export function expireUpload(tx: Transaction, jobs: Jobs, repository: Repository, id: string, now: number): void {
  jobs.schedule(tx, { kind: uploads, key: [repository.id, id], at: now + ecrLimits.unusedUploadMs });
}

/** The upload is over: nothing is left to remove. */
export function keepUpload(tx: Transaction, jobs: Jobs, repository: Repository, id: string): void {
  jobs.cancel(tx, uploads, [repository.id, id]);
}

/** Layers come before the image that has them, which may never come. */
export function expireLayer(tx: Transaction, jobs: Jobs, repository: Repository, digest: string, now: number): void {
  jobs.schedule(tx, { kind: layers, key: [repository.id, digest], at: now + ecrLimits.unusedUploadMs });
}

export function forgetRepository(tx: Transaction, jobs: Jobs, repository: Repository, now: number): void {
  jobs.schedule(tx, { kind: repositories, key: [repository.id], at: now });
}

/** Removes a layer that no image has. */
export async function dropUnusedLayer(
  tx: Transaction,
  blobs: EcrNeeds["blobs"],
  repositoryId: string,
  digest: string,
): Promise<void> {
  const uses = await tx.range({ prefix: keyOf("layerUse", repositoryId, digest) }, { limit: 1 });
  const layer = uses.length === 0 ? await tx.get<Layer>(keyOf("layer", repositoryId, digest)) : undefined;
  if (!layer) return;
  tx.delete(keyOf("layer", repositoryId, digest));
  await releaseBlob(tx, blobs, layer.blobId, repositoryId);
}

export function handleEcrJobs({ jobs, store, blobs }: EcrNeeds): void {
  jobs.handle(uploads, {
    concurrency: 1,
    run: (job) =>
      job.finish(async (tx) => {
        const [repositoryId = "", id = ""] = job.key.map(String);
        const upload = await tx.get<Upload>(keyOf("upload", repositoryId, id));
        if (!upload) return;
        tx.delete(keyOf("upload", repositoryId, id));
        for (const part of upload.parts) await releaseBlob(tx, blobs, part.blobId, `${repositoryId}/${id}`);
      }),
  });

  jobs.handle(layers, {
    concurrency: 1,
    run: (job) =>
      job.finish((tx) => {
        const [repositoryId = "", digest = ""] = job.key.map(String);
        return dropUnusedLayer(tx, blobs, repositoryId, digest);
      }),
  });

  jobs.handle(repositories, {
    concurrency: 1,
    async run(job) {
      const [repositoryId = ""] = job.key.map(String);
      const forget = async <V>(
        kind: Parameters<typeof keyOf>[0],
        each: (tx: Transaction, value: V) => Promise<void>,
      ) => {
        for (;;) {
          const left = await store.transact(async (tx) => {
            const page = await tx.range<V>({ prefix: keyOf(kind, repositoryId) }, { limit: ecrLimits.forgetMax });
            for (const { key, value } of page) {
              await each(tx, value);
              tx.delete(key);
            }
            return page.length;
          });
          if (left < ecrLimits.forgetMax) return;
        }
      };
      await forget<Upload>("upload", async (tx, upload) => {
        for (const part of upload.parts) await releaseBlob(tx, blobs, part.blobId, `${repositoryId}/${upload.id}`);
        jobs.cancel(tx, uploads, [repositoryId, upload.id]);
      });
      await forget<Layer>("layer", async (tx, layer) => {
        await releaseBlob(tx, blobs, layer.blobId, repositoryId);
        jobs.cancel(tx, layers, [repositoryId, layer.digest]);
      });
      await forget<Image>("image", (tx, image) => releaseBlob(tx, blobs, image.blobId, repositoryId));
      for (const kind of ["tag", "layerUse", "parent"] as const) await forget(kind, async () => {});
    },
  });
}
