import { createHash, timingSafeEqual } from "node:crypto";
import { join } from "node:path";
import { readOrCreatePrivateFile } from "../access/private-file.ts";
import type { Ids } from "../kernel/ids.ts";

/** Whether an `Authorization` header carries the token of `metrics-token` in the data folder. */
export type TokenCheck = (authorization: string | undefined) => boolean;

/**
 * The token that a scraper sends, kept in the data folder for its configuration to name. A loopback address alone says
 * nothing here: functions reach the platform by one, too.
 */
export async function openMetricsToken(dataDir: string, ids: Ids): Promise<TokenCheck> {
  const make = () => `${Buffer.from(ids.bytes(24)).toString("base64url")}\n`;
  const token = (await readOrCreatePrivateFile(join(dataDir, "metrics-token"), make)).trim();
  const wanted = digest(`Bearer ${token}`);
  return (authorization) => authorization !== undefined && timingSafeEqual(digest(authorization), wanted);
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
