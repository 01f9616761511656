import { CreateBucketCommand, GetObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { clientSettings } from "../../src/testing/functions.ts";
import { findPostgres, noPostgres, startPostgres, type TestPostgres } from "../../src/testing/postgres.ts";
import { startTestServer, type TestServer } from "../../src/testing/server.ts";
import { runTool } from "../../src/testing/tools.ts";

const program = join(import.meta.dirname, "../../bin/cumulet");
const run = (...args: string[]) => runTool(program, args, { env: { CUMULET_STORE: "" } });
const missing = (await findPostgres()) === undefined;
const large = (of: string) => `${of} large `.repeat(200_000);

describe.skipIf(missing)(`moving to PostgreSQL and back${missing ? ` (${noPostgres})` : ""}`, () => {
  let postgres: TestPostgres;
  let server: TestServer;
  let s3: S3Client;
  let folder: string;

  beforeAll(async () => {
    [postgres, server] = await Promise.all([startPostgres(), startTestServer([], { store: "embedded" })]);
    s3 = new S3Client({ ...clientSettings(server.environment), forcePathStyle: true });
    folder = await mkdtemp(join(tmpdir(), "cumulet-migrate-"));
  });
  afterAll(async () => {
    s3.destroy();
    await server.stop();
    await postgres.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const put = (Key: string, Body: string) => s3.send(new PutObjectCommand({ Bucket: "kept", Key, Body }));
  const has = async (Key: string, body: string) => {
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: "kept", Key }));
    // Not compared by the expectation: it would print megabytes.
    expect([Key, (await Body?.transformToString()) === body]).toEqual([Key, true]);
  };
  /** What was moved away must not be found where it was. */
  const emptyFolder = async () => {
    for (const name of ["store", "blobs"]) await rm(join(server.dataDir, name), { recursive: true, force: true });
  };

  test("everything is there on either side, content included, and in a backup made of a running node", async () => {
    await s3.send(new CreateBucketCommand({ Bucket: "kept" }));
    await put("small", "small");
    await put("file", large("file"));
    const url = await postgres.newStore();
    const served = await run("migrate", "--from", server.dataDir, "--to", url);
    expect([served.status, served.stderr]).toEqual([1, expect.stringContaining("A server runs on")]);
    await server.kill();
    const moved = await run("migrate", "--from", server.dataDir, "--to", url);
    expect([moved.status, moved.stderr]).toEqual([0, expect.stringMatching(/ 1 files of content are in postgres:/)]);
    const again = await run("migrate", "--from", server.dataDir, "--to", url);
    expect([again.status, again.stderr]).toEqual([1, expect.stringContaining("is not empty")]);

    await emptyFolder();
    await server.killAndRestart({ store: url });
    await has("small", "small");
    await has("file", large("file"));
    await put("pieces", large("pieces"));
    const archive = join(folder, "archive");
    const backedUp = await run("backup", archive, "--store", url, "--data", server.dataDir);
    expect([backedUp.status, backedUp.stdout]).toEqual([0, `${archive}\n`]);
    const inUse = await run("restore", archive, "--store", url, "--data", server.dataDir, "--force");
    expect([inUse.status, inUse.stderr]).toEqual([1, expect.stringContaining("Nodes serve")]);

    await server.kill();
    const back = await run("migrate", "--from", url, "--to", server.dataDir);
    expect([back.status, back.stderr]).toEqual([0, expect.stringContaining(`are in ${server.dataDir}`)]);
    await server.killAndRestart({ store: "embedded" });
    await has("small", "small");
    await has("file", large("file"));
    await has("pieces", large("pieces"));
    await put("later", large("later"));

    const other = await postgres.newStore();
    const restored = await run("restore", archive, "--store", other, "--data", join(folder, "elsewhere"));
    expect([restored.status, restored.stderr]).toEqual([0, expect.stringContaining("The keys are not in the backup")]);
    await server.killAndRestart({ store: other });
    await has("file", large("file"));
    await has("pieces", large("pieces"));
    await expect(has("later", large("later"))).rejects.toMatchObject({ name: "NoSuchKey" });
  }, 120_000);
});
