import { ConfigError } from "../config.ts";
import { CommandError, type Command, type Output } from "./command.ts";
import { version } from "./version.ts";

/** Each is loaded only where it is used: what supervises workers, and what is a short call, stays small. */
const commands: Readonly<Record<string, () => Promise<Command>>> = {
  start: async () => (await import("./start.ts")).startCommand,
  env: async () => (await import("./env.ts")).envCommand,
  deploy: async () => (await import("./deploy.ts")).deployCommand,
  dev: async () => (await import("./dev.ts")).devCommand,
  debug: async () => (await import("./debug.ts")).debugCommand,
  invoke: async () => (await import("./invoke.ts")).invokeCommand,
  logs: async () => (await import("./logs.ts")).logsCommand,
  explain: async () => (await import("./explain.ts")).explainCommand,
  outbox: async () => (await import("./outbox.ts")).outboxCommand,
  usage: async () => (await import("./usage.ts")).usageCommand,
  users: async () => (await import("./users.ts")).usersCommand,
  keys: async () => (await import("./keys.ts")).keysCommand,
  audit: async () => (await import("./audit.ts")).auditCommand,
  backup: async () => (await import("./backup.ts")).backupCommand,
  restore: async () => (await import("./restore.ts")).restoreCommand,
  migrate: async () => (await import("./migrate.ts")).migrateCommand,
  doctor: async () => (await import("./doctor.ts")).doctorCommand,
  runtimes: async () => (await import("./runtimes.ts")).runtimesCommand,
  worker: async () => (await import("./worker.ts")).workerCommand,
};

/** Runs one command line (without the program's name); the process's exit code: 0, 1 for a failure, 64 for wrong usage. */
export async function runCli(argv: readonly string[], output: Output): Promise<number> {
  const [name, ...rest] = argv;
  if (name === undefined || name === "help" || name === "--help" || name === "-h") {
    output.out(await overview());
    return name === undefined ? 64 : 0;
  }
  if (name === "--version" || name === "-v" || name === "version") {
    output.out(`cumulet ${version}`);
    return 0;
  }
  const load = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (load === undefined) {
    output.err(`cumulet: there is no command ${name}. 'cumulet help' lists them.`);
    return 64;
  }
  const command = await load();
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
    output.err(`cumulet: ${await explain(error)}`);
    return 1;
  }
}

async function overview(): Promise<string> {
  const all = await Promise.all(Object.values(commands).map((load) => load()));
  const listed = all.filter((command) => command.hidden !== true);
  const width = Math.max(...listed.map((command) => command.usage.length));
  const lines = listed.map((command) => `  cumulet ${command.usage.padEnd(width)}  ${command.summary}`);
  return `Cumulet ${version}: an AWS-compatible serverless API platform\n\n${lines.join("\n")}\n\n'cumulet COMMAND --help' tells more.`;
}

function isUsageError(error: unknown): error is Error {
  if (error instanceof ConfigError) return true;
  return error instanceof TypeError && "code" in error && String(error.code).startsWith("ERR_PARSE_ARGS");
}

async function explain(error: unknown): Promise<string> {
  if (error instanceof CommandError) return error.message;
  if (!(error instanceof Error)) return String(error);
  if ("$metadata" in error) return `${error.name}: ${error.message}`;
  return (await isSetup(error)) ? error.message : (error.stack ?? error.message);
}

/** What whoever starts the program has to mend: a sentence is enough. Loaded only where something has failed. */
async function isSetup(error: Error): Promise<boolean> {
  const kinds = await Promise.all([
    import("../front/tls.ts").then((from) => from.TlsFileError),
    import("../kernel/store/postgres-errors.ts").then((from) => from.StoreUnavailableError),
    import("../access/shared-keys.ts").then((from) => from.ServerKeyError),
    import("../access/guard-rails.ts").then((from) => from.GuardRailsError),
    import("../kernel/backup/incomplete.ts").then((from) => from.StoreIncompleteError),
    import("../kernel/backup/archive.ts").then((from) => from.ArchiveError),
  ]);
  return kinds.some((kind) => error instanceof kind);
}
