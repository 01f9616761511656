import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { copyFile, mkdir, readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { zipSync } from "fflate";
import { RuntimeUnavailableError } from "../../../src/compute/compute.ts";
import { createInterpreters } from "../../../src/compute/interpreters.ts";

const run = promisify(execFile);
const root = join(import.meta.dirname, "../../..");
const apps = join(import.meta.dirname, "apps");
const cache = join(root, ".cache", "libraries");
const installTimeoutMs = 300_000;

/** Packages by name, as Lambda takes them; or why they cannot be made here. */
export type Packages = { readonly zips: Readonly<Record<string, Uint8Array>> } | { readonly missing: string };

/**
 * Makes a package of each folder of `apps`: its sources, and what its `package.json` or `requirements.txt` names, installed
 * from npm or PyPI as it is, once, out of git's sight. A folder whose name ends in `-layer` becomes a layer.
 */
export async function makePackages(...names: readonly string[]): Promise<Packages> {
  try {
    const zips: Record<string, Uint8Array> = {};
    for (const name of names) zips[name] = await makePackage(name);
    return { zips };
  } catch (error) {
    if (!(error instanceof InstallFailure || error instanceof RuntimeUnavailableError)) throw error;
    return { missing: `The libraries for ${names.join(", ")} cannot be installed here: ${error.message}` };
  }
}

/** The runtime of the Python that runs functions here: binary packages are installed for it alone. */
export async function pythonRuntime(): Promise<string> {
  return `python${(await findPython()).version.split(".").slice(0, 2).join(".")}`;
}

async function findPython() {
  const interpreters = createInterpreters({ executable: process.execPath, version: process.version }, cache);
  return (await interpreters.find("python3.11")).interpreter;
}

async function makePackage(name: string): Promise<Uint8Array> {
  const sources = join(apps, name);
  const isNode = existsSync(join(sources, "package.json"));
  const manifest = isNode ? "package.json" : "requirements.txt";
  const digest = createHash("sha256").update(await readFile(join(sources, manifest)));
  if (!isNode) digest.update((await findPython()).version);
  const installed = join(cache, `${name}-${digest.digest("hex").slice(0, 12)}`);
  if (!existsSync(installed)) await install(installed, join(sources, manifest), isNode ? npm : pip);

  const files: Record<string, Uint8Array> = {};
  await read(installed, name.endsWith("-layer") ? (isNode ? "nodejs/" : "python/") : "", files);
  await read(sources, "", files);
  return zipSync(files, { level: 1 });
}

async function install(folder: string, manifest: string, installer: typeof npm): Promise<void> {
  const work = `${folder}.${process.pid}`;
  await rm(work, { recursive: true, force: true });
  await mkdir(work, { recursive: true });
  try {
    await installer(work, manifest);
    await rename(work, folder);
  } catch (error) {
    // What a program says; anything else is a mistake of these tests.
    if (!(error instanceof Error && "stderr" in error)) throw error;
    const lines = (String(error.stderr) || error.message).trim().split("\n");
    throw new InstallFailure(lines.find((line) => /reason: |No matching|ERROR: /.test(line)) ?? lines.at(-1));
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function npm(work: string, manifest: string): Promise<void> {
  await copyFile(manifest, join(work, "package.json"));
  const quiet = ["--no-audit", "--no-fund", "--no-package-lock"];
  const brief = ["--fetch-retries=1", "--fetch-retry-mintimeout=1000"];
  await run("npm", ["install", "--ignore-scripts", ...quiet, ...brief], { cwd: work, timeout: installTimeoutMs });
}

async function pip(work: string, manifest: string): Promise<void> {
  const packages = ["install", "-q", "--disable-pip-version-check", "--retries=1", "--target", work, "-r", manifest];
  const { executable } = await findPython();
  const own = join(root, ".venv", "bin", "pip");
  const installer = existsSync(own) ? [own, "--python", executable] : [executable, "-m", "pip"];
  const [file = "", ...before] = installer;
  await run(file, [...before, ...packages], { timeout: installTimeoutMs });
}

/** What never runs, and the descriptions of the many services that no test calls. */
const left = /\.(d\.[cm]?ts|map|md|pyc)$|^bin\/|\/botocore\/data\/(?!s3\/|sts\/)[^/]+\/|^package\.json$/;

async function read(folder: string, prefix: string, files: Record<string, Uint8Array>): Promise<void> {
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const name = path.slice(folder.length + 1);
    if (!left.test(`${prefix === "" ? "" : "/"}${name}`)) files[prefix + name] = await readFile(path);
  }
}

/** An installer could not do its work: there is none, or no registry. */
class InstallFailure extends Error {}
