import type { Seal } from "../../access/server-keys.ts";
import { rewriteRecordsOnce } from "../../kernel/store/rewrite-records.ts";
import type { Key, Reader, Store } from "../../kernel/store/store.ts";
import type { PublishedClientCertificate } from "../execute-api/port.ts";
import type { ClientCertificateRecord } from "./client-certificate.ts";
import { childNotFound } from "./errors.ts";
import type { Place } from "./model.ts";

/** Where a client certificate is kept, or all of an account's in a region. */
export function certificateKey({ account, region }: Place, id?: string): Key {
  const prefix = ["apigateway", account, region, "client-certificate"];
  return id === undefined ? prefix : [...prefix, id];
}

/** Throws NotFoundException. */
export async function readClientCertificate(
  reader: Reader,
  place: Place,
  id: string | undefined,
): Promise<ClientCertificateRecord> {
  const certificate = await reader.get<ClientCertificateRecord>(certificateKey(place, id ?? ""));
  if (certificate === undefined) throw childNotFound("Client Certificate");
  return certificate;
}

export function publishedCertificate({
  certificatePem,
  sealedKey,
}: ClientCertificateRecord): PublishedClientCertificate {
  return { cert: certificatePem, sealedKey };
}

/** Seal the keys of certificates from before keys were sealed. */
export function sealClientCertificates(store: Store, seal: Seal): Promise<void> {
  return rewriteRecordsOnce(store, ["apigateway-keys-sealed"], ["apigateway"], (key, value) => {
    if (key[3] !== "client-certificate" || typeof value !== "object" || value === null) return undefined;
    if (!("privateKeyPem" in value) || typeof value.privateKeyPem !== "string") return undefined;
    const { privateKeyPem, ...certificate } = value;
    return { ...certificate, sealedKey: seal.seal(Buffer.from(privateKeyPem, "utf8")) };
  });
}
