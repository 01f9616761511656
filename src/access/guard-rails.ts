import { readFile } from "node:fs/promises";
import type { PolicyCompiler } from "./policy/compile.ts";
import { PolicyGrammarError } from "./policy/document.ts";
import type { NamedPolicy } from "./policy/evaluate.ts";

/** The file of guard rails cannot be read, or is no policy. The message says what to mend. */
export class GuardRailsError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "GuardRailsError";
  }
}

/**
 * The operator's limit on all accounts of the installation: one policy document in the form of a service control policy, read once, at
 * start. Without a file there is no limit.
 *
 * @throws {GuardRailsError}
 */
export async function openGuardRails(
  file: string | undefined,
  compile: PolicyCompiler,
): Promise<NamedPolicy | undefined> {
  if (file === undefined) return undefined;
  try {
    return { name: file, policy: compile(await readFile(file, "utf8"), "identity") };
  } catch (error) {
    if (error instanceof PolicyGrammarError)
      throw new GuardRailsError(`${file} is no policy document: ${error.message}`);
    throw new GuardRailsError(`The guard rails in ${file} cannot be read: ${String(error)}`);
  }
}
