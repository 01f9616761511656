import { createHmac, timingSafeEqual } from "node:crypto";
import type { Ids } from "../../../kernel/ids.ts";
import type { Store } from "../../../kernel/store/store.ts";
import { lambdaLimits } from "../limits.ts";
import type { CodePackage } from "../model.ts";

/** Addresses from which a package can be downloaded for a while, as `Code.Location`: whoever holds one may. */
export interface CodeUrls {
  sign(code: CodePackage, endpoint: string, now: number): Promise<string>;
  /** The blob that a token stands for; undefined when it is forged or has expired. */
  verify(token: string, now: number): Promise<string | undefined>;
}

/** Path below which packages are downloaded: what follows is the token. */
export const codeUrlPath = "/_cumulet/lambda/code/";

const secretKey = ["lambda", "codeUrlSecret"];

export function createCodeUrls(needs: { readonly store: Store; readonly ids: Ids }): CodeUrls {
  let secret: Promise<Uint8Array> | undefined;
  // Kept in the store, so that an address made by one process is good on every other.
  const readSecret = () =>
    (secret ??= needs.store.transact(async (tx) => {
      const known = await tx.get<Uint8Array>(secretKey);
      if (known) return known;
      const made = needs.ids.bytes(32);
      tx.set(secretKey, made);
      return made;
    }));
  const mac = async (body: string) =>
    createHmac("sha256", await readSecret())
      .update(body)
      .digest();

  return {
    async sign(code, endpoint, now) {
      const body = Buffer.from(`${now + lambdaLimits.codeUrlMs}.${code.blobId}`).toString("base64url");
      return `${endpoint}${codeUrlPath}${body}.${(await mac(body)).toString("base64url")}`;
    },
    async verify(token, now) {
      const [body, signature] = token.split(".");
      if (!body || !signature) return undefined;
      const [given, wanted] = [Buffer.from(signature, "base64url"), await mac(body)];
      if (given.length !== wanted.length || !timingSafeEqual(given, wanted)) return undefined;
      const [expires, ...blobId] = Buffer.from(body, "base64url").toString().split(".");
      return Number(expires) >= now ? blobId.join(".") : undefined;
    },
  };
}
