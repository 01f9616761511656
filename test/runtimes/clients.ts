import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { access, copyFile, cp, mkdir, readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

/**
 * Functions on the official runtime interface clients, built as their makers say with the toolchains of this machine, once,
 * into a folder that git does not see.
 */
export const clientNames = ["go", "python", "node", "rust"] as const;
export type ClientName = (typeof clientNames)[number];

const root = join(import.meta.dirname, "..", "..");
const sources = join(import.meta.dirname, "clients");
const cache = join(root, ".cache", "runtime-clients");
const run = promisify(execFile);
const buildTimeoutMs = 900_000;

/** The folder with the built function, which becomes `/var/task`; or the reason why there is none. */
export async function buildClient(name: ClientName): Promise<{ folder: string } | { missing: string }> {
  const folder = join(cache, `${name}-${await digest(join(sources, name))}`);
  if (await exists(join(folder, "bootstrap"))) return { folder };
  const work = `${folder}.${process.pid}`;
  try {
    await rm(work, { recursive: true, force: true });
    await mkdir(cache, { recursive: true });
    await cp(join(sources, name), work, { recursive: true });
    await builders[name](work);
    await rename(work, folder);
    return { folder };
  } catch (error) {
    await rm(work, { recursive: true, force: true });
    // Another test file may have built it in the meantime.
    if (await exists(join(folder, "bootstrap"))) return { folder };
    return { missing: `The official client for ${name} could not be built here: ${lastLine(error)}` };
  }
}

const builders: Readonly<Record<ClientName, (work: string) => Promise<void>>> = {
  async go(work) {
    await build("go", ["build", "-tags", "lambda.norpc", "-o", "bootstrap", "."], work, { CGO_ENABLED: "0" });
  },
  async rust(work) {
    const target = join(work, "target");
    await build("cargo", ["build", "--release", "--locked"], work, { CARGO_TARGET_DIR: target });
    await copyFile(join(target, "release", "bootstrap"), join(work, "bootstrap"));
    await rm(target, { recursive: true, force: true });
  },
  async node(work) {
    // Its native part is compiled while it is installed: cmake, a C++ compiler and the autotools.
    await build("npm", ["install", "--no-audit", "--no-fund", "--no-package-lock"], work);
    await access(join(work, "node_modules", "aws-lambda-ric", "rapid-client.node"));
  },
  async python(work) {
    const packages = ["install", "-q", "--target", "packages", "-r", "requirements.txt"];
    const own = join(root, ".venv", "bin", "pip");
    if (await exists(own)) await build(own, ["--python", "/usr/bin/python3", ...packages], work);
    else await build("/usr/bin/python3", ["-m", "pip", ...packages], work);
  },
};

async function build(file: string, args: string[], cwd: string, variables: Record<string, string> = {}): Promise<void> {
  await run(file, args, { cwd, env: { ...process.env, ...variables }, timeout: buildTimeoutMs, maxBuffer: 1 << 28 });
}

async function digest(folder: string): Promise<string> {
  const hash = createHash("sha256");
  const files = (await readdir(folder, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
  for (const file of files.map((entry) => join(entry.parentPath, entry.name)).toSorted()) {
    hash.update(file.slice(folder.length)).update(await readFile(file));
  }
  return hash.digest("hex").slice(0, 12);
}

async function exists(file: string): Promise<boolean> {
  return access(file, constants.R_OK).then(
    () => true,
    () => false,
  );
}

function lastLine(error: unknown): string {
  const text = error instanceof Error && "stderr" in error ? String(error.stderr) || error.message : String(error);
  return (
    text
      .trim()
      .split("\n")
      .findLast((line) => line.trim() !== "")
      ?.trim() ?? "no reason given"
  );
}
