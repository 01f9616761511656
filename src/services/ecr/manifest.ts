import { ecrLimits } from "./limits.ts";

/** What a registry needs to know of a manifest. */
export interface Manifest {
  readonly mediaType: string;
  readonly kind: "image" | "list";
  readonly config?: Descriptor;
  readonly layers: readonly Descriptor[];
  /** Of a list. */
  readonly manifests: readonly Descriptor[];
  readonly artifactType?: string;
  readonly subject?: string;
}

export interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

const dockerManifest = "application/vnd.docker.distribution.manifest.v2+json";
const ociManifest = "application/vnd.oci.image.manifest.v1+json";
const dockerList = "application/vnd.docker.distribution.manifest.list.v2+json";
export const ociIndex = "application/vnd.oci.image.index.v1+json";

const kinds: Readonly<Record<string, Manifest["kind"]>> = {
  [dockerManifest]: "image",
  [ociManifest]: "image",
  [dockerList]: "list",
  [ociIndex]: "list",
};

export class ManifestError extends Error {}

export const digestPattern = /^sha256:[0-9a-f]{64}$/;
export const tagPattern = /^\w[\w.-]{0,127}$/;

/**
 * Docker image manifests (v2, schema 2), OCI manifests, and lists of either.
 *
 * @param statedType as a client says in `Content-Type` or `imageManifestMediaType`; wins where the manifest says nothing
 * @throws {ManifestError}
 */
export function parseManifest(text: string, statedType: string | undefined): Manifest {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    throw new ManifestError("The manifest is not JSON");
  }
  if (!isObject(document)) throw new ManifestError("The manifest is not an object");
  if (document["schemaVersion"] !== 2) {
    throw new ManifestError("Only manifests of schema version 2 are supported");
  }
  const own = textOf(document, "mediaType");
  const mediaType = own ?? statedType ?? (Array.isArray(document["manifests"]) ? ociIndex : ociManifest);
  if (own !== undefined && statedType !== undefined && own !== statedType) {
    throw new ManifestError(`The manifest says that it is ${own}, the request ${statedType}`);
  }
  const kind = kinds[mediaType];
  if (kind === undefined) throw new ManifestError(`Manifests of the media type ${mediaType} are not supported`);
  const subject = document["subject"] === undefined ? undefined : parseDescriptor(document["subject"]).digest;
  const artifactType = textOf(document, "artifactType");
  const more = { ...(artifactType !== undefined && { artifactType }), ...(subject !== undefined && { subject }) };
  if (kind === "list") {
    const manifests = parseDescriptors(document["manifests"]);
    return { mediaType, kind, layers: [], manifests, ...more };
  }
  const config = parseDescriptor(document["config"]);
  return { mediaType, kind, config, layers: parseDescriptors(document["layers"]), manifests: [], ...more };
}

function parseDescriptors(value: unknown): readonly Descriptor[] {
  if (!Array.isArray(value)) throw new ManifestError("The manifest lists nothing");
  if (value.length > ecrLimits.layersPerImageMax) throw new ManifestError("The manifest lists too much");
  return value.map(parseDescriptor);
}

function parseDescriptor(value: unknown): Descriptor {
  if (!isObject(value)) throw new ManifestError("The manifest has an invalid descriptor");
  const mediaType = textOf(value, "mediaType");
  const digest = textOf(value, "digest");
  const size = value["size"];
  if (mediaType === undefined || digest === undefined || !digestPattern.test(digest)) {
    throw new ManifestError("The manifest has an invalid descriptor");
  }
  if (typeof size !== "number" || !Number.isSafeInteger(size) || size < 0) {
    throw new ManifestError("The manifest has a descriptor without a size");
  }
  return { mediaType, digest, size };
}

function textOf(object: Readonly<Record<string, unknown>>, name: string): string | undefined {
  const value = object[name];
  return typeof value === "string" && value !== "" ? value : undefined;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
