import { oauthLimits as limits } from "../oauth/limits.ts";

/** Calls HTTP endpoints outside; which addresses may be reached is decided there. */
export interface Outbound {
  send(
    request: {
      readonly protocol: "http:" | "https:";
      readonly hostname: string;
      readonly port: string;
      readonly path: string;
      readonly method: string;
      readonly headers: readonly string[];
      readonly body: Buffer;
      readonly timeoutMs: number;
      readonly insecure: boolean;
    },
    done: (
      outcome:
        { readonly status: number; readonly body: Buffer } | { readonly failure: string; readonly reason: string },
    ) => void,
  ): void;
}

/** A provider did not answer as it should. The message is told in the log. */
export class ProviderFailure extends Error {}

/** The parsed JSON of an answer with status 200. Redirects are not followed. @throws ProviderFailure */
export function requestJson(
  outbound: Outbound,
  url: string,
  more: { readonly authorization?: string; readonly form?: URLSearchParams; readonly method?: string } = {},
): Promise<Readonly<Record<string, unknown>>> {
  return new Promise((resolve, reject) => {
    const parsed = URL.parse(url);
    if (parsed === null || !isSafe(parsed)) return reject(new ProviderFailure("The address must be of https"));
    const { protocol, hostname, port, host, pathname, search } = parsed;
    const headers = ["Host", host, "Accept", "application/json", "User-Agent", "AmazonCognito"];
    if (more.authorization !== undefined) headers.push("Authorization", more.authorization);
    if (more.form) headers.push("Content-Type", "application/x-www-form-urlencoded");
    outbound.send(
      {
        protocol: protocol === "https:" ? "https:" : "http:",
        hostname: hostname.replaceAll(/[[\]]/g, ""),
        port,
        path: pathname + search,
        method: more.method ?? (more.form ? "POST" : "GET"),
        headers,
        body: Buffer.from(more.form?.toString() ?? ""),
        timeoutMs: limits.providerMs,
        insecure: false,
      },
      (outcome) => {
        if ("failure" in outcome) return reject(new ProviderFailure(outcome.reason));
        if (outcome.status !== 200) return reject(new ProviderFailure(`It answered ${outcome.status}`));
        if (outcome.body.byteLength > limits.providerBytesMax)
          return reject(new ProviderFailure("It answered too much"));
        try {
          const value: unknown = JSON.parse(outcome.body.toString("utf8"));
          if (typeof value !== "object" || value === null || Array.isArray(value)) throw new Error("no object");
          resolve({ ...value });
        } catch {
          reject(new ProviderFailure("It did not answer JSON"));
        }
      },
    );
  });
}

/** Over TLS, or on this machine. */
function isSafe({ protocol, hostname, username, password }: URL): boolean {
  if (username !== "" || password !== "") return false;
  if (protocol === "https:") return true;
  const isHere =
    hostname === "localhost" || hostname.endsWith(".localhost") || hostname.startsWith("127.") || hostname === "[::1]";
  return protocol === "http:" && isHere;
}
