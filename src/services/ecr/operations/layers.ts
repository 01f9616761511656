import { BlobTooLargeError } from "../../../kernel/blobs/blobs.ts";
import type { Call, OperationsOf } from "../../../wire/service.ts";
import {
  emptyUpload,
  invalidLayerPart,
  invalidParameter,
  layerExists,
  layerPartTooSmall,
  layersNotFound,
  limitExceeded,
} from "../errors.ts";
import { sealDownload } from "../credentials.ts";
import { OffsetError, type Layers } from "../layers.ts";
import { ecrLimits } from "../limits.ts";
import { digestPattern } from "../manifest.ts";
import { readLayer } from "../model.ts";
import type { EcrNeeds, Sdk } from "../needs.ts";
import { existingRepository, onRepository, placeOf, present, type Named } from "../repositories.ts";

/** Path below which layers are downloaded: what follows is the token. */
export const layerUrlPath = "/_cumulet/ecr/layer/";

export function layerOperations({ store, clock, seal, layers }: EcrNeeds & { readonly layers: Layers }) {
  const on = (action: string) => async (input: Named, call: Call) => {
    const { place, name } = placeOf(input, call);
    return [await onRepository(store, action, place, name)];
  };
  return {
    InitiateLayerUpload: {
      authorize: on("InitiateLayerUpload"),
      async run(input, call) {
        const { place, name } = placeOf(input, call);
        const { id } = await layers.start(place, name, call.now);
        return { uploadId: id, partSize: ecrLimits.partBytesRecommended };
      },
    },

    UploadLayerPart: {
      authorize: on("UploadLayerPart"),
      async run(input, call) {
        const { place, name } = placeOf(input, call);
        const uploadId = present(input.uploadId, "uploadId");
        const content = present(input.layerPartBlob, "layerPartBlob");
        const first = present(input.partFirstByte, "partFirstByte");
        const last = present(input.partLastByte, "partLastByte");
        const before = await layers.find(place, name, uploadId);
        const about = { registryId: place.account, repositoryName: name, uploadId };
        const refused = (bytes: number) => invalidLayerPart({ ...about, lastValidByteReceived: bytes - 1 });
        if (last - first + 1 !== content.byteLength || content.byteLength === 0) throw refused(before.bytes);
        if (before.parts.length >= ecrLimits.partsMax) throw limitExceeded("The upload has too many parts");
        try {
          const upload = await layers.append(place, name, uploadId, content, first);
          return { ...about, lastByteReceived: upload.bytes - 1 };
        } catch (error) {
          if (error instanceof OffsetError) throw refused(error.bytes);
          if (error instanceof BlobTooLargeError) throw limitExceeded("The layer is too large");
          throw error;
        }
      },
    },

    CompleteLayerUpload: {
      authorize: on("CompleteLayerUpload"),
      async run(input, call) {
        const { place, name } = placeOf(input, call);
        const uploadId = present(input.uploadId, "uploadId");
        const [digest, ...others] = present(input.layerDigests, "layerDigests");
        if (digest === undefined || others.length > 0 || !digestPattern.test(digest)) {
          throw invalidParameter(
            "Invalid parameter at 'layerDigests' failed to satisfy constraint: 'must be one digest of the form sha256:hex'",
          );
        }
        const upload = await layers.find(place, name, uploadId);
        if (upload.parts.length === 0) throw emptyUpload();
        if (upload.parts.slice(0, -1).some((part) => part.bytes < ecrLimits.partBytesMin)) throw layerPartTooSmall();
        const outcome = await layers.complete(place, name, uploadId, digest, call.now);
        if (outcome === "known") throw layerExists(digest);
        return { registryId: place.account, repositoryName: name, uploadId, layerDigest: digest };
      },
    },

    BatchCheckLayerAvailability: {
      authorize: on("BatchCheckLayerAvailability"),
      async run(input, call) {
        const { place, name } = placeOf(input, call);
        const digests = present(input.layerDigests, "layerDigests");
        return store.read(async (reader) => {
          const repository = await existingRepository(reader, place, name);
          const known = [];
          const failures = [];
          for (const layerDigest of digests) {
            if (!digestPattern.test(layerDigest)) {
              failures.push({
                layerDigest,
                failureCode: "InvalidLayerDigest" as const,
                failureReason: "Invalid layer digest",
              });
              continue;
            }
            const layer = await readLayer(reader, repository, layerDigest);
            known.push(
              layer
                ? { layerDigest, layerAvailability: "AVAILABLE" as const, layerSize: layer.bytes }
                : { layerDigest, layerAvailability: "UNAVAILABLE" as const },
            );
          }
          return { layers: known, failures };
        });
      },
    },

    GetDownloadUrlForLayer: {
      authorize: on("GetDownloadUrlForLayer"),
      async run(input, call) {
        const { place, name } = placeOf(input, call);
        const layerDigest = present(input.layerDigest, "layerDigest");
        const layer = await store.read(async (reader) =>
          readLayer(reader, await existingRepository(reader, place, name), layerDigest),
        );
        if (!layer) throw layersNotFound(place, name, [layerDigest]);
        const token = sealDownload(seal, layer.blobId, clock.now() + ecrLimits.downloadMs);
        return { downloadUrl: `${call.endpoint}${layerUrlPath}${token}`, layerDigest };
      },
    },
  } satisfies OperationsOf<Sdk>;
}
