import { createSign, generateKeyPairSync, type KeyObject } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** For tests: an OpenID Connect issuer on this host. */
export interface TestIssuer {
  readonly url: string;
  /** Requests for its documents so far. */
  readonly requests: string[];
  /** From now on it answers its documents with this status; 200 mends it. */
  fail(status: number): void;
  /** Sign with a new key from now on; old keys are gone unless they are kept. */
  rotate(keep: boolean): void;
  /** A token of its own, with these claims over the usual ones. */
  sign(claims?: object, header?: object): string;
  /** The public key in PEM: what attackers sign with. */
  publicKey(): string;
  stop(): Promise<void>;
}

export async function startTestIssuer(nowSeconds: () => number): Promise<TestIssuer> {
  let keys: { readonly kid: string; readonly privateKey: KeyObject; readonly publicKey: KeyObject }[] = [];
  let status = 200;
  let made = 0;
  const requests: string[] = [];
  const rotate = (keep: boolean) => {
    const pair = nextPair();
    keys = [{ kid: `k${++made}`, ...pair }, ...(keep ? keys : [])];
  };
  rotate(false);
  const server = createServer((request, response) => {
    requests.push(request.url ?? "");
    const jwks = keys.map(({ kid, publicKey }) => ({
      ...publicKey.export({ format: "jwk" }),
      kid,
      use: "sig",
      alg: "RS256",
    }));
    const documents: Record<string, unknown> = {
      "/.well-known/openid-configuration": { issuer: url, jwks_uri: `${url}/keys` },
      "/keys": { keys: jwks },
    };
    response.writeHead(status, { "Content-Type": "application/json" });
    response.end(JSON.stringify(documents[request.url ?? ""] ?? {}));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address: AddressInfo | string | null = server.address();
  const url = `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`;

  return {
    url,
    requests,
    fail: (next) => (status = next),
    rotate,
    sign: (claims = {}, header = {}) => {
      const now = nowSeconds();
      const [key] = keys;
      const body = { iss: url, aud: "app", sub: "me", iat: now, exp: now + 3600, ...claims };
      const text = `${encode({ alg: "RS256", kid: key?.kid, typ: "JWT", ...header })}.${encode(body)}`;
      const signature = createSign("RSA-SHA256")
        .update(text)
        .sign(key?.privateKey ?? "");
      return `${text}.${signature.toString("base64url")}`;
    },
    publicKey: () => String(keys[0]?.publicKey.export({ type: "spki", format: "pem" })),
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Making a key takes long: a test file makes a few, and issuers take turns, so that no two of one test share one. */
const pairs: { readonly privateKey: KeyObject; readonly publicKey: KeyObject }[] = [];
let turn = 0;

function nextPair() {
  const index = turn++ % 6;
  return (pairs[index] ??= generateKeyPairSync("rsa", { modulusLength: 2048 }));
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}
