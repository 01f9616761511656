import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { randomIds } from "../kernel/ids.ts";
import { createRootSource, openRootCredentials } from "./root.ts";
import { createServerKeys, openServerKeys } from "./server-keys.ts";
import { createSessions, SessionTooLargeError, type SessionPrincipal } from "./sessions.ts";

const principal: SessionPrincipal = {
  type: "assumedRole",
  account: "111111111111",
  arn: "arn:aws:sts::111111111111:assumed-role/r/s",
  roleArn: "arn:aws:iam::111111111111:role/r",
  roleId: "AROAEXAMPLE",
  sessionName: "s",
  accessKeyId: "",
  sessionPolicies: [],
  sessionTags: { team: "a" },
};

const sessionsOf = (byte: number) =>
  createSessions({ keys: createServerKeys(new Uint8Array(32).fill(byte)), ids: randomIds });

describe("session tokens", () => {
  test("open on any node that has the same server key, and on no other", () => {
    const issued = sessionsOf(1).issue(principal, 5, 10);
    const opened = sessionsOf(1).open(issued.accessKeyId, issued.sessionToken);
    expect(opened).toEqual({
      principal: { ...principal, accessKeyId: issued.accessKeyId, tokenIssuedAt: 5 },
      secretAccessKey: issued.secretAccessKey,
      issuedAt: 5,
      expiresAt: 10,
    });
    expect(sessionsOf(2).open(issued.accessKeyId, issued.sessionToken)).toBeUndefined();
  });

  test("do not open for another access key id", () => {
    const sessions = sessionsOf(1);
    const one = sessions.issue(principal, 0, 10);
    const two = sessions.issue(principal, 0, 10);
    expect(sessions.open(two.accessKeyId, one.sessionToken)).toBeUndefined();
    expect(one.secretAccessKey).not.toBe(two.secretAccessKey);
  });

  test.each(["", "AAAA", "!!", "A".repeat(100_000), "Zm9v".repeat(50)])(
    "what is none of ours is not opened",
    (token) => {
      expect(sessionsOf(1).open("ASIAEXAMPLE", token)).toBeUndefined();
    },
  );

  test("do not tell whom they are for", () => {
    const { sessionToken } = sessionsOf(1).issue(principal, 0, 10);
    expect(Buffer.from(sessionToken, "base64").toString("latin1")).not.toContain("assumed-role");
  });

  test("that would not fit into a header are not issued", () => {
    const text = randomIds.random(20_000, "abcdefghijklmnopqrstuvwxyz0123456789");
    expect(() => sessionsOf(1).issue({ ...principal, sessionPolicies: [text] }, 0, 10)).toThrow(SessionTooLargeError);
  });
});

describe("the files of the data folder", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "cumulet-access-"));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  test("credentials are made once, for the owner only, and can be read by AWS's tools", async () => {
    const made = await openRootCredentials(folder, randomIds);
    expect(made.accessKeyId).toMatch(/^AKIA[A-Z2-7]{16}$/);
    expect(made.secretAccessKey).toHaveLength(40);
    expect(await openRootCredentials(folder, randomIds)).toEqual(made);
    const path = join(folder, "credentials");
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(await readFile(path, "utf8")).toBe(
      `[default]\naws_access_key_id = ${made.accessKeyId}\naws_secret_access_key = ${made.secretAccessKey}\n`,
    );
    const source = createRootSource("111111111111", made);
    expect(source.findAccessKey(made.accessKeyId)).toMatchObject({ principal: { type: "root" } });
    expect(source.findAccessKey("AKIAOTHER")).toBeUndefined();
  });

  test("processes that start at once agree", async () => {
    const all = await Promise.all(Array.from({ length: 20 }, () => openRootCredentials(folder, randomIds)));
    expect(new Set(all.map(({ secretAccessKey }) => secretAccessKey)).size).toBe(1);
  });

  test("a server key that others may read is closed to them", async () => {
    const sealed = (await openServerKeys(folder)).records.seal(Buffer.from("secret"));
    const path = join(folder, "server-key");
    await writeFile(path, await readFile(path), { mode: 0o644 });
    const again = await openServerKeys(folder);
    expect((await stat(path)).mode & 0o077).toBe(0);
    expect(Buffer.from(again.records.open(sealed) ?? []).toString()).toBe("secret");
    expect(again.sessions.open(sealed)).toBeUndefined();
  });

  test("a damaged server key is told, not replaced", async () => {
    await writeFile(join(folder, "server-key"), "short");
    await expect(openServerKeys(folder)).rejects.toThrow("not a key of 64 hex digits");
  });
});
