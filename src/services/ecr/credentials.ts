import type { Seal } from "../../access/server-keys.ts";
import type { Principal } from "../../aws/principal.ts";

/**
 * Passwords for the registry, and addresses from which layers can be downloaded: sealed by the server, so that nothing is stored and
 * every node can verify them.
 */
export type RegistryPrincipal = Extract<Principal, { type: "root" | "user" | "assumedRole" | "federatedUser" }>;

/** Who a password stands for, and which region's registry it was asked for. */
export interface RegistryLogin {
  readonly principal: RegistryPrincipal;
  readonly region: string;
  /** Epoch milliseconds. */
  readonly expiresAt: number;
}

export function sealLogin(seal: Seal, login: RegistryLogin): string {
  return sealed(seal, { purpose: "login", ...login });
}

/** Undefined for what is no password of ours; does not look at the clock. */
export function openLogin(seal: Seal, password: string): RegistryLogin | undefined {
  const content = opened(seal, password);
  return content?.["purpose"] === "login" ? parseLogin(content) : undefined;
}

export function sealDownload(seal: Seal, blobId: string, expiresAt: number): string {
  return sealed(seal, { purpose: "download", blobId, expiresAt });
}

export function openDownload(seal: Seal, token: string, now: number): string | undefined {
  const content = opened(seal, token);
  if (content?.["purpose"] !== "download" || Number(content["expiresAt"]) < now) return undefined;
  return String(content["blobId"]);
}

function sealed(seal: Seal, content: object): string {
  return Buffer.from(seal.seal(Buffer.from(JSON.stringify(content)))).toString("base64url");
}

// What opens was sealed by us, so it has the shape that it was given.
function opened(seal: Seal, text: string): Readonly<Record<string, unknown>> | undefined {
  if (!/^[\w-]{1,12000}$/.test(text)) return undefined;
  const plain = seal.open(Buffer.from(text, "base64url"));
  return plain && (JSON.parse(Buffer.from(plain).toString("utf8")) as Record<string, unknown>);
}

function parseLogin(content: unknown): RegistryLogin {
  return content as RegistryLogin;
}
