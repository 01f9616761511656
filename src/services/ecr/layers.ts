import { createHash } from "node:crypto";
import type { Reader, Transaction } from "../../kernel/store/store.ts";
import { invalidLayer, uploadNotFound } from "./errors.ts";
import { ecrLimits } from "./limits.ts";
import { keyOf, readLayer, readUpload, type Layer, type Place, type Repository, type Upload } from "./model.ts";
import type { EcrNeeds } from "./needs.ts";
import { existingRepository, releaseBlob, retainBlob } from "./repositories.ts";
import { expireLayer, expireUpload, keepUpload } from "./worker.ts";

type Needs = Pick<EcrNeeds, "store" | "blobs" | "jobs" | "ids">;

/** Layers come in parts, of any size; each is durable when `append` has resolved. */
export interface Layers {
  start(place: Place, name: string, now: number): Promise<Upload>;
  find(place: Place, name: string, uploadId: string): Promise<Upload>;
  /**
   * Add to an upload, which must have received as many bytes as `at` says, where that is said.
   *
   * @throws {OffsetError} when it has not
   */
  append(
    place: Place,
    name: string,
    uploadId: string,
    content: AsyncIterable<Uint8Array> | Uint8Array,
    at?: number,
  ): Promise<Upload>;
  /** The upload becomes a layer. Throws InvalidLayerException where it is not what `digest` says. */
  complete(place: Place, name: string, uploadId: string, digest: string, now: number): Promise<"new" | "known">;
  cancel(place: Place, name: string, uploadId: string): Promise<void>;
  /** Use a layer of another repository. False where it has none. */
  mount(place: Place, name: string, from: Repository, digest: string, now: number): Promise<boolean>;
}

export class OffsetError extends Error {
  readonly bytes: number;
  constructor(bytes: number) {
    super(`The upload has received ${bytes} bytes`);
    this.bytes = bytes;
  }
}

export function createLayers({ store, blobs, jobs, ids }: Needs): Layers {
  const drop = async (tx: Transaction, repository: Repository, upload: Upload) => {
    tx.delete(keyOf("upload", repository.id, upload.id));
    for (const part of upload.parts) await releaseBlob(tx, blobs, part.blobId, `${repository.id}/${upload.id}`);
    keepUpload(tx, jobs, repository, upload.id);
  };

  return {
    start: (place, name, now) =>
      store.transact(async (tx) => {
        const repository = await existingRepository(tx, place, name);
        const upload: Upload = { v: 1, id: ids.uuid(), startedAt: now, bytes: 0, parts: [] };
        tx.set(keyOf("upload", repository.id, upload.id), upload);
        expireUpload(tx, jobs, repository, upload.id, now);
        return upload;
      }),

    find: async (place, name, id) => (await store.read((reader) => existingUpload(reader, place, name, id))).upload,

    async append(place, name, id, content, at) {
      const { upload: before } = await store.read((reader) => existingUpload(reader, place, name, id));
      if (at !== undefined && at !== before.bytes) throw new OffsetError(before.bytes);
      const hash = createHash("sha256");
      const written = await blobs.write(hashed(content, hash), { maxBytes: ecrLimits.layerBytesMax - before.bytes });
      const part = { blobId: written.id, bytes: written.bytes, digest: `sha256:${hash.digest("hex")}` };
      return store.transact(async (tx) => {
        const { repository, upload } = await existingUpload(tx, place, name, id);
        // Somebody else has added to it meanwhile.
        if (upload.bytes !== before.bytes) throw new OffsetError(upload.bytes);
        if (part.bytes === 0) return upload;
        const after: Upload = { ...upload, bytes: upload.bytes + part.bytes, parts: [...upload.parts, part] };
        tx.set(keyOf("upload", repository.id, id), after);
        retainBlob(tx, blobs, part.blobId, `${repository.id}/${id}`);
        return after;
      });
    },

    async complete(place, name, id, digest, now) {
      const { upload: before } = await store.read((reader) => existingUpload(reader, place, name, id));
      const [only] = before.parts;
      let content: { readonly blobId: string; readonly digest: string } | undefined =
        before.parts.length === 1 ? only : undefined;
      if (content === undefined) {
        const hash = createHash("sha256");
        const written = await blobs.write(hashed(joined(before), hash));
        content = { blobId: written.id, digest: `sha256:${hash.digest("hex")}` };
      }
      if (content.digest !== digest) throw invalidLayer();
      const { blobId } = content;
      return store.transact(async (tx) => {
        const { repository, upload } = await existingUpload(tx, place, name, id);
        if (upload.bytes !== before.bytes) throw new OffsetError(upload.bytes);
        const known = await readLayer(tx, repository, digest);
        if (!known) addLayer(tx, repository, { v: 1, digest, blobId, bytes: upload.bytes }, now);
        await drop(tx, repository, upload);
        return known ? "known" : "new";
      });
    },

    cancel: (place, name, id) =>
      store.transact(async (tx) => {
        const { repository, upload } = await existingUpload(tx, place, name, id);
        await drop(tx, repository, upload);
      }),

    mount: (place, name, from, digest, now) =>
      store.transact(async (tx) => {
        const repository = await existingRepository(tx, place, name);
        if (await readLayer(tx, repository, digest)) return true;
        const layer = await readLayer(tx, from, digest);
        if (!layer) return false;
        addLayer(tx, repository, layer, now);
        return true;
      }),
  };

  function addLayer(tx: Transaction, repository: Repository, layer: Layer, now: number): void {
    tx.set(keyOf("layer", repository.id, layer.digest), layer);
    retainBlob(tx, blobs, layer.blobId, repository.id);
    expireLayer(tx, jobs, repository, layer.digest, now);
  }

  async function* joined(upload: Upload): AsyncIterable<Uint8Array> {
    for (const { blobId } of upload.parts) yield* blobs.read(blobId);
  }
}

async function* hashed(
  content: AsyncIterable<Uint8Array> | Uint8Array,
  hash: { update(chunk: Uint8Array): unknown },
): AsyncIterable<Uint8Array> {
  for await (const chunk of content instanceof Uint8Array ? [content] : content) {
    hash.update(chunk);
    yield chunk;
  }
}

async function existingUpload(reader: Reader, place: Place, name: string, id: string) {
  const repository = await existingRepository(reader, place, name);
  const upload = await readUpload(reader, repository, id);
  if (!upload) throw uploadNotFound(place, name, id);
  return { repository, upload };
}
