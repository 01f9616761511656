import {
  CreateBucketCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { describeBlobs } from "../../src/testing/blobs-cases.ts";
import { createS3Blobs } from "../../src/kernel/blobs/s3-blobs.ts";
import type { S3Location } from "../../src/kernel/blobs/s3-request.ts";
import { systemClock } from "../../src/kernel/clock.ts";
import { startTestPlatform, type TestPlatform } from "../../src/testing/platform.ts";

/** The S3-compatible store is a platform of ours. */
let other: TestPlatform;
let client: S3Client;
let folder: string;
let location: S3Location;

beforeAll(async () => {
  other = await startTestPlatform();
  client = new S3Client({ ...other.settings, forcePathStyle: true });
  await client.send(new CreateBucketCommand({ Bucket: "content" }));
  folder = await mkdtemp(join(tmpdir(), "cumulet-s3-blobs-"));
  const { endpoint, region, credentials } = other.settings;
  location = { endpoint, region, bucket: "content", prefix: "a/prefix/", credentials };
});
afterAll(async () => {
  client.destroy();
  await other.stop();
  await rm(folder, { recursive: true, force: true });
});

const partBytes = 5 * 1024 * 1024;
let opened = 0;

describeBlobs("an S3-compatible store", async () => {
  const prefix = `test-${(opened += 1)}/`;
  const s3 = createS3Blobs({ ...location, prefix }, systemClock, partBytes);
  return {
    needs: async () => ({ folder, place: "s3", s3 }),
    leftovers: async () => {
      const objects = await client.send(new ListObjectsV2Command({ Bucket: "content", Prefix: prefix }));
      const uploads = await client.send(new ListMultipartUploadsCommand({ Bucket: "content", Prefix: prefix }));
      return [...(objects.Contents ?? []), ...(uploads.Uploads ?? [])].map(({ Key = "" }) => Key);
    },
    pieceBytes: partBytes,
  };
});

test("an object of another name beginning alike keeps its upload", async () => {
  const place = createS3Blobs(location, systemClock);
  await client.send(new PutObjectCommand({ Bucket: "content", Key: "a/prefix/id-and-more", Body: "stays" }));
  await place.remove("id");
  const listed = await client.send(new ListObjectsV2Command({ Bucket: "content", Prefix: "a/prefix/id" }));
  expect(listed.KeyCount).toBe(1);
});

test("a wrong secret is an error that names neither it nor the signature", async () => {
  const credentials = { ...location.credentials, secretAccessKey: "not-the-secret" };
  const place = createS3Blobs({ ...location, credentials }, systemClock);
  const failure = await place.remove("x").catch((error: unknown) => String(error));
  expect(failure).toMatch(/403 SignatureDoesNotMatch/);
  expect(failure).not.toMatch(/not-the-secret|Signature=|authorization/i);
});

test("a request that fails for a reason that may pass is sent again, and a connection that breaks is read on", async () => {
  const content = Buffer.alloc(300_000, "0123456789");
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(String(request.headers.range));
    if (asked.length === 1) {
      response.writeHead(503).end("<Error><Code>SlowDown</Code></Error>");
      return;
    }
    const start = Number(/bytes=(\d+)-/.exec(request.headers.range ?? "")?.[1] ?? 0);
    response.writeHead(start === 0 ? 200 : 206, { "content-length": content.length - start });
    if (asked.length > 2) response.end(content.subarray(start));
    else response.write(content.subarray(0, 100_000), () => setImmediate(() => request.socket.destroy()));
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const chunks: Uint8Array[] = [];
  for await (const chunk of createS3Blobs({ ...location, endpoint }, systemClock).read("id", undefined))
    chunks.push(chunk);
  expect(Buffer.concat(chunks).equals(content)).toBe(true);
  expect(asked.slice(0, 2)).toEqual(["undefined", "undefined"]);
  expect(asked[2]).toMatch(/^bytes=\d+-$/);
  server.close();
});
