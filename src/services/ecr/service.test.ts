import { createHash, randomBytes } from "node:crypto";
import * as sdk from "@aws-sdk/client-ecr";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { account, policy, refusal, startAccessTest, statement, type AccessTest } from "../../testing/access.ts";
import { createFakeClock } from "../../testing/fake-clock.ts";
import { pushImage } from "../../testing/image.ts";

let access: AccessTest;
let ecr: sdk.ECRClient;

beforeAll(async () => {
  access = await startAccessTest();
  ecr = new sdk.ECRClient(access.platform.settings);
});
afterAll(() => access.stop());

const digestOf = (content: Uint8Array | string) => `sha256:${createHash("sha256").update(content).digest("hex")}`;
const mediaType = "application/vnd.docker.distribution.manifest.v2+json";

const createRepository = (repositoryName: string, more: Partial<sdk.CreateRepositoryCommandInput> = {}) =>
  ecr.send(new sdk.CreateRepositoryCommand({ repositoryName, ...more }));

async function putLayer(repositoryName: string, ...parts: readonly Uint8Array[]): Promise<string> {
  const { uploadId } = await ecr.send(new sdk.InitiateLayerUploadCommand({ repositoryName }));
  let at = 0;
  for (const layerPartBlob of parts) {
    const next = at + layerPartBlob.length;
    const part = { repositoryName, uploadId, partFirstByte: at, partLastByte: next - 1, layerPartBlob };
    const { lastByteReceived } = await ecr.send(new sdk.UploadLayerPartCommand(part));
    expect(lastByteReceived).toBe(next - 1);
    at = next;
  }
  const digest = digestOf(Buffer.concat(parts));
  await ecr.send(new sdk.CompleteLayerUploadCommand({ repositoryName, uploadId, layerDigests: [digest] }));
  return digest;
}

async function manifestOf(repositoryName: string, content: Uint8Array = randomBytes(20)): Promise<string> {
  const digest = await putLayer(repositoryName, content);
  const descriptor = { mediaType: "application/vnd.docker.container.image.v1+json", digest, size: content.length };
  return JSON.stringify({
    schemaVersion: 2,
    mediaType,
    config: descriptor,
    layers: [{ ...descriptor, mediaType: "application/vnd.docker.image.rootfs.diff.tar.gzip" }],
  });
}

const putImage = (repositoryName: string, imageManifest: string, imageTag?: string) =>
  ecr.send(new sdk.PutImageCommand({ repositoryName, imageManifest, imageTag }));

const listOf = (digests: readonly string[]) =>
  JSON.stringify({
    schemaVersion: 2,
    mediaType: "application/vnd.oci.image.index.v1+json",
    manifests: digests.map((each) => ({ mediaType, digest: each, size: 1 })),
  });

const drop = (imageIds: sdk.ImageIdentifier[]) =>
  ecr.send(new sdk.BatchDeleteImageCommand({ repositoryName: "lists", imageIds }));

const condition = (team: string) => ({ Condition: { StringEquals: { "aws:ResourceTag/team": team } } });

