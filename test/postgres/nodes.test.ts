import { CreateUserCommand, GetUserCommand, IAMClient } from "@aws-sdk/client-iam";
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { cp, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readConfig } from "../../src/config.ts";
import { createPlatform } from "../../src/platform.ts";
import { startTestPlatform, type TestPlatform } from "../../src/testing/platform.ts";
import { findPostgres, noPostgres, startPostgres, type TestPostgres } from "../../src/testing/postgres.ts";

const missing = (await findPostgres()) === undefined;

describe.skipIf(missing)(`nodes of one store on PostgreSQL${missing ? ` (${noPostgres})` : ""}`, () => {
  let postgres: TestPostgres;
  let first: TestPlatform;
  let store: string;
  const folders: string[] = [];
  beforeAll(async () => {
    postgres = await startPostgres();
    store = await postgres.newStore();
    first = await startTestPlatform({ store });
  });
  afterAll(async () => {
    await first.stop();
    await postgres.stop();
    for (const folder of folders) await rm(folder, { recursive: true, force: true });
  });

  const newFolder = async () => {
    const folder = await mkdtemp(join(tmpdir(), "cumulet-test-"));
    folders.push(folder);
    return folder;
  };
  /** Another node, as on a machine of its own: a data folder, and what the operator gives it. */
  const joinStore = (dataDir: string, environment: Readonly<Record<string, string>> = {}) =>
    createPlatform(readConfig({ port: "0", data: dataDir, store }, { CUMULET_LOG: "silent", ...environment }), {
      writeLog: () => {},
    });

  test("refuse another that has no server key, and make none", async () => {
    const dataDir = await newFolder();
    await expect(joinStore(dataDir)).rejects.toThrow(/has no server key.*CUMULET_SERVER_KEY/);
    await expect(readFile(join(dataDir, "server-key"))).rejects.toThrow("ENOENT");
  });

  test("refuse another that has a server key of its own", async () => {
    const joining = joinStore(await newFolder(), { CUMULET_SERVER_KEY: "ab".repeat(32) });
    await expect(joining).rejects.toThrow("The server key of this node is not that of its store");
  });

  test("share credentials and state with another that was given their key", async () => {
    const dataDir = await newFolder();
    await cp(join(first.dataDir, "server-key"), join(dataDir, "server-key"));
    const second = await joinStore(dataDir);
    const { endpoint } = await second.start();
    expect(await readFile(join(dataDir, "credentials"), "utf8")).toBe(
      await readFile(join(first.dataDir, "credentials"), "utf8"),
    );
    await new IAMClient(first.settings).send(new CreateUserCommand({ UserName: "ada" }));
    const found = await new IAMClient({ ...first.settings, endpoint }).send(new GetUserCommand({ UserName: "ada" }));
    expect(found.User?.UserName).toBe("ada");
    const [s3, otherS3] = [first.settings.endpoint, endpoint].map(
      (at) => new S3Client({ ...first.settings, endpoint: at, forcePathStyle: true }),
    );
    await s3?.send(new CreateBucketCommand({ Bucket: "shared" }));
    await s3?.send(new PutObjectCommand({ Bucket: "shared", Key: "k", Body: "on any node" }));
    const object = await otherS3?.send(new GetObjectCommand({ Bucket: "shared", Key: "k" }));
    expect(await object?.Body?.transformToString()).toBe("on any node");
    await second.stop(0);
  });

  test("start again on what was stored", async () => {
    await first.restart();
    const found = await new IAMClient(first.settings).send(new GetUserCommand({ UserName: "ada" }));
    expect(found.User?.UserName).toBe("ada");
  });
});
