import { spawn } from "node:child_process";
import { writeFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import { isLoopback, readConfig, type Config } from "../config.ts";
import { CommandError, type Command, type Output } from "./command.ts";
import { lockFolder } from "./folder-lock.ts";
import { serverFile } from "./connection.ts";
import type { Serving } from "./serving.ts";
import { version } from "./version.ts";

export const startCommand: Command = {
  name: "start",
  usage:
    "start [FOLDER] [--port PORT] [--data DIR] [--store URL] [--blobs PLACE] [--host HOST] [--sandbox auto|namespaces|process] [--tls-cert FILE --tls-key FILE] [--certificates DIR] [--trusted-proxies CIDR,…] [--drain-wait SECONDS] [--stop-grace SECONDS] [--workers N] [--dev]",
  summary: "starts the platform, and deploys the app in FOLDER if one is given",
  help: "Listens on 127.0.0.1:4566 and keeps its state in ~/.cumulet unless told otherwise. --port 0 takes a free port.\n--store postgres://USER:PASSWORD@HOST/DATABASE keeps it in PostgreSQL, shared by any number of nodes. CUMULET_STORE does so without showing the password to other users of this machine.\n--blobs files|store|s3://BUCKET/PREFIX?endpoint=URL&region=REGION: where content over 64 KiB goes: files in the data folder, the store (the default with PostgreSQL), or any S3-compatible store, with CUMULET_BLOBS_ACCESS_KEY_ID and CUMULET_BLOBS_SECRET_ACCESS_KEY.\n--tls-cert and --tls-key name PEM files; they are read again when they change, and on SIGHUP.\n--certificates DIR: those of custom domain names, as ACCOUNT/NAME.crt and .key, which arn:aws:acm:REGION:ACCOUNT:certificate/NAME names (certificates in the data folder).\n--trusted-proxies 10.0.0.0/8,192.0.2.7: proxies whose X-Forwarded-For, -Proto and -Port tell the client's address, whether it speaks TLS, and to which port. None are believed by default.\n--drain-wait: after SIGTERM, how long requests are still taken while /_cumulet/ready says no (0). --stop-grace: how long what is under way then has to end (10). A second signal ends at once.\n--workers: processes that share the port and the data folder. They use the processor's cores, so there are as many as it has, one for each 512 MB at the most, and one with --dev; one that dies is replaced.\n--dev accepts calls with any credentials, on loopback only: for development, never for anything others can reach.",
  async run(argv, output) {
    const { values, positionals } = parseArgs({
      args: [...argv],
      options: {
        port: { type: "string" },
        data: { type: "string" },
        store: { type: "string" },
        blobs: { type: "string" },
        host: { type: "string" },
        sandbox: { type: "string" },
        "tls-cert": { type: "string" },
        "tls-key": { type: "string" },
        certificates: { type: "string" },
        "trusted-proxies": { type: "string" },
        "drain-wait": { type: "string" },
        "stop-grace": { type: "string" },
        workers: { type: "string" },
        dev: { type: "boolean" },
      },
      allowPositionals: true,
    });
    const config = readConfig(values);
    const unlock = await lockFolder(config.dataDir);
    const ended = untilEnded(config, () => serving?.reloadCertificate?.());
    let serving: Serving | undefined;
    serving = await serve(config, output).catch(async (error: unknown) => {
      await unlock();
      throw isTaken(error) ? new CommandError(takenMessage(config)) : error;
    });
    await writeFile(
      join(config.dataDir, serverFile),
      JSON.stringify({ pid: process.pid, port: serving.port, startedAt: new Date().toISOString() }),
      { mode: 0o600 },
    );
    output.err(`Cumulet ${version} is ready on ${serving.endpoint} (state in ${config.dataDir})`);
    if (config.dev) {
      output.err(
        "WARNING: --dev is on: calls are accepted WITHOUT valid signatures or permissions, from this machine.",
      );
    }
    // Finding that out takes a while.
    serving.isolates().then(
      (isolates) => {
        if (isolates) return;
        output.err(
          "WARNING: functions run as plain processes, NOT isolated from this machine. 'cumulet doctor' says why.",
        );
      },
      // Ended before it was known.
      () => {},
    );
    if (!config.tls && !isLoopback(config.host)) {
      output.err(
        `WARNING: ${config.host} is not loopback and there is no TLS: whoever is on the way can read what is sent. Give --tls-cert and --tls-key, or put a proxy before it that ends TLS.`,
      );
    }
    if (config.store.kind === "postgres" && isPlainAndRemote(config.store.url)) {
      output.err(
        "WARNING: the connection to PostgreSQL is not encrypted, and it leaves this machine. Add sslmode=verify-full to the address in --store.",
      );
    }
    const [folder] = positionals;
    let status = 0;
    if (folder !== undefined) status = await deployApp(folder, config.dataDir, serving.port);
    if (status === 0) {
      output.err("Press Ctrl+C to stop.");
      // What cannot serve any more ends as if it had been told to, and says so.
      status = await Promise.race([
        ended.then(() => 0),
        serving.failed.catch((error: Error) => tellFailure(error, output)),
      ]);
    }
    await rm(join(config.dataDir, serverFile), { force: true });
    if (status === 0) await drain(serving, config.drainWaitMs, output);
    await serving.stop();
    await unlock();
    return status;
  },
};

function isTaken(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "EADDRINUSE";
}

function takenMessage({ host, port }: Config): string {
  const where = isLoopback(host) ? host : `${host} or of 127.0.0.1`;
  return `Something listens on port ${port} of ${where} already. Take another with --port; 0 takes one that is free.`;
}

/** What serves is loaded only where it does: the process that supervises workers stays small. */
async function serve(config: Config, output: Output): Promise<Serving> {
  if (config.workers === 1) return (await import("./serving.ts")).servePlatform(config, output);
  const { forkWorker } = await import("../workers/fork.ts");
  const first = forkWorker();
  return (await import("./serving-workers.ts")).serveWithWorkers(config, output, first);
}

/** Deploys as a client of the running server, in a process of its own: its memory is given back when it is done. */
async function deployApp(folder: string, dataDir: string, port: number): Promise<number> {
  const main = process.argv[1] ?? "";
  const args = [main, "deploy", folder, "--data", dataDir, "--port", String(port)];
  const child = spawn(process.execPath, args, { stdio: "inherit" });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code) => resolve(code ?? 1));
  });
}

