import type { Key, Reader } from "../../kernel/store/store.ts";
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
