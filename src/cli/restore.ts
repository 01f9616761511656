import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { readDataDir } from "../config.ts";
import { checkArchive, restoreArchive, type KeptFile } from "../kernel/backup/backup.ts";
import { findState } from "../kernel/backup/incomplete.ts";
import { CommandError, type Command } from "./command.ts";
import { assertKeyFits, keyFiles, writeKeyFile } from "./key-files.ts";
import { openPlace, placeOf } from "./place.ts";

export const restoreCommand: Command = {
  name: "restore",
  usage: "restore FILE [--force] [--store URL] [--data DIR]",
  summary: "makes an empty store hold what a backup holds",
  help: "The file is read to its end first: one that is damaged or cut off changes nothing. No server may be running on the store. A restore that was broken off is not served; run it again.\nOnly into an empty store, unless --force is given: it removes what is there. A backup without keys needs the server key of its platform: put it in the data folder, or name it with CUMULET_SERVER_KEY_FILE, before the start.",
  async run(argv, output) {
    const { values, positionals } = parseArgs({
      args: [...argv],
      options: { data: { type: "string" }, store: { type: "string" }, force: { type: "boolean" } },
      allowPositionals: true,
    });
    const [file, ...more] = positionals;
    if (file === undefined || more.length > 0) throw new CommandError("Name one file: cumulet restore FILE");
    const path = resolve(file);
    const force = values.force === true;
    const { head, files } = await checkArchive(path);
    const dataDir = readDataDir(values.data);
    if (!force) for (const { name, text } of known(files)) await assertKeyFits(join(dataDir, name), text);
    const place = await openPlace(placeOf(values.store, dataDir), dataDir);
    try {
      await place.claim();
      const state = await findState(place.store);
      if (!force && (state === "in use" || (state === "empty" && !(await place.contents.isEmpty())))) {
        throw new CommandError(`${place.name} is not empty. Nothing was changed; --force removes what is there.`);
      }
      const copied = await restoreArchive(place, path);
      for (const { name, text } of known(files)) await writeKeyFile(join(dataDir, name), text);
      output.err(
        `${copied.entries} entries and ${copied.contents} files of content of ${head.createdAt} are in ${place.name}.`,
      );
      if (!head.withKeys)
        output.err("The keys are not in the backup: the server key of its platform is needed to start.");
      return 0;
    } finally {
      await place.close();
    }
  },
};

/** Never a file of another name: an archive says nothing about where else to write. */
function known(files: readonly KeptFile[]): readonly KeptFile[] {
  return files.filter(({ name }) => keyFiles.includes(name));
}
