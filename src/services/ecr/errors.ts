import { AwsError } from "../../aws/error.ts";
import type { Place } from "./model.ts";

function refusal(code: string, message: string, members: Readonly<Record<string, unknown>> = {}): AwsError {
  return new AwsError(code, 400, message, { members });
}

const inRegistry = (name: string, place: Place) => `with name '${name}' in the registry with id '${place.account}'`;

export function invalidParameter(message: string): AwsError {
  return refusal("InvalidParameterException", message);
}

export function repositoryNotFound(place: Place, name: string): AwsError {
  return refusal(
    "RepositoryNotFoundException",
    `The repository with name '${name}' does not exist in the registry with id '${place.account}'`,
  );
}

export function repositoryExists(place: Place, name: string): AwsError {
  return refusal(
    "RepositoryAlreadyExistsException",
    `The repository with name '${name}' already exists in the registry with id '${place.account}'`,
  );
}

export function repositoryNotEmpty(place: Place, name: string): AwsError {
  return refusal(
    "RepositoryNotEmptyException",
    `The repository with name '${name}' in registry with id '${place.account}' cannot be deleted because it still contains images`,
  );
}

export function policyNotFound(place: Place, name: string): AwsError {
  return refusal(
    "RepositoryPolicyNotFoundException",
    `Repository policy does not exist for the repository ${inRegistry(name, place)}`,
  );
}

export function lifecyclePolicyNotFound(place: Place, name: string): AwsError {
  return refusal(
    "LifecyclePolicyNotFoundException",
    `Lifecycle policy does not exist for the repository ${inRegistry(name, place)}`,
  );
}

export interface ImageId {
  readonly imageDigest?: string | undefined;
  readonly imageTag?: string | undefined;
}

export function imageNotFound(place: Place, name: string, id: ImageId): AwsError {
  return refusal(
    "ImageNotFoundException",
    `The image with imageId {imageDigest:${quoted(id.imageDigest)}, imageTag:${quoted(id.imageTag)}} does not exist within the repository with name '${name}' in the registry with id '${place.account}'`,
  );
}

function quoted(text: string | undefined): string {
  return `'${text ?? "null"}'`;
}

export function imageExists(place: Place, name: string, digest: string, tag: string | undefined): AwsError {
  const tagged = tag === undefined ? "" : ` and tag '${tag}'`;
  return refusal(
    "ImageAlreadyExistsException",
    `Image with digest '${digest}'${tagged} already exists in the repository with name '${name}' in registry with id '${place.account}'`,
  );
}

export function tagExists(place: Place, name: string, tag: string): AwsError {
  return refusal(
    "ImageTagAlreadyExistsException",
    `The image tag '${tag}' already exists in the '${name}' repository and cannot be overwritten because the tag is immutable.`,
  );
}

export function imageDigestDoesNotMatch(): AwsError {
  return refusal(
    "ImageDigestDoesNotMatchException",
    "The specified image digest does not match the digest that Amazon ECR calculated for the image.",
  );
}

export function layersNotFound(place: Place, name: string, digests: readonly string[]): AwsError {
  return refusal(
    "LayersNotFoundException",
    `The layers with digests '[${digests.join(", ")}]' do not exist in the repository ${inRegistry(name, place)}`,
  );
}

export function referencedImagesNotFound(place: Place, name: string, digests: readonly string[]): AwsError {
  return refusal(
    "ReferencedImagesNotFoundException",
    `The images with digests '[${digests.join(", ")}]' do not exist in the repository ${inRegistry(name, place)}`,
  );
}

export function layerExists(digest: string): AwsError {
  return refusal("LayerAlreadyExistsException", `Layer with digest '${digest}' already exists in the repository`);
}

export function uploadNotFound(place: Place, name: string, uploadId: string): AwsError {
  return refusal(
    "UploadNotFoundException",
    `The upload with id '${uploadId}' does not exist in the repository ${inRegistry(name, place)}`,
  );
}

export function emptyUpload(): AwsError {
  return refusal("EmptyUploadException", "The specified layer upload does not contain any layer parts.");
}

export function invalidLayer(): AwsError {
  return refusal(
    "InvalidLayerException",
    "The layer digest calculation performed by Amazon ECR upon receipt of the image layer does not match the digest specified.",
  );
}

export function layerPartTooSmall(): AwsError {
  return refusal("LayerPartTooSmallException", "Layer parts must be at least 5 MiB in size.");
}

export function invalidLayerPart(members: {
  readonly registryId: string;
  readonly repositoryName: string;
  readonly uploadId: string;
  readonly lastValidByteReceived: number;
}): AwsError {
  return refusal(
    "InvalidLayerPartException",
    "The layer part size is not valid, or the first byte specified is not consecutive to the last byte of a previous layer part upload.",
    members,
  );
}

export function limitExceeded(what: string): AwsError {
  return refusal("LimitExceededException", what);
}

export function tooManyTags(): AwsError {
  return refusal("TooManyTagsException", "The list of tags on the repository is over the limit of 50 tags.");
}

export function invalidTag(message: string): AwsError {
  return refusal("InvalidTagParameterException", message);
}
