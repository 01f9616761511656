import { spawn } from "node:child_process";
import { writeFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { readConfig } from "../config.ts";
import { createPlatform } from "../platform.ts";
import type { Command } from "./command.ts";
import { serverFile } from "./connection.ts";
import { version } from "./version.ts";

const stopGraceMs = 10_000;

export const startCommand: Command = {
  name: "start",
  usage: "start [FOLDER] [--port PORT] [--data DIR] [--host HOST] [--sandbox auto|namespaces|process] [--dev]",
  summary: "starts the platform, and deploys the app in FOLDER if one is given",
  help: "Listens on 127.0.0.1:4566 and keeps its state in ~/.cumulet unless told otherwise. --port 0 takes a free port.\n--dev accepts calls with any credentials, on loopback only: for development, never for anything others can reach.",
  async run(argv, output) {
    const { values, positionals } = parseArgs({
      args: [...argv],
      options: {
        port: { type: "string" },
        data: { type: "string" },
        host: { type: "string" },
        sandbox: { type: "string" },
        dev: { type: "boolean" },
      },
      allowPositionals: true,
    });
    const config = readConfig(values);
    const platform = await createPlatform(config, { writeLog: (line) => output.err(line) });
    const address = await platform.start();
    await writeFile(
      join(config.dataDir, serverFile),
      JSON.stringify({ pid: process.pid, port: address.port, startedAt: new Date().toISOString() }),
      { mode: 0o600 },
    );
    output.err(`Cumulet ${version} is ready on ${address.endpoint} (state in ${config.dataDir})`);
    if (config.dev) {
      output.err(
        "WARNING: --dev is on: calls are accepted WITHOUT valid signatures or permissions, from this machine.",
      );
    }
    if (!(await platform.isolates())) {
      output.err(
        "WARNING: functions run as plain processes, NOT isolated from this machine. 'cumulet doctor' says why.",
      );
    }
    const ended = nextSignal();
    const [folder] = positionals;
    let status = 0;
    if (folder !== undefined) status = await deployApp(folder, config.dataDir, address.port);
    if (status === 0) {
      output.err("Press Ctrl+C to stop.");
      await ended;
    }
    await rm(join(config.dataDir, serverFile), { force: true });
    await platform.stop(stopGraceMs);
    return status;
  },
};

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

function nextSignal(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => resolve());
  });
}
