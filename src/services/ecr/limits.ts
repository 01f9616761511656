/**
 * Quotas of ECR. Source: https://docs.aws.amazon.com/AmazonECR/latest/userguide/service-quotas.html (2026-10), unless a line
 * says that it is ours.
 */
export const ecrLimits = {
  layerBytesMax: 52_000 * 1024 * 1024,
  /** Parts of UploadLayerPart: all but the last are at least so large; what InitiateLayerUpload recommends; none is larger. */
  partBytesMin: 5 * 1024 * 1024,
  partBytesRecommended: 20 * 1024 * 1024,
  partsMax: 4_200,
  manifestBytesMax: 4 * 1024 * 1024,
  layersPerImageMax: 4_200,
  tagsPerImageMax: 1_000,
  tagsMax: 50,
  policyCharactersMax: 10_240,
  /** Source: API reference, DescribeRepositories, ListImages, DescribeImages. */
  pageDefault: 100,
  pageMax: 1_000,
  /** Source: API reference, GetAuthorizationToken. */
  passwordMs: 12 * 3_600_000,
  /** Ours: what was uploaded and became no part of an image is removed after this. */
  unusedUploadMs: 24 * 3_600_000,
  /** Source: user guide: the address of GetDownloadUrlForLayer is good for an hour. */
  downloadMs: 3_600_000,
  /** Ours: a client that sends nothing for so long is cut off. */
  bodyIdleMs: 60_000,
  /** Ours: what is removed of a deleted repository in one transaction. */
  forgetMax: 100,
  mutabilityFiltersMax: 5,
} as const;
