import { expect, test } from "vitest";
import { createServerKeys } from "../../access/server-keys.ts";
import { createMemoryStore } from "../../kernel/store/memory-store.ts";
import type { Store } from "../../kernel/store/store.ts";
import { sealPublishedKeys, stagePublisher } from "../execute-api/published-stages.ts";
import { certificateKey, readClientCertificate, sealClientCertificates } from "./client-certificates.ts";

const place = { account: "000000000000", region: "us-east-1" };
const secret = "-----BEGIN PRIVATE KEY-----\nsecret\n-----END PRIVATE KEY-----";
const seal = createServerKeys(new Uint8Array(32).fill(7)).records;

const textOf = (store: Store) =>
  store.read(async (reader) =>
    JSON.stringify([
      await reader.range({ prefix: ["apigateway"] }, { limit: 1000 }),
      await reader.range({ prefix: ["execute-api"] }, { limit: 1000 }),
    ]),
  );

test("keys that an earlier version kept in clear are sealed by the next start, and open as they were", async () => {
  const store = createMemoryStore();
  const stage = { kind: "rest", version: 1, ...place, stageName: "s" };
  await store.transact(async (tx) => {
    for (let index = 0; index < 450; index++) {
      const id = `c${String(index).padStart(3, "0")}`;
      tx.set(certificateKey(place, id), { id, certificatePem: "cert", privateKeyPem: secret, tags: {} });
    }
    tx.set(["apigateway", place.account, place.region, "api", "a"], { id: "a", privateKeyPem: "not a certificate" });
    tx.set(["execute-api", "stage", "a", "s"], {
      ...stage,
      apiId: "a",
      clientCertificate: { cert: "cert", key: secret },
    });
    tx.set(["execute-api", "stage", "b", "s"], { ...stage, apiId: "b" });
  });
  for (let start = 0; start < 2; start++) {
    await sealClientCertificates(store, seal);
    await sealPublishedKeys(store, seal);
  }
  expect(await textOf(store)).not.toContain("PRIVATE KEY");
  const record = await store.read((reader) => readClientCertificate(reader, place, "c449"));
  expect(Object.keys(record).toSorted()).toEqual(["certificatePem", "id", "sealedKey", "tags"]);
  expect(Buffer.from(seal.open(record.sealedKey) ?? []).toString()).toBe(secret);
  const published = await store.read((reader) =>
    reader.get<{ clientCertificate: { cert: string; sealedKey: Uint8Array } }>(["execute-api", "stage", "a", "s"]),
  );
  expect(published?.clientCertificate.cert).toBe("cert");
  const opened = seal.open(published?.clientCertificate.sealedKey ?? new Uint8Array());
  expect(Buffer.from(opened ?? []).toString()).toBe(secret);
  // What is published from now on is sealed: nothing is looked at again.
  await store.transact(async (tx) => stagePublisher.withdraw(tx, "a", "s"));
  await sealPublishedKeys(store, seal);
});