/** A socket's folder stands where a host's name would. */
function isPlainAndRemote(store: string): boolean {
  const { hostname, searchParams } = new URL(store);
  const host = decodeURIComponent(searchParams.get("host") ?? hostname).replace(/^\[|\]$/g, "");
  const mode = searchParams.get("sslmode");
  const isPlain = (mode === null || mode === "disable") && !searchParams.has("sslrootcert") && !searchParams.has("ssl");
  return isPlain && host !== "" && !host.startsWith("/") && !isLoopback(host);
}

/** Resolves with the first signal to end; the next one ends the process where it stands. */
function untilEnded(config: Config, reload: () => void): Promise<void> {
  return new Promise((resolve) => {
    let ending = false;
    const end = () => {
      if (ending) process.exit(1);
      ending = true;
      resolve();
    };
    process.on("SIGINT", end);
    process.on("SIGTERM", end);
    // Without TLS it says that the terminal is gone.
    process.on("SIGHUP", config.tls ? reload : end);
  });
}

function tellFailure(error: Error, output: Output): number {
  output.err(`cumulet: ${error.message}`);
  return 1;
}

/** Load balancers are told and given time to notice; what they still send is answered. */
async function drain(serving: Serving, waitMs: number, output: Output): Promise<void> {
  serving.drain();
  if (waitMs === 0) return;
  output.err(`Ending in ${waitMs / 1000} s: not ready any more.`);
  await delay(waitMs);
}
