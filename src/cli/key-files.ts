import { readFile, writeFile } from "node:fs/promises";
import { CommandError } from "./command.ts";

/** The files of the data folder that are secrets. */
export const keyFiles: readonly string[] = ["server-key", "credentials", "metrics-token"];

/** Undefined when there is none. */
export async function readKeyFile(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}

/** @throws {CommandError} where another key would be lost */
export async function assertKeyFits(path: string, text: string): Promise<void> {
  const present = await readKeyFile(path);
  if (present === undefined || present === text) return;
  throw new CommandError(`${path} is another key than that of the backup. Move it away, or give --force to lose it.`);
}

export async function writeKeyFile(path: string, text: string): Promise<void> {
  await writeFile(path, text, { mode: 0o600, flush: true });
}
