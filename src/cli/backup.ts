import { rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { readDataDir } from "../config.ts";
import { backUp, type KeptFile } from "../kernel/backup/backup.ts";
import { assertComplete } from "../kernel/backup/incomplete.ts";
import { systemClock } from "../kernel/clock.ts";
import { CommandError, type Command } from "./command.ts";
import { keyFiles, readKeyFile } from "./key-files.ts";
import { openServedPlace } from "./place.ts";
import { version } from "./version.ts";

export const backupCommand: Command = {
  name: "backup",
  usage: "backup FILE [--with-keys] [--store URL] [--data DIR]",
  summary: "writes everything the platform keeps to one file, while it runs",
  help: "The file holds the store and all content as they were at one moment, with checksums. It reads the store itself: a server may be running or not, and does not wait.\nThe keys (server-key, credentials, metrics-token) are NOT in it unless --with-keys is given: without its server key nobody can open the secrets in a backup, and neither can you. Keep that key elsewhere.",
  async run(argv, output) {
    const { values, positionals } = parseArgs({
      args: [...argv],
      options: { data: { type: "string" }, store: { type: "string" }, "with-keys": { type: "boolean" } },
      allowPositionals: true,
    });
    const [file, ...more] = positionals;
    if (file === undefined || more.length > 0) throw new CommandError("Name one file: cumulet backup FILE");
    const path = resolve(file);
    const dataDir = readDataDir(values.data);
    const place = await openServedPlace(values.store, dataDir);
    try {
      await assertComplete(place.store);
      const keys = values["with-keys"] === true ? await readKeys(dataDir) : undefined;
      const from = performance.now();
      const copied = await write(path, () =>
        backUp(place, path, { clock: systemClock, program: version, ...(keys && { keys }) }),
      );
      const seconds = ((performance.now() - from) / 1000).toFixed(1);
      output.err(
        `${copied.entries} entries and ${copied.contents} files of content of ${place.name} in ${seconds} s, ${keys ? "WITH the keys: whoever reads the file is root" : "without the keys"}.`,
      );
      if ((process.env["CUMULET_BLOBS"] ?? "").startsWith("s3:")) {
        output.err(
          "WARNING: content in the S3-compatible store that CUMULET_BLOBS names is NOT in it: copy that bucket too.",
        );
      }
      output.out(path);
      return 0;
    } finally {
      await place.close();
    }
  },
};

/** What was begun and not finished is no backup: it is removed. */
async function write<T>(path: string, body: () => Promise<T>): Promise<T> {
  try {
    return await body();
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") {
      throw new CommandError(`${path} exists already; nothing was written.`);
    }
    await rm(path, { force: true });
    throw error;
  }
}

async function readKeys(dataDir: string): Promise<readonly KeptFile[]> {
  const found: KeptFile[] = [];
  for (const name of keyFiles) {
    const text = await readKeyFile(join(dataDir, name));
    if (text !== undefined) found.push({ name, text });
  }
  if (!found.some(({ name }) => name === "server-key")) {
    throw new CommandError(
      `There is no server-key in ${dataDir}: the key is kept elsewhere, or --data names another folder.`,
    );
  }
  return found;
}