describe("repositories", () => {
  test("CreateRepository and DescribeRepositories answer with AWS's defaults", async () => {
    const { repository } = await createRepository("team/app");
    expect(repository).toEqual({
      repositoryArn: `arn:aws:ecr:us-east-1:${account}:repository/team/app`,
      registryId: account,
      repositoryName: "team/app",
      repositoryUri: `${new URL(access.platform.endpoint).host}/team/app`,
      createdAt: expect.any(Date),
      imageTagMutability: "MUTABLE",
      imageScanningConfiguration: { scanOnPush: false },
      encryptionConfiguration: { encryptionType: "AES256" },
    });
    const { repositories } = await ecr.send(new sdk.DescribeRepositoriesCommand({ repositoryNames: ["team/app"] }));
    expect(repositories).toEqual([repository]);
    expect(await refusal(createRepository("team/app"))).toEqual({
      name: "RepositoryAlreadyExistsException",
      message: `The repository with name 'team/app' already exists in the registry with id '${account}'`,
      status: 400,
    });
  });

  test.each(["Upper", "a//b", "-a", "a", "x".repeat(300)])("the name %s is refused", async (name) => {
    expect((await refusal(createRepository(name))).name).toBe("InvalidParameterException");
  });

  test("what is not built is refused by name", async () => {
    const kms = createRepository("kms", { encryptionConfiguration: { encryptionType: "KMS" } });
    expect((await refusal(kms)).message).toContain("encryptionConfiguration.encryptionType=KMS of CreateRepository");
    const scan = createRepository("scan", { imageScanningConfiguration: { scanOnPush: true } });
    expect((await refusal(scan)).message).toContain("scanOnPush of CreateRepository is not implemented");
    const findings = ecr.send(new sdk.DescribeImageScanFindingsCommand({ repositoryName: "team/app", imageId: {} }));
    expect(await refusal(findings)).toMatchObject({ name: "NotImplemented", status: 501 });
  });

  test("DescribeRepositories pages", async () => {
    for (const name of ["page/a", "page/b", "page/c"]) await createRepository(name);
    const names: (string | undefined)[] = [];
    for await (const { repositories } of sdk.paginateDescribeRepositories({ client: ecr, pageSize: 2 }, {})) {
      expect(repositories?.length).toBeLessThanOrEqual(2);
      names.push(...(repositories ?? []).map((each) => each.repositoryName));
    }
    expect(names.filter((name) => name?.startsWith("page/"))).toEqual(["page/a", "page/b", "page/c"]);
  });

  test("a repository with images is deleted by force only", async () => {
    await createRepository("full");
    await putImage("full", await manifestOf("full"), "v1");
    const refused = ecr.send(new sdk.DeleteRepositoryCommand({ repositoryName: "full" }));
    expect(await refusal(refused)).toMatchObject({
      name: "RepositoryNotEmptyException",
      message: `The repository with name 'full' in registry with id '${account}' cannot be deleted because it still contains images`,
    });
    await ecr.send(new sdk.DeleteRepositoryCommand({ repositoryName: "full", force: true }));
    await access.platform.platform.jobs.drain();
    await createRepository("full");
    expect((await ecr.send(new sdk.ListImagesCommand({ repositoryName: "full" }))).imageIds).toEqual([]);
  });

  test("tags are set, listed and taken away", async () => {
    const { repository } = await createRepository("tagged", { tags: [{ Key: "a", Value: "1" }] });
    const resourceArn = repository?.repositoryArn;
    await ecr.send(new sdk.TagResourceCommand({ resourceArn, tags: [{ Key: "b", Value: "2" }] }));
    await ecr.send(new sdk.UntagResourceCommand({ resourceArn, tagKeys: ["a"] }));
    expect((await ecr.send(new sdk.ListTagsForResourceCommand({ resourceArn }))).tags).toEqual([
      { Key: "b", Value: "2" },
    ]);
    const reserved = ecr.send(new sdk.TagResourceCommand({ resourceArn, tags: [{ Key: "aws:x", Value: "" }] }));
    expect((await refusal(reserved)).name).toBe("InvalidTagParameterException");
  });
});

