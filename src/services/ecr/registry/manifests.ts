import type { Blobs } from "../../../kernel/blobs/blobs.ts";
import type { Store } from "../../../kernel/store/store.ts";
import { imageNotFound, type ImageId } from "../errors.ts";
import { existingImage, listsWith, putImage, removeImage, removeTag } from "../images.ts";
import { ecrLimits } from "../limits.ts";
import { digestPattern, ociIndex, tagPattern } from "../manifest.ts";
import { keyOf, type Image } from "../model.ts";
import { existingRepository } from "../repositories.ts";
import { answer, RegistryError } from "./answers.ts";
import { unsupported, wholeBody, type RegistryExchange } from "./exchange.ts";

interface Needs {
  readonly store: Store;
  readonly blobs: Blobs;
}

/** What is done with `/v2/NAME/manifests/REFERENCE`, a tag or a digest. */
export async function answerManifest(exchange: RegistryExchange, reference: string, needs: Needs): Promise<void> {
  const { request, response, method, place, name, now } = exchange;
  const { store, blobs } = needs;
  const id = parseReference(reference);
  switch (method) {
    case "GET":
    case "HEAD": {
      await exchange.authorize("BatchGetImage");
      const image = await store.read(async (reader) =>
        existingImage(reader, place, await existingRepository(reader, place, name), id),
      );
      const manifest = method === "GET" ? await blobs.readAll(image.blobId) : "";
      const headers = {
        "content-type": image.mediaType,
        "content-length": image.manifestBytes,
        "docker-content-digest": image.digest,
        etag: `"${image.digest}"`,
      };
      return answer(response, 200, headers, manifest);
    }
    case "PUT": {
      await exchange.authorize("PutImage");
      const mediaType = request.headers["content-type"]?.split(";")[0]?.trim();
      const manifest = (await wholeBody(request, ecrLimits.manifestBytesMax)).toString("utf8");
      const image = await putImage(
        needs,
        place,
        name,
        { manifest, mediaType, tag: id.imageTag, digest: id.imageDigest, refuseKnown: false },
        now,
      );
      return answer(response, 201, {
        location: `/v2/${name}/manifests/${image.digest}`,
        "docker-content-digest": image.digest,
        ...(image.subject !== undefined && { "oci-subject": image.subject }),
      });
    }
    case "DELETE": {
      await exchange.authorize("BatchDeleteImage");
      await store.transact(async (tx) => {
        const repository = await existingRepository(tx, place, name);
        const image = await existingImage(tx, place, repository, id);
        const gone = id.imageTag === undefined || image.tags.length === 1;
        if (gone && (await listsWith(tx, repository, image.digest)).length > 0) {
          throw new RegistryError("DENIED", 405, "The image is referenced by a manifest list");
        }
        if (id.imageTag === undefined) await removeImage(tx, blobs, repository, image);
        else await removeTag(tx, blobs, repository, image, id.imageTag);
      });
      return answer(response, 202);
    }
    default:
      throw unsupported(method);
  }

  function parseReference(text: string): ImageId {
    if (digestPattern.test(text)) return { imageDigest: text };
    if (tagPattern.test(text)) return { imageTag: text };
    throw method === "PUT"
      ? new RegistryError("TAG_INVALID", 400, "The tag is invalid")
      : imageNotFound(place, name, { imageTag: text });
  }
}

/** `GET /v2/NAME/tags/list`, in order, in pages of `n` after `last`. */
export async function answerTags(exchange: RegistryExchange, { store }: Needs): Promise<void> {
  const { response, method, place, name, query } = exchange;
  if (method !== "GET") throw unsupported(method);
  await exchange.authorize("ListImages");
  const asked = query.get("n");
  if (asked !== null && !/^\d{1,9}$/.test(asked)) {
    throw new RegistryError("PAGINATION_NUMBER_INVALID", 400, "The number of tags of a page is invalid");
  }
  const limit = Math.min(asked === null ? ecrLimits.pageMax : Number(asked), ecrLimits.pageMax);
  const last = query.get("last");
  const entries = await store.read(async (reader) => {
    const prefix = keyOf("tag", (await existingRepository(reader, place, name)).id);
    return reader.range({ prefix, ...(last !== null && { after: [...prefix, last] }) }, { limit: limit + 1 });
  });
  const tags = entries.slice(0, limit).map(({ key }) => String(key.at(-1)));
  const end = tags.at(-1);
  const next =
    entries.length > limit && end !== undefined
      ? { link: `</v2/${name}/tags/list?n=${limit}&last=${encodeURIComponent(end)}>; rel="next"` }
      : {};
  answer(response, 200, { "content-type": "application/json", ...next }, JSON.stringify({ name, tags }));
}

/** `GET /v2/NAME/referrers/DIGEST`: what was pushed about an image. Source: OCI distribution specification 1.1. */
export async function answerReferrers(exchange: RegistryExchange, subject: string, needs: Needs): Promise<void> {
  const { response, method, place, name, query } = exchange;
  if (method !== "GET") throw unsupported(method);
  await exchange.authorize("BatchGetImage");
  const wanted = query.get("artifactType");
  const manifests = await needs.store.read(async (reader) => {
    const repository = await existingRepository(reader, place, name);
    const listed = [];
    let after: readonly [string] | undefined;
    const prefix = keyOf("image", repository.id);
    for (;;) {
      const page = await reader.range<Image>(
        { prefix, ...(after && { after: [...prefix, ...after] }) },
        { limit: ecrLimits.pageMax },
      );
      for (const { value: image } of page) {
        if (image.subject !== subject || (wanted !== null && image.artifactMediaType !== wanted)) continue;
        listed.push({
          mediaType: image.mediaType,
          digest: image.digest,
          size: image.manifestBytes,
          artifactType: image.artifactMediaType,
        });
      }
      const end = page.at(-1);
      if (page.length < ecrLimits.pageMax || !end) return listed;
      after = [end.value.digest];
    }
  });
  const headers = { "content-type": ociIndex, ...(wanted !== null && { "oci-filters-applied": "artifactType" }) };
  answer(response, 200, headers, JSON.stringify({ schemaVersion: 2, mediaType: ociIndex, manifests }));
}
