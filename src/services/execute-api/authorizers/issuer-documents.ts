import type { FetchJson } from "../../../access/tokens/issuers.ts";
import { tokenLimits as limits } from "../../../access/tokens/limits.ts";
import type { Upstream } from "../integrations/upstream.ts";

/** Fetches over HTTP. Redirects are not followed: an issuer says where its documents are. */
export function fetchJsonFrom(upstream: Upstream): FetchJson {
  return (url) =>
    new Promise((resolve, reject) => {
      const { protocol, hostname, port, host, pathname, search } = new URL(url);
      if (protocol !== "https:" && protocol !== "http:") return reject(new Error("It is no address of HTTP"));
      const request = {
        protocol,
        hostname: hostname.replaceAll(/[[\]]/g, ""),
        port,
        path: pathname + search,
        method: "GET",
        headers: ["Host", host, "Accept", "application/json", "User-Agent", "AmazonAPIGateway"],
        body: Buffer.alloc(0),
        timeoutMs: limits.issuerTimeoutMs,
        insecure: false,
      } as const;
      upstream.send(request, (outcome) => {
        if ("failure" in outcome) return reject(new Error(outcome.reason));
        if (outcome.status !== 200) return reject(new Error(`It answered ${outcome.status}`));
        if (outcome.body.byteLength > limits.issuerBytesMax) return reject(new Error("Its answer is too large"));
        try {
          resolve(JSON.parse(outcome.body.toString("utf8")));
        } catch {
          reject(new Error("Its answer is no JSON"));
        }
      });
    });
}
