import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createLog } from "../../src/kernel/log.ts";
import { openPostgresStore } from "../../src/kernel/store/postgres-store.ts";
import { makeAuthority } from "../../src/testing/certificates.ts";
import { findPostgres, noPostgres, startPostgres, type TestPostgres } from "../../src/testing/postgres.ts";

const missing = (await findPostgres()) === undefined;
const log = createLog("silent", () => {}, Date.now);

describe.skipIf(missing)(`TLS to PostgreSQL${missing ? ` (${noPostgres})` : ""}`, () => {
  let folder: string;
  let secure: TestPostgres;
  let plain: TestPostgres;
  let misnamed: TestPostgres;
  let authority: ReturnType<typeof makeAuthority>;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "cumulet-tls-"));
    authority = makeAuthority(folder, "authority");
    secure = await startPostgres({ tls: authority.signServer("here", "IP:127.0.0.1") });
    misnamed = await startPostgres({ tls: authority.signServer("elsewhere", "DNS:elsewhere.example") });
    plain = await startPostgres();
  }, 60_000);
  afterAll(async () => {
    for (const postgres of [secure, misnamed, plain]) await postgres.stop();
    await rm(folder, { recursive: true, force: true });
  });

  test.each(["require", "verify-full"])(
    "sslmode=%s encrypts every connection, with the authority in sslrootcert",
    async (sslmode) => {
      const store = await openPostgresStore({
        url: address(secure, { sslmode, sslrootcert: authority.certFile }),
        log,
      });
      let told = 0;
      store.watch(["k"], () => (told += 1));
      await store.transact(async (tx) => tx.set(["k"], sslmode));
      expect(await store.read((reader) => reader.get(["k"]))).toBe(sslmode);
      await store.caughtUp?.();
      expect(told).toBeGreaterThan(0);
      const connections = await secure.query(
        "SELECT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name = 'cumulet'",
      );
      expect(connections.length).toBeGreaterThan(1);
      expect(connections.flat().every((ssl) => ssl === true || ssl === "t")).toBe(true);
      await store.close();
    },
  );

  test("a connection that was cut is encrypted again", async () => {
    const store = await openPostgresStore({
      url: address(secure, { sslmode: "verify-full", sslrootcert: authority.certFile }),
      log,
    });
    await store.transact(async (tx) => tx.set(["k"], 1));
    await secure.restart("immediate");
    expect(await store.read((reader) => reader.get(["k"]))).toBe(1);
    await store.transact(async (tx) => tx.set(["k"], 2));
    await store.close();
  });

  test.each(["require", "verify-full"])("sslmode=%s refuses a server whose authority is not known", async (sslmode) => {
    expect(await refusal(address(secure, { sslmode }))).toMatch(
      /certificate of PostgreSQL .* is not trusted.*sslrootcert/,
    );
  });

  test("an authority that has not signed the server's certificate is no help", async () => {
    const other = makeAuthority(folder, "other");
    const url = address(secure, { sslmode: "verify-full", sslrootcert: other.certFile });
    expect(await refusal(url)).toMatch(/is not trusted/);
  });

  test("a certificate for another name is refused", async () => {
    const url = address(misnamed, { sslmode: "verify-full", sslrootcert: authority.certFile });
    expect(await refusal(url)).toMatch(/certificate of PostgreSQL .* is not for 127\.0\.0\.1/);
  });

  test("a server without TLS is refused when TLS is asked for", async () => {
    const url = address(plain, { sslmode: "verify-full", sslrootcert: authority.certFile });
    expect(await refusal(url)).toMatch(/speaks no TLS/);
  });

  test("without sslmode a server that wants TLS refuses, and the message says what is missing", async () => {
    expect(await refusal(address(secure, {}))).toMatch(/sslmode=verify-full/);
  });

  test("an authority's file that is not there is named", async () => {
    const url = address(secure, { sslmode: "verify-full", sslrootcert: join(folder, "none.crt") });
    expect(await refusal(url)).toMatch(/none\.crt/);
  });
});

async function refusal(url: string): Promise<string> {
  const error: unknown = await openPostgresStore({ url, log }).catch((reason: unknown) => reason);
  return error instanceof Error ? error.message : "";
}

function address(postgres: TestPostgres, settings: Readonly<Record<string, string>>): string {
  const url = new URL(postgres.passwordUrl);
  for (const [name, value] of Object.entries(settings)) url.searchParams.set(name, value);
  return url.href;
}
