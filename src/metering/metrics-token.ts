import { createHash, timingSafeEqual } from "node:crypto";
import { join } from "node:path";
import { readNamedFile, readOrCreatePrivateFile } from "../access/private-file.ts";
import type { Ids } from "../kernel/ids.ts";

/** Whether an `Authorization` header carries the token of `metrics-token` in the data folder. */
export type TokenCheck = (authorization: string | undefined) => boolean;

/**
 * The token that a scraper sends, kept in the data folder for its configuration to name. A loopback address alone says
 * nothing here: functions reach the platform by one, too.
 */
export async function openMetricsToken(dataDir: string, ids: Ids, file?: string): Promise<TokenCheck> {
  const make = () => `${Buffer.from(ids.bytes(24)).toString("base64url")}\n`;
  const text =
    file === undefined
      ? await readOrCreatePrivateFile(join(dataDir, "metrics-token"), make)
      : await readNamedFile(file, "the metrics token");
  const token = text.trim();
  if (token.length < 16) throw new Error("The metrics token has at least 16 characters");
  const wanted = digest(`Bearer ${token}`);
  return (authorization) => authorization !== undefined && timingSafeEqual(digest(authorization), wanted);
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
