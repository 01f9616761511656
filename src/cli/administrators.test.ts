import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { IAMClient, ListUsersCommand } from "@aws-sdk/client-iam";
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { refusal } from "../testing/access.ts";
import { startTestServer, type TestServer } from "../testing/server.ts";
import { runCli } from "./cli.ts";

let server: TestServer;
let folder: string;

beforeAll(async () => {
  server = await startTestServer();
  folder = await mkdtemp(join(tmpdir(), "cumulet-admin-"));
}, 60_000);
afterAll(async () => {
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

async function cumulet(...argv: readonly string[]) {
  const out: string[] = [];
  const err: string[] = [];
  const output = {
    out: (line: string) => out.push(line),
    err: (line: string) => err.push(line),
    terminal: false,
    write: () => undefined,
  };
  const store = server.store === undefined ? [] : ["--store", server.store];
  const reached = argv.includes("rotate-root") ? store : ["--port", String(server.port)];
  const place = argv.includes("--data") ? [] : ["--data", server.dataDir, ...reached];
  const status = await runCli([...argv, ...place], output);
  return { status, out: out.join("\n"), err: err.join("\n") };
}

function credentialsIn(text: string) {
  const value = (name: string) => new RegExp(`^${name} = (\\S+)$`, "m").exec(text)?.[1] ?? "";
  return { accessKeyId: value("aws_access_key_id"), secretAccessKey: value("aws_secret_access_key") };
}

const rootOf = async () => credentialsIn(await readFile(join(server.dataDir, "credentials"), "utf8"));

const settings = () => ({ endpoint: server.endpoint, region: "us-east-1", maxAttempts: 1 });

const callerOf = (credentials: ReturnType<typeof credentialsIn>) =>
  new STSClient({ ...settings(), credentials }).send(new GetCallerIdentityCommand({}));

describe("cumulet users and keys", () => {
  test("make a user with a key, switch it off and on, rotate it, and take all away", async () => {
    const made = await cumulet("users", "create", "admin", "--policy", "arn:aws:iam::aws:policy/AdministratorAccess");
    expect(made).toMatchObject({ status: 0, out: expect.stringContaining(":user/admin") as string });
    const first = credentialsIn((await cumulet("keys", "create", "admin")).out);
    await callerOf(first);
    expect((await cumulet("keys", "list")).out).toContain(first.accessKeyId);
    expect((await cumulet("users", "list")).out).toMatch(/admin .*1 of 1 +no/);
    await cumulet("keys", "disable", first.accessKeyId);
    expect(await refusal(callerOf(first))).toMatchObject({ name: "InvalidClientTokenId" });
    await cumulet("keys", "enable", first.accessKeyId);
    await callerOf(first);
    const rotated = await cumulet("keys", "rotate", "admin");
    await callerOf(credentialsIn(rotated.out));
    expect(await refusal(callerOf(first))).toMatchObject({ name: "InvalidClientTokenId" });
    expect((await cumulet("users", "password", "admin", "--reset")).out).toHaveLength(24);
    expect(await cumulet("users", "delete", "admin")).toMatchObject({ status: 0 });
    expect(await refusal(callerOf(credentialsIn(rotated.out)))).toMatchObject({ name: "InvalidClientTokenId" });
  });

  test.each([
    [["users"], 1, "Say what to do"],
    [["users", "rename", "x"], 1, "There is no cumulet users rename"],
    [["users", "delete", "nobody"], 1, "NoSuchEntity"],
    [["keys", "create"], 1, "Say what to do"],
    [["keys", "disable", "AKIAAAAAAAAAAAAAAAAA"], 1, "NoSuchEntity"],
    [["audit"], 1, "Say what to do"],
    [["audit", "list", "--from", "then"], 1, "then is no time"],
    [["audit", "list", "--user", "a", "--event", "b"], 1, "not by both"],
    [["keys", "list", "--wrong"], 64, "--wrong"],
  ])("%j is refused", async (argv, status, message) => {
    expect(await cumulet(...argv)).toMatchObject({ status, err: expect.stringContaining(message) as string });
  });
});

test("cumulet audit shows and exports who called what", async () => {
  await new IAMClient({ ...settings(), credentials: await rootOf() }).send(new ListUsersCommand({}));
  expect((await cumulet("audit", "list", "--event", "ListUsers")).out).toMatch(/root +ListUsers +iam/);
  const path = join(folder, "calls.json.gz");
  expect(await cumulet("audit", "export", path)).toMatchObject({ status: 0, out: path });
  const { Records } = JSON.parse(gunzipSync(await readFile(path)).toString()) as { Records: { eventName: string }[] };
  expect(Records.map(({ eventName }) => eventName)).toContain("ListUsers");
  expect(await cumulet("audit", "export", path)).toMatchObject({ status: 1 });
});

test("cumulet keys rotate-root gives the root another key at once, which a restart keeps", async () => {
  const before = await rootOf();
  const rotated = await cumulet("keys", "rotate-root");
  expect(rotated).toMatchObject({ status: 0 });
  expect(rotated.out).not.toContain(before.secretAccessKey);
  const after = await rootOf();
  expect(after.accessKeyId).not.toBe(before.accessKeyId);
  await vi.waitFor(() => callerOf(after), { timeout: 5_000, interval: 50 });
  expect(await refusal(callerOf(before))).toMatchObject({ name: "InvalidClientTokenId" });
  await server.killAndRestart();
  await callerOf(after);
  expect(await refusal(callerOf(before))).toMatchObject({ name: "InvalidClientTokenId" });
});

test("cumulet keys rotate-root and cumulet backup refuse a folder that no server has kept anything in", async () => {
  const elsewhere = join(folder, "elsewhere");
  for (const argv of [
    ["keys", "rotate-root"],
    ["backup", join(folder, "file")],
  ]) {
    const refused = await cumulet(...argv, "--data", elsewhere);
    expect(refused).toMatchObject({ status: 1, err: expect.stringContaining("No server has kept anything") as string });
  }
  await expect(stat(elsewhere)).rejects.toMatchObject({ code: "ENOENT" });
});
