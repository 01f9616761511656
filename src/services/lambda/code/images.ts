import { pipeline, Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { AwsError } from "../../../aws/error.ts";
import type { Call } from "../../../wire/service.ts";
import type { EcrPort, FoundImage } from "../../ecr/port.ts";
import { imageGone, invalidParameter } from "../errors.ts";
import { lambdaLimits } from "../limits.ts";
import type { CodePackage, ImageReference } from "../model.ts";
import type { LambdaNeeds } from "../needs.ts";
import type { CodeStore } from "./code-store.ts";
import { ImageTooLargeError } from "./image-layers.ts";
import { TarError } from "./tar.ts";

type Found = Extract<FoundImage, { found: "image" }>;

/** Layer media types, and whether they are compressed. Source: developer guide, "Creating Lambda container images". */
const layerTypes: Readonly<Record<string, "tar" | "gzip">> = {
  "application/vnd.docker.image.rootfs.diff.tar.gzip": "gzip",
  "application/vnd.docker.image.rootfs.diff.tar": "tar",
  "application/vnd.oci.image.layer.v1.tar+gzip": "gzip",
  "application/vnd.oci.image.layer.v1.tar": "tar",
};
const manifestTypes = new Set([
  "application/vnd.docker.distribution.manifest.v2+json",
  "application/vnd.oci.image.manifest.v1+json",
]);
const architectures = { x86_64: "amd64", arm64: "arm64" } as const;

interface Needs extends Pick<LambdaNeeds, "ecr" | "ecrClient" | "authorizer"> {
  readonly code: CodeStore;
}

/**
 * Take in the image that a request names, as it is now: what its tag means later does not matter. Lambda must be allowed to pull
 * it by the repository's policy; where the policy does not say so, and the caller may change it, it is made to.
 */
export async function receiveImage(
  uri: string,
  architecture: "x86_64" | "arm64",
  functionArn: string,
  call: Call,
  needs: Needs,
): Promise<CodePackage> {
  const image = await needs.ecr.findImage(uri, call);
  if (image.found === "nothing") {
    throw invalidParameter(
      image.why === "missing"
        ? `Source image ${uri} does not exist. Provide a valid source image.`
        : `Source image ${uri} is not valid. Provide a valid source image.`,
    );
  }
  await checkPermission(image, functionArn, call, needs);
  const unsupported = () =>
    invalidParameter(`The image manifest, config or layer media type for the source image ${uri} is not supported.`);
  const { config, layers } = parseManifest(image, unsupported);
  const settings = parseConfig(await readConfig(image, config.digest, needs.ecr), unsupported);
  if (settings.architecture !== architectures[architecture]) {
    throw invalidParameter(
      `The architecture ${settings.architecture} of the source image ${uri} is not that of the function, ${architecture}.`,
    );
  }
  const reference: ImageReference = {
    uri,
    resolvedUri: image.resolvedUri,
    repository: image.repository,
    layers,
    entryPoint: settings.entryPoint,
    command: settings.command,
    workingDirectory: settings.workingDirectory,
    environment: settings.environment,
  };
  const hex = image.digest.slice("sha256:".length);
  // AWS counts no code size for images.
  const code: CodePackage = { sha256: hex, blobId: `image-${hex}`, bytes: 0, unzippedBytes: 0, image: reference };
  try {
    await needs.code.folder(code);
  } catch (error) {
    if (error instanceof ImageTooLargeError) {
      throw invalidParameter(`The uncompressed image must be smaller than ${lambdaLimits.imageBytesMax} bytes`);
    }
    if (error instanceof TarError) throw unsupported();
    throw error;
  }
  return code;
}

/** An image's layers, decompressed, the lowest first. Throws when the registry no longer has one. */
export async function* readImageLayers(image: ImageReference, ecr: EcrPort): AsyncIterable<AsyncIterable<Uint8Array>> {
  for (const { digest, compressed } of image.layers) {
    const content = await ecr.readLayer(image.repository, digest);
    // It was deleted from its repository, and is not unpacked here.
    if (!content) throw imageGone(image.resolvedUri);
    yield compressed ? gunzipped(content) : content;
  }
}

async function* gunzipped(content: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  const gunzip = createGunzip();
  // Errors of either side reach whoever reads the end.
  pipeline(Readable.from(content, { objectMode: false }), gunzip, () => {});
  try {
    for await (const chunk of gunzip) if (chunk instanceof Uint8Array) yield chunk;
  } catch (error) {
    const damaged = error instanceof Error && "code" in error && String(error.code).startsWith("Z_");
    throw damaged ? new TarError("A layer is not compressed as it says") : error;
  }
}

const pullActions = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"];

async function checkPermission(
  image: Found,
  functionArn: string,
  call: Call,
  { authorizer, ecrClient }: Needs,
): Promise<void> {
  const { repository, repositoryArn } = image;
  const allowed = async (): Promise<boolean> => {
    const { policy } = image;
    if (policy === undefined) return false;
    try {
      for (const action of pullActions) {
        await authorizer.authorize(
          { type: "service", service: "lambda.amazonaws.com", sourceAccount: call.account, sourceArn: functionArn },
          {
            action,
            resource: repositoryArn,
            resourceAccount: repository.account,
            resourcePolicy: policy,
          },
          {
            account: repository.account,
            region: repository.region,
            sourceIp: call.http?.sourceIp ?? "",
            secureTransport: call.http?.secure ?? true,
            userAgent: "lambda.amazonaws.com",
            now: call.now,
            service: "ecr",
          },
        );
      }
      return true;
    } catch (error) {
      if (error instanceof AwsError && error.status < 500) return false;
      throw error;
    }
  };
  if (await allowed()) return;
  const refused = new AwsError(
    "AccessDeniedException",
    403,
    "Lambda does not have permission to access the ECR image. Check the ECR permissions.",
  );
  if (repository.account !== call.account || repository.region !== call.region) throw refused;
  const client = ecrClient(call);
  const named = { repositoryName: repository.name };
  try {
    const before = await client.GetRepositoryPolicy(named).catch((error: unknown) => {
      if (error instanceof AwsError && error.code === "RepositoryPolicyNotFoundException") return undefined;
      throw error;
    });
    await client.SetRepositoryPolicy({ ...named, policyText: withRetrieval(before?.policyText, call) });
  } catch (error) {
    if (error instanceof AwsError && error.status < 500) throw refused;
    throw error;
  }
}

/** The statement that AWS adds. Source: developer guide, "Amazon ECR permissions". */
function withRetrieval(policyText: string | undefined, call: Call): string {
  const document = JSON.parse(policyText ?? '{"Version":"2008-10-17","Statement":[]}') as { Statement?: unknown };
  const statements: readonly unknown[] = Array.isArray(document.Statement) ? document.Statement : [document.Statement];
  const retrieval = {
    Sid: "LambdaECRImageRetrievalPolicy",
    Effect: "Allow",
    Principal: { Service: "lambda.amazonaws.com" },
    Action: pullActions,
    Condition: { StringLike: { "aws:sourceArn": `arn:aws:lambda:${call.region}:${call.account}:function:*` } },
  };
  return JSON.stringify({ ...document, Statement: [...statements, retrieval] });
}

interface ManifestFacts {
  readonly config: { readonly digest: string };
  readonly layers: ImageReference["layers"];
}

// The registry has checked the manifest's form when it was pushed.
interface PushedManifest {
  readonly config: { readonly digest: string; readonly mediaType: string };
  readonly layers: readonly { readonly digest: string; readonly mediaType: string }[];
}

function parseManifest(image: Found, unsupported: () => AwsError): ManifestFacts {
  if (!manifestTypes.has(image.mediaType)) throw unsupported();
  const { config, layers } = JSON.parse(image.manifest) as PushedManifest;
  return {
    config,
    layers: layers.map(({ digest, mediaType }) => {
      const form = layerTypes[mediaType];
      if (form === undefined) throw unsupported();
      return { digest, compressed: form === "gzip" };
    }),
  };
}

async function readConfig(image: Found, digest: string, ecr: EcrPort): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of (await ecr.readLayer(image.repository, digest)) ?? []) {
    bytes += chunk.length;
    if (bytes > lambdaLimits.imageConfigBytesMax) break;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** Source: OCI image specification 1.1, "Image Configuration". */
function parseConfig(text: string, unsupported: () => AwsError) {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    throw unsupported();
  }
  const root = objectOf(document);
  const config = objectOf(root["config"]);
  const variables = stringsOf(config["Env"]).map((each) => {
    const equals = each.indexOf("=");
    return [each.slice(0, equals), each.slice(equals + 1)] as const;
  });
  const directory = config["WorkingDir"];
  return {
    architecture: String(root["architecture"] ?? ""),
    entryPoint: stringsOf(config["Entrypoint"]),
    command: stringsOf(config["Cmd"]),
    workingDirectory: typeof directory === "string" && directory !== "" ? directory : "/",
    environment: Object.fromEntries(variables.filter(([name, value]) => name !== "" && !value.includes("\0"))),
  };
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : {};
}

function stringsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((each): each is string => typeof each === "string") : [];
}
