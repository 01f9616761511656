import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { cp, mkdir, readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { build } from "esbuild";
import { zipSync } from "fflate";

const run = promisify(execFile);
const root = join(import.meta.dirname, "../../..");
const sources = join(import.meta.dirname, "workflows");
const cache = join(root, ".cache", "durable-workflows");
const installTimeoutMs = 300_000;

/** A package with the functions of the tests and the official durable execution SDK; or the reason why there is none. */
export type Package = { readonly zip: Uint8Array } | { readonly missing: string };

/** `index.HANDLER`, bundled as an application would be. */
export async function buildJavaScript(): Promise<Package> {
  try {
    const folder = await install("js-2.4.0", async (work) => {
      await cp(join(sources, "package.json"), join(work, "package.json"));
      await run("npm", ["install", "--no-audit", "--no-fund", "--no-package-lock"], {
        cwd: work,
        timeout: installTimeoutMs,
      });
    });
    const bundle = await build({
      entryPoints: [join(sources, "index.mjs")],
      nodePaths: [join(folder, "node_modules")],
      bundle: true,
      write: false,
      platform: "node",
      format: "cjs",
      target: "node22",
      minify: true,
      logLevel: "silent",
    });
    return { zip: zipSync({ "index.js": bundle.outputFiles[0]?.contents ?? new Uint8Array() }) };
  } catch (error) {
    return { missing: `The durable execution SDK for JavaScript cannot be installed here: ${reason(error)}` };
  }
}

/** `app.HANDLER`, with boto3 for nothing but Lambda. */
export async function buildPython(): Promise<Package> {
  try {
    const folder = await install("python-3.0.0", async (work) => {
      const packages = ["install", "-q", "--target", work, "-r", join(sources, "requirements.txt")];
      const own = join(root, ".venv", "bin", "pip");
      await run(existsSync(own) ? own : "python3", existsSync(own) ? packages : ["-m", "pip", ...packages], {
        timeout: installTimeoutMs,
      });
      const data = join(work, "botocore", "data");
      for (const entry of await readdir(data, { withFileTypes: true })) {
        if (entry.isDirectory() && entry.name !== "lambda") await rm(join(data, entry.name), { recursive: true });
      }
    });
    const files: Record<string, Uint8Array> = { "app.py": await readFile(join(sources, "app.py")) };
    for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile() || /__pycache__|\.dist-info\/RECORD|^bin/.test(entry.parentPath)) continue;
      const path = join(entry.parentPath, entry.name);
      files[path.slice(folder.length + 1)] = await readFile(path);
    }
    return { zip: zipSync(files, { level: 1 }) };
  } catch (error) {
    return { missing: `The durable execution SDK for Python cannot be installed here: ${reason(error)}` };
  }
}

/** The folder with what is installed, made once and out of git's sight. */
async function install(name: string, make: (work: string) => Promise<void>): Promise<string> {
  const folder = join(cache, name);
  if (existsSync(folder)) return folder;
  const work = `${folder}.${process.pid}`;
  await rm(work, { recursive: true, force: true });
  await mkdir(work, { recursive: true });
  try {
    await make(work);
    await rename(work, folder);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  return folder;
}

function reason(error: unknown): string {
  const text = error instanceof Error && "stderr" in error ? String(error.stderr) || error.message : String(error);
  return text.trim().split("\n").at(-1) ?? "";
}
