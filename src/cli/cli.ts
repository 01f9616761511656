import { ServerKeyError } from "../access/shared-keys.ts";
import { ConfigError } from "../config.ts";
import { ArchiveError } from "../kernel/backup/archive.ts";
import { StoreIncompleteError } from "../kernel/backup/incomplete.ts";
import { StoreUnavailableError } from "../kernel/store/postgres-errors.ts";
import { TlsFileError } from "../front/tls.ts";
import { CommandError, type Command, type Output } from "./command.ts";
import { backupCommand } from "./backup.ts";
import { debugCommand } from "./debug.ts";
import { deployCommand } from "./deploy.ts";
import { devCommand } from "./dev.ts";
import { doctorCommand } from "./doctor.ts";
import { envCommand } from "./env.ts";
import { invokeCommand } from "./invoke.ts";
import { logsCommand } from "./logs.ts";
import { migrateCommand } from "./migrate.ts";
import { restoreCommand } from "./restore.ts";
import { runtimesCommand } from "./runtimes.ts";
import { startCommand } from "./start.ts";
import { usageCommand } from "./usage.ts";
import { version } from "./version.ts";
import { workerCommand } from "./worker.ts";

const commands: readonly Command[] = [
  startCommand,
  envCommand,
  deployCommand,
  devCommand,
  debugCommand,
  invokeCommand,
  logsCommand,
  usageCommand,
  backupCommand,
  restoreCommand,
  migrateCommand,
  doctorCommand,
  runtimesCommand,
  workerCommand,
];

/** Runs one command line (without the program's name); the process's exit code: 0, 1 for a failure, 64 for wrong usage. */
export async function runCli(argv: readonly string[], output: Output): Promise<number> {
  const [name, ...rest] = argv;
  if (name === undefined || name === "help" || name === "--help" || name === "-h") {
    output.out(overview());
    return name === undefined ? 64 : 0;
  }
  if (name === "--version" || name === "-v" || name === "version") {
    output.out(`cumulet ${version}`);
    return 0;
  }
  const command = commands.find((candidate) => candidate.name === name);
  if (!command) {
    output.err(`cumulet: there is no command ${name}. 'cumulet help' lists them.`);
    return 64;
  }
  if (rest.includes("--help") || rest.includes("-h")) {
    output.out(`Usage: cumulet ${command.usage}\n\n${command.help}`);
    return 0;
  }
  try {
    return await command.run(rest, output);
  } catch (error) {
    if (isUsageError(error)) {
      output.err(`cumulet: ${error.message}\nUsage: cumulet ${command.usage}`);
      return 64;
    }
    output.err(`cumulet: ${explain(error)}`);
    return 1;
  }
}

function overview(): string {
  const listed = commands.filter((command) => command.hidden !== true);
  const width = Math.max(...listed.map((command) => command.usage.length));
  const lines = listed.map((command) => `  cumulet ${command.usage.padEnd(width)}  ${command.summary}`);
  return `Cumulet ${version}: an AWS-compatible serverless API platform\n\n${lines.join("\n")}\n\n'cumulet COMMAND --help' tells more.`;
}

function isUsageError(error: unknown): error is Error {
  if (error instanceof ConfigError) return true;
  return error instanceof TypeError && "code" in error && String(error.code).startsWith("ERR_PARSE_ARGS");
}

/** What whoever starts the program has to mend: a sentence is enough. */
function isSetup(error: unknown): error is Error {
  return (
    error instanceof StoreUnavailableError ||
    error instanceof ServerKeyError ||
    error instanceof StoreIncompleteError ||
    error instanceof ArchiveError
  );
}

function explain(error: unknown): string {
  if (error instanceof CommandError || error instanceof TlsFileError || isSetup(error)) return error.message;
  if (!(error instanceof Error)) return String(error);
  if ("$metadata" in error) return `${error.name}: ${error.message}`;
  return error.stack ?? error.message;
}
