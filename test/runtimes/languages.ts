import { execFile } from "node:child_process";
import { cp, mkdir, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { runCli } from "../../src/cli/cli.ts";

/** What the matrix needs to know of a language: its function, and AWS's documented answers where they differ by language. */
export interface Language {
  readonly handler: string;
  /** Puts the function's package into the folder. */
  build(folder: string): Promise<void>;
  /** What a layer brings, by path below `/opt`. */
  readonly layer: Readonly<Record<string, string>>;
  /** The document answered when the handler throws. */
  readonly failed: Readonly<Record<string, unknown>>;
  /** The memory that a function hoards is the process's own; Java's heap is bounded and gives an error of the language. */
  readonly hoarded: { readonly errorType: string };
  /** The runtime that is tried on another version where its own is not to be had. */
  readonly standIn?: string;
}

const sources = join(import.meta.dirname, "matrix");
const cache = join(import.meta.dirname, "..", "..", ".cache");
const run = promisify(execFile);
const outOfMemory = { errorType: "Runtime.OutOfMemory" };

export const languages = {
  nodejs: {
    handler: "index.handler",
    build: (folder) => cp(join(sources, "node"), folder, { recursive: true }),
    layer: { "nodejs/node_modules/from-layer/index.js": `exports.said = "from the layer";` },
    failed: { errorType: "TypeError", errorMessage: "boom", trace: "array" },
    hoarded: outOfMemory,
  },
  python: {
    handler: "app.handler",
    build: (folder) => cp(join(sources, "python"), folder, { recursive: true }),
    layer: { "python/from_layer.py": `SAID = "from the layer"` },
    failed: { errorMessage: "boom", errorType: "ValueError", requestId: "string", stackTrace: "array" },
    hoarded: outOfMemory,
  },
  java: {
    handler: "matrix.Handler::handle",
    async build(folder) {
      await run("javac", ["--release", "11", "-d", folder, join(sources, "java", "matrix", "Handler.java")]);
    },
    layer: { "said.txt": "from the layer" },
    failed: { errorMessage: "boom", errorType: "java.lang.IllegalStateException", stackTrace: "array" },
    hoarded: { errorType: "java.lang.OutOfMemoryError" },
  },
  ruby: {
    handler: "app.handler",
    build: (folder) => cp(join(sources, "ruby"), folder, { recursive: true }),
    layer: { "ruby/lib/from_layer.rb": `module FromLayer; SAID = "from the layer"; end` },
    failed: { errorMessage: "boom", errorType: "Function<ArgumentError>", stackTrace: "array" },
    hoarded: outOfMemory,
    standIn: "ruby3.4",
  },
} satisfies Record<string, Language>;

export async function writeLayer(folder: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), text);
  }
}

/** Installs the versions of Node.js once for all tests, and shows them to a platform whose data folder this is. */
export async function offerNodes(dataDir: string): Promise<void> {
  const quiet = { out: () => {}, err: () => {}, write: () => {}, terminal: false };
  const { createInterpreters, installedFolder } = await import("../../src/compute/interpreters.ts");
  const known = createInterpreters({ executable: process.execPath, version: process.version }, cache);
  for (const runtime of ["nodejs20.x", "nodejs22.x", "nodejs24.x"]) {
    const found = await known.describe(runtime);
    if (found.state !== "available") await runCli(["runtimes", "install", runtime, "--data", cache], quiet);
  }
  await mkdir(installedFolder(cache), { recursive: true });
  await symlink(installedFolder(cache), installedFolder(dataDir));
}
