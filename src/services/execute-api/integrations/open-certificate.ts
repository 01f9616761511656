import type { PublishedClientCertificate } from "../port.ts";
import type { StageNeeds } from "../stage-needs.ts";
import type { UpstreamRequest } from "./upstream.ts";

/** What a stage shows HTTPS endpoints that ask for a certificate; undefined where it has none, or its key cannot be opened. */
export function openCertificate(
  { seal, log }: Pick<StageNeeds, "seal" | "log">,
  {
    clientCertificate,
    apiId,
    stageName,
  }: {
    readonly clientCertificate?: PublishedClientCertificate;
    readonly apiId: string;
    readonly stageName: string;
  },
): UpstreamRequest["clientCertificate"] {
  if (clientCertificate === undefined) return undefined;
  const key = seal.open(clientCertificate.sealedKey);
  if (key === undefined) {
    // Endpoints that ask for it will refuse.
    log.error("The key of a stage's client certificate was sealed with another server key", { apiId, stageName });
    return undefined;
  }
  return { cert: clientCertificate.cert, key: Buffer.from(key).toString("utf8") };
}
