import { findImage } from "./images.ts";
import { digestPattern, tagPattern } from "./manifest.ts";
import { readLayer, readRepository, repositoryArn } from "./model.ts";
import type { EcrNeeds } from "./needs.ts";
import type { EcrPort, RegistryPlace, RepositoryReference } from "./port.ts";
import { namePattern } from "./repositories.ts";

export function createEcrPort({ store, blobs }: Pick<EcrNeeds, "store" | "blobs">): EcrPort {
  return {
    async findImage(uri, near) {
      const parsed = parseImageUri(uri, near);
      if (!parsed) return { found: "nothing", why: "malformed" };
      const { repository: reference, host } = parsed;
      const found = await store.read(async (reader) => {
        const repository = await readRepository(reader, reference, reference.name);
        const image = repository && (await findImage(reader, repository, parsed));
        return repository && image ? { repository, image } : undefined;
      });
      if (!found) return { found: "nothing", why: "missing" };
      const { policy } = found.repository;
      const { digest, mediaType, blobId } = found.image;
      return {
        found: "image",
        repository: reference,
        repositoryArn: repositoryArn(reference, reference.name),
        ...(policy && { policy: policy.evaluated }),
        digest,
        mediaType,
        manifest: Buffer.from(await blobs.readAll(blobId)).toString("utf8"),
        resolvedUri: `${host}/${reference.name}@${digest}`,
      };
    },

    async readLayer(reference, digest) {
      const layer = await store.read(async (reader) => {
        const repository = await readRepository(reader, reference, reference.name);
        return repository && readLayer(reader, repository, digest);
      });
      return layer && blobs.read(layer.blobId);
    },
  };
}

interface ParsedUri {
  readonly host: string;
  readonly repository: RepositoryReference;
  readonly imageTag?: string;
  readonly imageDigest?: string;
}

/** Undefined for what cannot be an image of this platform. */
export function parseImageUri(uri: string, near: RegistryPlace): ParsedUri | undefined {
  const slash = uri.indexOf("/");
  if (slash < 0) return undefined;
  const host = uri.slice(0, slash);
  const place =
    parseRegistryHost(host) ?? (/^(?:127\.0\.0\.1|localhost|\[::1\])(?::\d{1,5})?$/.test(host) ? near : undefined);
  const [path = "", digest, ...more] = uri.slice(slash + 1).split("@");
  const colon = path.indexOf(":");
  const name = colon < 0 ? path : path.slice(0, colon);
  const tag = colon < 0 ? undefined : path.slice(colon + 1);
  if (!place || more.length > 0 || !namePattern.test(name)) return undefined;
  if (digest !== undefined && !digestPattern.test(digest)) return undefined;
  if (tag !== undefined && !tagPattern.test(tag)) return undefined;
  return {
    host,
    repository: { account: place.account, region: place.region, name },
    ...(digest === undefined ? { imageTag: tag ?? "latest" } : { imageDigest: digest }),
  };
}

/** `ACCOUNT.dkr.ecr.REGION.…`, whatever follows. */
export function parseRegistryHost(host: string): RegistryPlace | undefined {
  const match = /^(\d{12})\.dkr\.ecr\.([a-z]{2}(?:-[a-z]+){1,3}-\d{1,2})\.[\w.-]+(?::\d{1,5})?$/i.exec(host);
  return match ? { account: match[1] ?? "", region: (match[2] ?? "").toLowerCase() } : undefined;
}
