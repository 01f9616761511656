import { toArn } from "../../aws/arn.ts";
import type { Key, Reader, Transaction } from "../../kernel/store/store.ts";

/** A repository as stored. */
export interface Repository {
  readonly v: 1;
  /** Unique to this incarnation: a new repository of the same name sees nothing of the old one. */
  readonly id: string;
  readonly name: string;
  readonly createdAt: number;
  readonly mutability: Mutability;
  /** Tags that these match are treated the other way round. */
  readonly exclusions: readonly string[];
  /** As it was given, and as it is evaluated. */
  readonly policy?: { readonly text: string; readonly evaluated: string };
  readonly tags: Readonly<Record<string, string>>;
}

export type Mutability = "MUTABLE" | "IMMUTABLE" | "IMMUTABLE_WITH_EXCLUSION" | "MUTABLE_WITH_EXCLUSION";

/** A manifest and its tags. */
export interface Image {
  readonly v: 1;
  readonly digest: string;
  readonly mediaType: string;
  /** The blob with the manifest, as it was pushed. */
  readonly blobId: string;
  readonly manifestBytes: number;
  /** Of its layers, or of the largest image of a list. */
  readonly bytes: number;
  readonly pushedAt: number;
  readonly tags: readonly string[];
  readonly artifactMediaType?: string;
  readonly subject?: string;
  /** Digests of the config and the layers; of the images, for a list. */
  readonly layers: readonly string[];
  readonly manifests: readonly string[];
}

/** Content of a layer or a config. */
export interface Layer {
  readonly v: 1;
  readonly digest: string;
  readonly blobId: string;
  readonly bytes: number;
  readonly mediaType?: string;
}

/** A layer on its way. */
export interface Upload {
  readonly v: 1;
  readonly id: string;
  readonly startedAt: number;
  readonly bytes: number;
  readonly parts: readonly { readonly blobId: string; readonly bytes: number; readonly digest: string }[];
}

/** Whose registry, and where. */
export interface Place {
  readonly account: string;
  readonly region: string;
}

export function repositoryPrefix(place: Place): Key {
  return ["ecr", "repository", place.account, place.region];
}

/** Keys of what is in a repository. */
export function keyOf(
  kind: "image" | "tag" | "layer" | "upload" | "layerUse" | "parent",
  repositoryId: string,
  ...rest: Key
): Key {
  return ["ecr", kind, repositoryId, ...rest];
}

export function readRepository(reader: Reader, place: Place, name: string): Promise<Repository | undefined> {
  return reader.get<Repository>([...repositoryPrefix(place), name]);
}

export function writeRepository(tx: Transaction, place: Place, repository: Repository): void {
  tx.set([...repositoryPrefix(place), repository.name], repository);
}

export function readImage(reader: Reader, repository: Repository, digest: string): Promise<Image | undefined> {
  return reader.get<Image>(keyOf("image", repository.id, digest));
}

export function readTag(reader: Reader, repository: Repository, tag: string): Promise<string | undefined> {
  return reader.get<string>(keyOf("tag", repository.id, tag));
}

export function readLayer(reader: Reader, repository: Repository, digest: string): Promise<Layer | undefined> {
  return reader.get<Layer>(keyOf("layer", repository.id, digest));
}

export function readUpload(reader: Reader, repository: Repository, id: string): Promise<Upload | undefined> {
  return reader.get<Upload>(keyOf("upload", repository.id, id));
}

/** Content may be in several repositories: who uses it. */
export function blobUsePrefix(blobId: string): Key {
  return ["ecr", "blobUse", blobId];
}

export function repositoryArn(place: Place, name: string): string {
  return toArn("ecr", place.region, place.account, `repository/${name}`);
}