describe("layers", () => {
  beforeAll(() => createRepository("layers"));

  test("a layer comes in parts, is found, and is downloaded without a signature", async () => {
    const parts = [randomBytes(5 * 1024 * 1024), randomBytes(10)];
    const digest = await putLayer("layers", ...parts);
    const found = await ecr.send(
      new sdk.BatchCheckLayerAvailabilityCommand({
        repositoryName: "layers",
        layerDigests: [digest, digestOf("absent"), "odd"],
      }),
    );
    expect(found.layers).toEqual([
      { layerDigest: digest, layerAvailability: "AVAILABLE", layerSize: 5 * 1024 * 1024 + 10 },
      { layerDigest: digestOf("absent"), layerAvailability: "UNAVAILABLE" },
    ]);
    expect(found.failures).toMatchObject([{ layerDigest: "odd", failureCode: "InvalidLayerDigest" }]);
    const { downloadUrl = "" } = await ecr.send(
      new sdk.GetDownloadUrlForLayerCommand({ repositoryName: "layers", layerDigest: digest }),
    );
    const content = Buffer.from(await (await fetch(downloadUrl)).arrayBuffer());
    expect(digestOf(content)).toBe(digest);
    expect((await fetch(`${downloadUrl.slice(0, -1)}_`)).status).toBe(404);
  });

  test("parts that do not follow each other, and uploads that are empty, unknown or not what they say, are refused", async () => {
    const { uploadId } = await ecr.send(new sdk.InitiateLayerUploadCommand({ repositoryName: "layers" }));
    const part = { repositoryName: "layers", uploadId, layerPartBlob: Buffer.from("abc") };
    const gap = ecr.send(new sdk.UploadLayerPartCommand({ ...part, partFirstByte: 5, partLastByte: 7 }));
    await expect(gap).rejects.toMatchObject({ name: "InvalidLayerPartException", lastValidByteReceived: -1, uploadId });
    const complete = (digest: string) =>
      refusal(
        ecr.send(new sdk.CompleteLayerUploadCommand({ repositoryName: "layers", uploadId, layerDigests: [digest] })),
      );
    expect((await complete(digestOf("x"))).name).toBe("EmptyUploadException");
    await ecr.send(new sdk.UploadLayerPartCommand({ ...part, partFirstByte: 0, partLastByte: 2 }));
    expect((await complete(digestOf("x"))).name).toBe("InvalidLayerException");
    await ecr.send(new sdk.UploadLayerPartCommand({ ...part, partFirstByte: 3, partLastByte: 5 }));
    expect((await complete(digestOf("abcabc"))).name).toBe("LayerPartTooSmallException");
    const unknown = ecr.send(
      new sdk.UploadLayerPartCommand({
        ...part,
        uploadId: "11111111-2222-3333-4444-555555555555",
        partFirstByte: 0,
        partLastByte: 2,
      }),
    );
    expect((await refusal(unknown)).name).toBe("UploadNotFoundException");
  });
});

