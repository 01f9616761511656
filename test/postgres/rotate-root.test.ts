import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { cp, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { runCli } from "../../src/cli/cli.ts";
import { readConfig } from "../../src/config.ts";
import { createPlatform, type Platform } from "../../src/platform.ts";
import { startTestPlatform, type TestPlatform } from "../../src/testing/platform.ts";
import { findPostgres, noPostgres, startPostgres, type TestPostgres } from "../../src/testing/postgres.ts";

const missing = (await findPostgres()) === undefined;

const value = (text: string, name: string) => new RegExp(`^${name} = (\\S+)$`, "m").exec(text)?.[1] ?? "";

async function rootIn(dataDir: string) {
  const text = await readFile(join(dataDir, "credentials"), "utf8");
  return { accessKeyId: value(text, "aws_access_key_id"), secretAccessKey: value(text, "aws_secret_access_key") };
}

const isTaken = (endpoint: string, credentials: Awaited<ReturnType<typeof rootIn>>) =>
  new STSClient({ endpoint, region: "us-east-1", maxAttempts: 1, credentials })
    .send(new GetCallerIdentityCommand({}))
    .then(
      () => true,
      (error: unknown) => (error instanceof Error && error.name === "InvalidClientTokenId" ? false : String(error)),
    );

describe.skipIf(missing)(`cumulet keys rotate-root on PostgreSQL${missing ? ` (${noPostgres})` : ""}`, () => {
  let postgres: TestPostgres;
  let store: string;
  let first: TestPlatform;
  let second: { readonly platform: Platform; readonly endpoint: string; readonly dataDir: string };

  beforeAll(async () => {
    postgres = await startPostgres();
    store = await postgres.newStore();
    first = await startTestPlatform({ store });
    const dataDir = await mkdtemp(join(tmpdir(), "cumulet-test-"));
    await cp(join(first.dataDir, "server-key"), join(dataDir, "server-key"));
    const platform = await createPlatform(readConfig({ port: "0", data: dataDir, store }, { CUMULET_LOG: "silent" }), {
      writeLog: () => {},
    });
    second = { platform, dataDir, endpoint: (await platform.start()).endpoint };
  }, 60_000);
  afterAll(async () => {
    await second.platform.stop(0);
    await first.stop();
    await postgres.stop();
    await rm(second.dataDir, { recursive: true, force: true });
  });

  async function rotateRoot(...more: readonly string[]) {
    const err: string[] = [];
    const output = { out: () => {}, err: (line: string) => void err.push(line), write: () => {}, terminal: false };
    const status = await runCli(["keys", "rotate-root", "--store", store, "--data", first.dataDir, ...more], output);
    return { status, err: err.join("\n") };
  }

  test("gives every node the new key at once, in its file too; the old one is taken nowhere", async () => {
    const before = await rootIn(first.dataDir);
    expect(await rotateRoot()).toMatchObject({ status: 0 });
    const after = await rootIn(first.dataDir);
    expect(after.accessKeyId).not.toBe(before.accessKeyId);
    for (const endpoint of [first.endpoint, second.endpoint]) {
      await vi.waitFor(async () => expect(await isTaken(endpoint, after)).toBe(true), {
        timeout: 10_000,
        interval: 50,
      });
      await vi.waitFor(async () => expect(await isTaken(endpoint, before)).toBe(false), { timeout: 10_000 });
    }
    await vi.waitFor(async () => expect((await rootIn(second.dataDir)).accessKeyId).toBe(after.accessKeyId), {
      timeout: 10_000,
    });
  });

  test("is kept when the nodes start again", async () => {
    const now = await rootIn(first.dataDir);
    await first.restart();
    expect(await isTaken(first.endpoint, now)).toBe(true);
    expect((await rootIn(first.dataDir)).accessKeyId).toBe(now.accessKeyId);
  });

  test("refuses a folder whose server key is not the store's, and changes nothing", async () => {
    const now = await rootIn(first.dataDir);
    const elsewhere = await mkdtemp(join(tmpdir(), "cumulet-test-"));
    const refused = await rotateRoot("--data", elsewhere);
    await rm(elsewhere, { recursive: true, force: true });
    expect(refused.status).not.toBe(0);
    expect(await isTaken(second.endpoint, now)).toBe(true);
  });
});
