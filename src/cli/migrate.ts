import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { readDataDir } from "../config.ts";
import { copyPlace } from "../kernel/backup/backup.ts";
import { assertComplete, findState } from "../kernel/backup/incomplete.ts";
import { systemClock } from "../kernel/clock.ts";
import { CommandError, type Command } from "./command.ts";
import { isDatabase, openPlace } from "./place.ts";

export const migrateCommand: Command = {
  name: "migrate",
  usage: "migrate --from DIR|URL --to DIR|URL [--data DIR] [--force]",
  summary: "moves the platform from the embedded store to PostgreSQL, or back",
  help: "Copies everything from one store to another, of which one is a data folder and the other postgres://…; nothing is removed from the first. No server may be running on either. What is broken off is not served; run it again. The target must be empty unless --force is given.\nThe server key and the root's credentials stay where they are: give the nodes the same.",
  async run(argv, output) {
    const { values } = parseArgs({
      args: [...argv],
      options: {
        from: { type: "string" },
        to: { type: "string" },
        data: { type: "string" },
        force: { type: "boolean" },
      },
    });
    if (values.from === undefined || values.to === undefined) {
      throw new CommandError("Name both stores: cumulet migrate --from DIR|URL --to DIR|URL");
    }
    const [fromName, toName] = [toPlace(values.from), toPlace(values.to)];
    if (fromName === toName) throw new CommandError("Both are the same store.");
    const dataDir = readDataDir(values.data);
    const from = await openPlace(fromName, dataDir);
    try {
      const to = await openPlace(toName, dataDir);
      try {
        await from.claim();
        await to.claim();
        await assertComplete(from.store);
        if ((await findState(from.store)) === "empty")
          throw new CommandError(`${from.name} is empty. Nothing was changed.`);
        if (values.force !== true && (await findState(to.store)) === "in use") {
          throw new CommandError(`${to.name} is not empty. Nothing was changed; --force removes what is there.`);
        }
        const copied = await copyPlace(from, to, systemClock);
        output.err(`${copied.entries} entries and ${copied.contents} files of content are in ${to.name}.`);
        return 0;
      } finally {
        await to.close();
      }
    } finally {
      await from.close();
    }
  },
};

function toPlace(where: string): string {
  return isDatabase(where) ? where : resolve(where);
}