describe("images", () => {
  test("PutImage, BatchGetImage, DescribeImages and ListImages agree", async () => {
    await createRepository("images");
    const imageManifest = await manifestOf("images");
    const { image } = await putImage("images", imageManifest, "v1");
    const imageDigest = digestOf(imageManifest);
    expect(image).toEqual({
      registryId: account,
      repositoryName: "images",
      imageId: { imageDigest, imageTag: "v1" },
      imageManifest,
      imageManifestMediaType: mediaType,
    });
    expect(await refusal(putImage("images", imageManifest, "v1"))).toMatchObject({
      name: "ImageAlreadyExistsException",
      message: `Image with digest '${imageDigest}' and tag 'v1' already exists in the repository with name 'images' in registry with id '${account}'`,
    });
    await putImage("images", imageManifest, "v2");
    const got = await ecr.send(
      new sdk.BatchGetImageCommand({
        repositoryName: "images",
        imageIds: [{ imageTag: "v2" }, { imageTag: "no" }, {}],
      }),
    );
    expect(got.images?.map((each) => each.imageManifest)).toEqual([imageManifest]);
    expect(got.failures).toEqual([
      { imageId: { imageTag: "no" }, failureCode: "ImageNotFound", failureReason: "Requested image not found" },
      expect.objectContaining({ failureCode: "MissingDigestAndTag" }),
    ]);
    const { imageDetails } = await ecr.send(new sdk.DescribeImagesCommand({ repositoryName: "images" }));
    expect(imageDetails).toMatchObject([{ imageDigest, imageTags: ["v1", "v2"], imageSizeInBytes: 20 }]);
    const missing = ecr.send(
      new sdk.DescribeImagesCommand({ repositoryName: "images", imageIds: [{ imageTag: "no" }] }),
    );
    expect(await refusal(missing)).toMatchObject({
      name: "ImageNotFoundException",
      message: `The image with imageId {imageDigest:'null', imageTag:'no'} does not exist within the repository with name 'images' in the registry with id '${account}'`,
    });
    const { imageIds } = await ecr.send(
      new sdk.ListImagesCommand({ repositoryName: "images", filter: { tagStatus: "TAGGED" } }),
    );
    expect(imageIds).toEqual([
      { imageDigest, imageTag: "v1" },
      { imageDigest, imageTag: "v2" },
    ]);
  });

  test("an image goes with its last tag", async () => {
    await createRepository("untag");
    const imageManifest = await manifestOf("untag");
    for (const tag of ["a", "b"]) await putImage("untag", imageManifest, tag);
    const untag = (imageTag: string) =>
      ecr.send(new sdk.BatchDeleteImageCommand({ repositoryName: "untag", imageIds: [{ imageTag }] }));
    await untag("a");
    expect((await ecr.send(new sdk.ListImagesCommand({ repositoryName: "untag" }))).imageIds).toHaveLength(1);
    await untag("b");
    expect((await ecr.send(new sdk.ListImagesCommand({ repositoryName: "untag" }))).imageIds).toEqual([]);
    expect((await untag("b")).failures).toMatchObject([{ failureCode: "ImageNotFound" }]);
  });

  test("a list keeps its images", async () => {
    await createRepository("lists");
    const imageManifest = await manifestOf("lists");
    const digest = digestOf(imageManifest);
    expect((await refusal(putImage("lists", listOf([digest])))).name).toBe("ReferencedImagesNotFoundException");
    await putImage("lists", imageManifest);
    await putImage("lists", listOf([digest]), "all");
    expect((await drop([{ imageDigest: digest }])).failures).toMatchObject([
      { failureCode: "ImageReferencedByManifestList" },
    ]);
    await drop([{ imageTag: "all" }]);
    expect((await drop([{ imageDigest: digest }])).imageIds).toEqual([{ imageDigest: digest }]);
  });

  test("tags that match an exclusion of an immutable repository move, others do not", async () => {
    await createRepository("excluded", {
      imageTagMutability: "IMMUTABLE_WITH_EXCLUSION",
      imageTagMutabilityExclusionFilters: [{ filterType: "WILDCARD", filter: "dev-*" }],
    });
    for (const tag of ["dev-1", "v1"]) await putImage("excluded", await manifestOf("excluded"), tag);
    await putImage("excluded", await manifestOf("excluded"), "dev-1");
    expect((await refusal(putImage("excluded", await manifestOf("excluded"), "v1"))).name).toBe(
      "ImageTagAlreadyExistsException",
    );
    const without = createRepository("without", { imageTagMutability: "IMMUTABLE_WITH_EXCLUSION" });
    expect((await refusal(without)).name).toBe("InvalidParameterException");
  });
});

