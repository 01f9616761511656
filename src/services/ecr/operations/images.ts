import { notImplemented } from "../../../aws/error.ts";
import type { Reader } from "../../../kernel/store/store.ts";
import type { Call, OperationsOf } from "../../../wire/service.ts";
import { invalidParameter, type ImageId } from "../errors.ts";
import { existingImage, findImage, listsWith, putImage, removeImage, removeTag } from "../images.ts";
import { ecrLimits } from "../limits.ts";
import { tagPattern } from "../manifest.ts";
import { keyOf, type Image, type Place, type Repository } from "../model.ts";
import type { EcrNeeds, Sdk } from "../needs.ts";
import { existingRepository, onRepository, placeOf, present, type Named } from "../repositories.ts";
import { parsePageToken, toPageToken } from "../rules.ts";

interface Paged {
  readonly nextToken?: string | undefined;
  readonly maxResults?: number | undefined;
  readonly filter?: { readonly tagStatus?: string | undefined; readonly imageStatus?: string | undefined } | undefined;
}

export function imageOperations({ store, blobs }: EcrNeeds) {
  const on = (action: string) => async (input: Named, call: Call) => {
    const { place, name } = placeOf(input, call);
    return [await onRepository(store, action, place, name)];
  };
  return {
    PutImage: {
      authorize: on("PutImage"),
      async run(input, call) {
        const { place, name } = placeOf(input, call);
        const { imageTag } = input;
        if (imageTag !== undefined && !tagPattern.test(imageTag)) {
          throw invalidParameter("Invalid parameter at 'imageTag' failed to satisfy constraint: 'must be a valid tag'");
        }
        const manifest = present(input.imageManifest, "imageManifest");
        const image = await putImage(
          { store, blobs },
          place,
          name,
          {
            manifest,
            mediaType: input.imageManifestMediaType,
            tag: imageTag,
            digest: input.imageDigest,
            refuseKnown: true,
          },
          call.now,
        );
        return {
          image: {
            registryId: place.account,
            repositoryName: name,
            imageId: { imageDigest: image.digest, ...(imageTag !== undefined && { imageTag }) },
            imageManifest: manifest,
            imageManifestMediaType: image.mediaType,
          },
        };
      },
    },

    BatchGetImage: {
      authorize: on("BatchGetImage"),
      async run(input, call) {
        const { place, name } = placeOf(input, call);
        const wanted = present(input.imageIds, "imageIds");
        const accepted = input.acceptedMediaTypes ?? [];
        const { found, failures } = await store.read(async (reader) => {
          const repository = await existingRepository(reader, place, name);
          return sort(reader, repository, wanted);
        });
        const images = [];
        for (const { id, image } of found) {
          // AWS: what is not accepted is converted where that is possible; here only as it was pushed.
          if (accepted.length > 0 && !accepted.includes(image.mediaType) && !accepted.includes("*/*")) {
            throw notImplemented(
              "A manifest in another media type than it was pushed in (acceptedMediaTypes of BatchGetImage)",
            );
          }
          images.push({
            registryId: place.account,
            repositoryName: name,
            imageId: { imageDigest: image.digest, ...(id.imageTag !== undefined && { imageTag: id.imageTag }) },
            imageManifest: Buffer.from(await blobs.readAll(image.blobId)).toString("utf8"),
            imageManifestMediaType: image.mediaType,
          });
        }
        return { images, failures };
      },
    },

    BatchDeleteImage: {
      authorize: on("BatchDeleteImage"),
      async run(input, call) {
        const { place, name } = placeOf(input, call);
        const wanted = present(input.imageIds, "imageIds");
        return store.transact(async (tx) => {
          const repository = await existingRepository(tx, place, name);
          const deleted: ImageId[] = [];
          const failures = [];
          for (const id of wanted) {
            const sorted = await sort(tx, repository, [id]);
            failures.push(...sorted.failures);
            const [hit] = sorted.found;
            if (!hit) continue;
            const { image } = hit;
            const lists =
              id.imageTag !== undefined && image.tags.length > 1 ? [] : await listsWith(tx, repository, image.digest);
            if (lists.length > 0) {
              failures.push({
                imageId: { imageDigest: image.digest },
                failureCode: "ImageReferencedByManifestList" as const,
                failureReason: `Requested image referenced by manifest list: [${lists.join(", ")}]`,
              });
            } else if (id.imageTag !== undefined) {
              await removeTag(tx, blobs, repository, image, id.imageTag);
              deleted.push({ imageDigest: image.digest, imageTag: id.imageTag });
            } else {
              await removeImage(tx, blobs, repository, image);
              if (image.tags.length === 0) deleted.push({ imageDigest: image.digest });
              for (const imageTag of image.tags) deleted.push({ imageDigest: image.digest, imageTag });
            }
          }
          return { imageIds: deleted.map(toImageId), failures };
        });
      },
    },

    ListImages: {
      authorize: on("ListImages"),
      async run(input, call) {
        const { place, name } = placeOf(input, call);
        const { page, nextToken } = await readPage(place, name, input);
        const { tagStatus = "ANY" } = input.filter ?? {};
        const imageIds = page.flatMap((image) => {
          if (image.tags.length === 0) return tagStatus === "TAGGED" ? [] : [{ imageDigest: image.digest }];
          return image.tags.map((imageTag) => ({ imageDigest: image.digest, imageTag }));
        });
        return { imageIds, ...(nextToken !== undefined && { nextToken }) };
      },
    },

    DescribeImages: {
      authorize: on("DescribeImages"),
      async run(input, call) {
        const { place, name } = placeOf(input, call);
        const { imageIds } = input;
        if (imageIds) {
          if (input.maxResults !== undefined || input.nextToken !== undefined) {
            throw invalidParameter("Invalid parameter: maxResults and nextToken cannot be used with imageIds");
          }
          const images = await store.read(async (reader) => {
            const repository = await existingRepository(reader, place, name);
            return Promise.all(imageIds.map((id) => existingImage(reader, place, repository, id)));
          });
          const unique = new Map(images.map((image) => [image.digest, image]));
          return { imageDetails: [...unique.values()].map((image) => describe(place, name, image)) };
        }
        const { page, nextToken } = await readPage(place, name, input);
        return {
          imageDetails: page.map((image) => describe(place, name, image)),
          ...(nextToken !== undefined && { nextToken }),
        };
      },
    },
  } satisfies OperationsOf<Sdk>;

  /** Images in order of digest; filtered ones are left out of their page. */
  async function readPage(place: Place, name: string, input: Paged) {
    const limit = input.maxResults ?? ecrLimits.pageDefault;
    const after = input.nextToken === undefined ? undefined : parsePageToken(input.nextToken);
    if (after === undefined && input.nextToken !== undefined) {
      throw invalidParameter("Invalid parameter at 'nextToken' failed to satisfy constraint: 'must be a valid token'");
    }
    const { tagStatus = "ANY", imageStatus = "ACTIVE" } = input.filter ?? {};
    return store.read(async (reader) => {
      const repository = await existingRepository(reader, place, name);
      const prefix = keyOf("image", repository.id);
      const entries = await reader.range<Image>(
        { prefix, ...(after !== undefined && { after: [...prefix, after] }) },
        { limit: limit + 1 },
      );
      const images = entries.slice(0, limit).map(({ value }) => value);
      const last = images.at(-1);
      const page = images.filter(
        (image) =>
          (imageStatus === "ACTIVE" || imageStatus === "ANY") &&
          (tagStatus === "ANY" || (tagStatus === "TAGGED") === image.tags.length > 0),
      );
      return { page, nextToken: entries.length > limit && last ? toPageToken(last.digest) : undefined };
    });
  }
}

