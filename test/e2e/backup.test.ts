import { CreateBucketCommand, GetObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { clientSettings } from "../../src/testing/functions.ts";
import { startTestServer } from "../../src/testing/server.ts";
import { runTool } from "../../src/testing/tools.ts";

const program = join(import.meta.dirname, "../../bin/cumulet");
const run = (...args: string[]) => runTool(program, args, { env: {} });

test("a backup of a running server is restored elsewhere; what is not empty, in use or damaged is left alone", async () => {
  const folder = await mkdtemp(join(tmpdir(), "cumulet-backup-"));
  const server = await startTestServer();
  try {
    const s3 = new S3Client({ ...clientSettings(server.environment), forcePathStyle: true });
    await s3.send(new CreateBucketCommand({ Bucket: "kept" }));
    const large = "large ".repeat(50_000);
    await s3.send(new PutObjectCommand({ Bucket: "kept", Key: "small", Body: "small" }));
    await s3.send(new PutObjectCommand({ Bucket: "kept", Key: "large", Body: large }));
    const file = join(folder, "archive");
    const backedUp = await run("backup", file, "--with-keys", "--data", server.dataDir);
    expect(backedUp).toMatchObject({ status: 0, stdout: `${file}\n` });
    expect(backedUp.stderr).toContain("WITH the keys");

    // Not over an archive, not over a store in use, whatever is forced.
    expect((await run("backup", file, "--data", server.dataDir)).stderr).toContain("exists already");
    const used = await run("restore", file, "--data", server.dataDir, "--force");
    expect([used.status, used.stderr]).toEqual([1, expect.stringContaining("A server runs on")]);
    const damaged = await run("restore", program, "--data", join(folder, "new"));
    expect([damaged.status, damaged.stderr]).toEqual([1, expect.stringContaining("is not a backup")]);

    const data = join(folder, "new");
    expect(await run("restore", file, "--data", data)).toMatchObject({ status: 0 });
    expect((await run("restore", file, "--data", data)).stderr).toContain("is not empty");
    // The very server again, on what was restored.
    await server.kill();
    await rm(server.dataDir, { recursive: true });
    expect(await run("migrate", "--from", data, "--to", server.dataDir)).toMatchObject({ status: 0 });
    for (const name of ["server-key", "credentials"]) {
      await runTool("/bin/cp", [join(data, name), server.dataDir], { env: {} });
    }
    await server.killAndRestart();
    const bodyOf = async (Key: string) =>
      (await s3.send(new GetObjectCommand({ Bucket: "kept", Key }))).Body?.transformToString();
    expect(await bodyOf("small")).toBe("small");
    expect(await bodyOf("large")).toBe(large);
  } finally {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  }
}, 60_000);