describe("policies", () => {
  test("a repository's policy lets another user in, and says who may not", async () => {
    await createRepository("shared");
    const keys = await access.createUser("outsider");
    const outsider = new sdk.ECRClient({ ...access.platform.settings, credentials: keys });
    const list = () => outsider.send(new sdk.ListImagesCommand({ repositoryName: "shared" }));
    expect((await refusal(list())).name).toBe("AccessDeniedException");
    const policyText = JSON.stringify({
      Version: "2008-10-17",
      Statement: [
        { Effect: "Allow", Principal: { AWS: `arn:aws:iam::${account}:user/outsider` }, Action: "ecr:ListImages" },
      ],
    });
    await ecr.send(new sdk.SetRepositoryPolicyCommand({ repositoryName: "shared", policyText }));
    expect((await list()).imageIds).toEqual([]);
    const get = () => ecr.send(new sdk.GetRepositoryPolicyCommand({ repositoryName: "shared" }));
    expect((await get()).policyText).toBe(policyText);
    await ecr.send(new sdk.DeleteRepositoryPolicyCommand({ repositoryName: "shared" }));
    expect((await refusal(list())).name).toBe("AccessDeniedException");
    expect((await refusal(get())).name).toBe("RepositoryPolicyNotFoundException");
    const bad = ecr.send(new sdk.SetRepositoryPolicyCommand({ repositoryName: "shared", policyText: "{}" }));
    expect(await refusal(bad)).toMatchObject({
      name: "InvalidParameterException",
      message: "Invalid parameter at 'PolicyText' failed to satisfy constraint: 'Invalid repository policy provided'",
    });
  });

  test("tags of a repository decide where a policy says so", async () => {
    await createRepository("by-tag", { tags: [{ Key: "team", Value: "a" }] });
    const mine = await access.createUser("team-a", policy({ ...statement("ecr:ListImages"), ...condition("a") }));
    const other = await access.createUser("team-b", policy({ ...statement("ecr:ListImages"), ...condition("b") }));
    const list = (credentials: typeof mine) =>
      new sdk.ECRClient({ ...access.platform.settings, credentials }).send(
        new sdk.ListImagesCommand({ repositoryName: "by-tag" }),
      );
    expect((await list(mine)).imageIds).toEqual([]);
    expect((await refusal(list(other))).name).toBe("AccessDeniedException");
  });
});

test("uploads and layers that became no part of an image are removed after a day", async () => {
  const clock = createFakeClock(Date.now());
  const other = await startAccessTest({ clock });
  const client = new sdk.ECRClient(other.platform.settings);
  const { jobs, store } = other.platform.platform;
  const repositoryName = "unused";
  await client.send(new sdk.CreateRepositoryCommand({ repositoryName }));
  const upload = async () => {
    const { uploadId } = await client.send(new sdk.InitiateLayerUploadCommand({ repositoryName }));
    const part = { repositoryName, uploadId, partFirstByte: 0, partLastByte: 2, layerPartBlob: Buffer.from("abc") };
    await client.send(new sdk.UploadLayerPartCommand(part));
    return uploadId;
  };
  const uploadId = await upload();
  await client.send(new sdk.CompleteLayerUploadCommand({ repositoryName, uploadId, layerDigests: [digestOf("abc")] }));
  await upload();
  const left = () =>
    store.read(async (reader) => {
      const kinds = ["layer", "upload", "blobUse"].map((kind) =>
        reader.range({ prefix: ["ecr", kind] }, { limit: 10 }),
      );
      return (await Promise.all(kinds)).map((entries) => entries.length);
    });
  expect(await left()).toEqual([1, 1, 2]);
  clock.advance(24 * 3_600_000 + 1);
  await jobs.drain();
  expect(await left()).toEqual([0, 0, 0]);
  await other.stop();
});

test("images survive a restart of the platform", async () => {
  const durable = await startAccessTest({ durable: true });
  const client = new sdk.ECRClient(durable.platform.settings);
  await client.send(new sdk.CreateRepositoryCommand({ repositoryName: "kept" }));
  const { authorizationData } = await client.send(new sdk.GetAuthorizationTokenCommand({}));
  const token = authorizationData?.[0]?.authorizationToken ?? "";
  const { digest } = await pushImage(durable.platform.endpoint, token, "kept", "v1", {
    layers: [randomBytes(200_000)],
    config: {},
  });
  await durable.platform.restart();
  const manifest = await fetch(`${durable.platform.endpoint}/v2/kept/manifests/v1`, {
    headers: { authorization: `Basic ${token}` },
  });
  expect(manifest.headers.get("docker-content-digest")).toBe(digest);
  const { layers } = (await manifest.json()) as { layers: { digest: string }[] };
  const blob = await fetch(`${durable.platform.endpoint}/v2/kept/blobs/${layers[0]?.digest}`, {
    headers: { authorization: `Basic ${token}` },
  });
  expect(digestOf(Buffer.from(await blob.arrayBuffer()))).toBe(layers[0]?.digest);
  await durable.stop();
});
