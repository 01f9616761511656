import { createHmac } from "node:crypto";
import type { Cognito } from "../core.ts";
import type { Pool } from "../model.ts";

/** What is told of a user who does not exist, where that may not be seen: the same each time it is asked for. */
export interface Ghost {
  readonly username: string;
  readonly salt: Uint8Array;
  readonly verifier: Uint8Array;
}

/** @param name as it is compared */
export async function ghostOf({ keys }: Pick<Cognito, "keys">, pool: Pool, name: string, now: number): Promise<Ghost> {
  const { privateKey } = await keys.current(pool.id, now);
  const secret = privateKey.export({ type: "pkcs8", format: "der" });
  const bytes = (what: string) => createHmac("sha256", secret).update(`${what} ${name}`).digest();
  const salt = bytes("salt").subarray(0, 16);
  salt[0] = ((salt[0] ?? 0) & 0x7f) | 0x10;
  const id = bytes("name").subarray(0, 16);
  id[6] = ((id[6] ?? 0) & 0x0f) | 0x40;
  id[8] = ((id[8] ?? 0) & 0x3f) | 0x80;
  const hex = id.toString("hex");
  const uuid = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
  const isNamed = (pool.settings.UsernameAttributes?.length ?? 0) > 0;
  const verifier = Buffer.concat(Array.from({ length: 12 }, (_, index) => bytes(`verifier ${index}`)));
  verifier[0] = (verifier[0] ?? 0) & 0x7f;
  return { username: isNamed ? uuid : name, salt, verifier };
}
