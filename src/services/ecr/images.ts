import { createHash } from "node:crypto";
import type { Reader, Transaction } from "../../kernel/store/store.ts";
import {
  imageDigestDoesNotMatch,
  imageExists,
  imageNotFound,
  invalidParameter,
  layersNotFound,
  limitExceeded,
  referencedImagesNotFound,
  tagExists,
  type ImageId,
} from "./errors.ts";
import { ecrLimits } from "./limits.ts";
import { ManifestError, parseManifest, type Manifest } from "./manifest.ts";
import { keyOf, readImage, readLayer, readTag, type Image, type Place, type Repository } from "./model.ts";
import type { EcrNeeds } from "./needs.ts";
import { existingRepository, releaseBlob, retainBlob } from "./repositories.ts";
import { matchesWildcard } from "./rules.ts";
import { dropUnusedLayer } from "./worker.ts";

type Needs = Pick<EcrNeeds, "store" | "blobs">;

export interface PutImageRequest {
  readonly manifest: string;
  readonly mediaType: string | undefined;
  readonly tag: string | undefined;
  readonly digest: string | undefined;
  /** Whether an image that is there already, under that tag, is refused. */
  readonly refuseKnown: boolean;
}

/** Add an image, whose layers are there already, or give one a tag. Throws what PutImage answers. */
export async function putImage(
  { store, blobs }: Needs,
  place: Place,
  name: string,
  request: PutImageRequest,
  now: number,
): Promise<Image> {
  const bytes = Buffer.from(request.manifest);
  if (bytes.length > ecrLimits.manifestBytesMax) throw invalidParameter("The manifest is larger than 4 MiB");
  const manifest = readManifest(request);
  const digest = `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
  if (request.digest !== undefined && request.digest !== digest) throw imageDigestDoesNotMatch();
  const written = await blobs.write(bytes);
  return store.transact(async (tx) => {
    const repository = await existingRepository(tx, place, name);
    const known = await readImage(tx, repository, digest);
    const { tag } = request;
    if (known && request.refuseKnown && (tag === undefined || known.tags.includes(tag))) {
      throw imageExists(place, name, digest, tag);
    }
    const bytesOfContent = await checkContent(tx, place, repository, manifest);
    const image: Image = known ?? {
      v: 1,
      digest,
      mediaType: manifest.mediaType,
      blobId: written.id,
      manifestBytes: bytes.length,
      bytes: bytesOfContent,
      pushedAt: now,
      tags: [],
      ...artifactOf(manifest),
      ...(manifest.subject !== undefined && { subject: manifest.subject }),
      layers: contentOf(manifest),
      manifests: manifest.manifests.map((each) => each.digest),
    };
    if (!known) {
      retainBlob(tx, blobs, written.id, repository.id);
      for (const each of image.layers) tx.set(keyOf("layerUse", repository.id, each, digest), true);
      for (const each of image.manifests) tx.set(keyOf("parent", repository.id, each, digest), true);
    }
    const tagged = tag === undefined ? image : await giveTag(tx, place, repository, image, tag);
    tx.set(keyOf("image", repository.id, digest), tagged);
    return tagged;
  });
}

function readManifest(request: PutImageRequest): Manifest {
  try {
    return parseManifest(request.manifest, request.mediaType);
  } catch (error) {
    if (!(error instanceof ManifestError)) throw error;
    throw invalidParameter(
      `Invalid parameter at 'ImageManifest' failed to satisfy constraint: 'Invalid JSON syntax' (${error.message})`,
    );
  }
}

function contentOf(manifest: Manifest): readonly string[] {
  const listed = [...(manifest.config ? [manifest.config] : []), ...manifest.layers];
  // Layers that licences keep in their makers' registries need not be here.
  const here = listed.filter((each) => !/foreign|nondistributable/.test(each.mediaType));
  return [...new Set(here.map((each) => each.digest))];
}

function artifactOf(manifest: Manifest): { readonly artifactMediaType?: string } {
  const type = manifest.artifactType ?? manifest.config?.mediaType;
  return type === undefined ? {} : { artifactMediaType: type };
}

/** All that a manifest names must be there. How large the image is. */
async function checkContent(reader: Reader, place: Place, repository: Repository, manifest: Manifest): Promise<number> {
  const { name } = repository;
  if (manifest.kind === "list") {
    const images = await Promise.all(manifest.manifests.map((each) => readImage(reader, repository, each.digest)));
    const missing = manifest.manifests.filter((_, index) => !images[index]).map((each) => each.digest);
    if (missing.length > 0) throw referencedImagesNotFound(place, name, missing);
    return Math.max(0, ...images.map((image) => image?.bytes ?? 0));
  }
  const digests = contentOf(manifest);
  const layers = await Promise.all(digests.map((digest) => readLayer(reader, repository, digest)));
  const missing = digests.filter((_, index) => !layers[index]);
  if (missing.length > 0) throw layersNotFound(place, name, missing);
  return manifest.layers.reduce((sum, layer) => sum + layer.size, 0);
}

async function giveTag(
  tx: Transaction,
  place: Place,
  repository: Repository,
  image: Image,
  tag: string,
): Promise<Image> {
  const before = await readTag(tx, repository, tag);
  if (before === image.digest) return image;
  if (image.tags.length >= ecrLimits.tagsPerImageMax) {
    throw limitExceeded(`The image may have at most ${ecrLimits.tagsPerImageMax} tags`);
  }
  if (before !== undefined) {
    if (isImmutable(repository, tag)) throw tagExists(place, repository.name, tag);
    const other = await readImage(tx, repository, before);
    if (other) tx.set(keyOf("image", repository.id, before), withoutTag(other, tag));
  }
  tx.set(keyOf("tag", repository.id, tag), image.digest);
  return { ...image, tags: [...image.tags, tag] };
}

function withoutTag(image: Image, tag: string): Image {
  return { ...image, tags: image.tags.filter((each) => each !== tag) };
}

function isImmutable({ mutability, exclusions }: Repository, tag: string): boolean {
  const excluded = exclusions.some((filter) => matchesWildcard(filter, tag));
  return mutability.startsWith("IMMUTABLE") !== excluded;
}

/** The image of a digest, a tag, or both when they belong together. */
export async function findImage(reader: Reader, repository: Repository, id: ImageId): Promise<Image | undefined> {
  const tagged = id.imageTag === undefined ? undefined : await readTag(reader, repository, id.imageTag);
  if (id.imageTag !== undefined && (tagged === undefined || (id.imageDigest ?? tagged) !== tagged)) return undefined;
  const digest = id.imageDigest ?? tagged;
  return digest === undefined ? undefined : readImage(reader, repository, digest);
}

export async function existingImage(reader: Reader, place: Place, repository: Repository, id: ImageId): Promise<Image> {
  const image = await findImage(reader, repository, id);
  if (!image) throw imageNotFound(place, repository.name, id);
  return image;
}

/** Lists that name the image, which cannot be deleted before them. */
export async function listsWith(reader: Reader, repository: Repository, digest: string): Promise<readonly string[]> {
  const entries = await reader.range({ prefix: keyOf("parent", repository.id, digest) }, { limit: 100 });
  return entries.map(({ key }) => String(key.at(-1)));
}

/** Take away a tag, and the image with its last one. */
export async function removeTag(
  tx: Transaction,
  blobs: Needs["blobs"],
  repository: Repository,
  image: Image,
  tag: string,
): Promise<void> {
  const left = withoutTag(image, tag);
  if (left.tags.length === 0) return removeImage(tx, blobs, repository, image);
  tx.delete(keyOf("tag", repository.id, tag));
  tx.set(keyOf("image", repository.id, image.digest), left);
}

export async function removeImage(
  tx: Transaction,
  blobs: Needs["blobs"],
  repository: Repository,
  image: Image,
): Promise<void> {
  const { digest } = image;
  tx.delete(keyOf("image", repository.id, digest));
  for (const tag of image.tags) tx.delete(keyOf("tag", repository.id, tag));
  for (const each of image.manifests) tx.delete(keyOf("parent", repository.id, each, digest));
  for (const each of image.layers) {
    tx.delete(keyOf("layerUse", repository.id, each, digest));
    await dropUnusedLayer(tx, blobs, repository.id, each);
  }
  await releaseBlob(tx, blobs, image.blobId, repository.id);
}