/** What is there of what was asked for. */
async function sort(reader: Reader, repository: Repository, ids: readonly ImageId[]) {
  const found = [];
  const failures = [];
  for (const id of ids) {
    if (id.imageDigest === undefined && id.imageTag === undefined) {
      failures.push({
        imageId: {},
        failureCode: "MissingDigestAndTag" as const,
        failureReason: "Invalid request parameters: both tag and digest cannot be null",
      });
      continue;
    }
    const image = await findImage(reader, repository, id);
    if (image) found.push({ id, image });
    else {
      failures.push({
        imageId: toImageId(id),
        failureCode: "ImageNotFound" as const,
        failureReason: "Requested image not found",
      });
    }
  }
  return { found, failures };
}

function toImageId({ imageDigest, imageTag }: ImageId) {
  return { ...(imageDigest !== undefined && { imageDigest }), ...(imageTag !== undefined && { imageTag }) };
}

function describe(place: Place, name: string, image: Image) {
  return {
    registryId: place.account,
    repositoryName: name,
    imageDigest: image.digest,
    ...(image.tags.length > 0 && { imageTags: [...image.tags] }),
    imageSizeInBytes: image.bytes,
    imagePushedAt: new Date(image.pushedAt),
    imageManifestMediaType: image.mediaType,
    ...(image.artifactMediaType !== undefined && { artifactMediaType: image.artifactMediaType }),
    ...(image.subject !== undefined && { subjectManifestDigest: image.subject }),
    imageStatus: "ACTIVE" as const,
  };
}
