import { execFile } from "node:child_process";
import { readdir, readFile, realpath, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import type { RuntimeAvailability } from "./compute.ts";
import { RuntimeUnavailableError } from "./compute.ts";
import type { Interpreter } from "./sandbox/sandbox.ts";

/** Which interpreters this host has, and which of them runs a Lambda runtime. */
export interface Interpreters {
  /** @throws RuntimeUnavailableError */
  find(runtime: string): Promise<{ readonly interpreter: Interpreter; readonly substitute: boolean }>;
  /** What runs functions of this runtime here. */
  describe(runtime: string): Promise<RuntimeAvailability>;
  /** The same for every runtime that Lambda has and Cumulet knows. */
  availability(): Promise<readonly RuntimeAvailability[]>;
}

const runtimes: readonly string[] = [
  "nodejs18.x",
  "nodejs20.x",
  "nodejs22.x",
  "nodejs24.x",
  "python3.9",
  "python3.10",
  "python3.11",
  "python3.12",
  "python3.13",
  "python3.14",
  "java11",
  "java17",
  "java21",
  "java25",
  "ruby3.2",
  "ruby3.3",
  "ruby3.4",
  "provided.al2",
  "provided.al2023",
];

const run = promisify(execFile);
/** The bootstrap needs what Node.js has had since then. */
const oldestNode = 20;
/** And so does that of Ruby. */
const oldestRuby = [3, 0];
const askRuby = 'print RUBY_VERSION, " ", RbConfig::CONFIG["prefix"]';
const systemFolders = ["/usr/local/bin", "/usr/bin"];

/** Where `cumulet runtimes install` puts interpreters, each in a folder of its own. */
export function installedFolder(dataDir: string): string {
  return join(dataDir, "runtimes");
}

/** @param dataDir where interpreters may have been installed; they are seen as soon as they are there */
export function createInterpreters(
  ownNode: { readonly executable: string; readonly version: string },
  dataDir: string,
): Interpreters {
  const installed = installedFolder(dataDir);
  let nodes: Promise<readonly Interpreter[]> | undefined;
  let installedSeen = "";
  let pythons: Promise<readonly Interpreter[]> | undefined;
  let javas: Promise<readonly Interpreter[]> | undefined;
  let rubies: Promise<readonly Interpreter[]> | undefined;

  const find: Interpreters["find"] = async (runtime) => {
    const wanted = parseRuntime(runtime);
    if (wanted === undefined) throw new RuntimeUnavailableError(runtime, "It is not a runtime that Cumulet knows.");
    if (wanted.language === "node") nodes ??= findNodes(ownNode, installed);
    else if (wanted.language === "python") pythons ??= findPythons();
    else if (wanted.language === "ruby") rubies ??= findRubies();
    else javas ??= findJavas();
    const found = (await { node: nodes, python: pythons, java: javas, ruby: rubies }[wanted.language]) ?? [];
    const chosen = choose(found, wanted.version) ?? (wanted.language === "ruby" ? newest(found) : undefined);
    if (wanted.language === "node" && !(chosen !== undefined && matches(chosen, wanted.version))) {
      // Perhaps it has been installed since.
      const names = (await readdir(installed).catch(() => [])).join();
      if (names !== installedSeen) {
        installedSeen = names;
        nodes = undefined;
        return find(runtime);
      }
    }
    if (chosen === undefined) throw new RuntimeUnavailableError(runtime, remedy(wanted.language, runtime));
    return { interpreter: chosen, substitute: !custom(runtime) && !matches(chosen, wanted.version) };
  };

  const describe: Interpreters["describe"] = async (runtime) => {
    try {
      const { interpreter, substitute } = await find(runtime);
      const { version, executable: path } = interpreter;
      if (!substitute) return { runtime, state: "available", version, path };
      return { runtime, state: "substituted", version, path, remedy: remedy(interpreter.language, runtime) };
    } catch (error) {
      if (!(error instanceof RuntimeUnavailableError)) throw error;
      return { runtime, state: "missing", remedy: error.remedy };
    }
  };

  return { find, describe, availability: () => Promise.all(runtimes.map(describe)) };
}

export function custom(runtime: string): boolean {
  return runtime.startsWith("provided");
}

/** Custom runtimes are started by our Node launcher, of whatever version. */
function parseRuntime(runtime: string): { language: Interpreter["language"]; version: readonly number[] } | undefined {
  if (custom(runtime)) return { language: "node", version: [24] };
  const node = /^nodejs(\d+)\.x$/u.exec(runtime)?.[1];
  if (node !== undefined) return { language: "node", version: [Number(node)] };
  const java = /^java(\d+)$/u.exec(runtime)?.[1];
  if (java !== undefined && Number(java) >= 11) return { language: "java", version: [Number(java)] };
  const ruby = /^ruby(\d)\.(\d+)$/u.exec(runtime);
  if (ruby !== null) return { language: "ruby", version: [Number(ruby[1]), Number(ruby[2])] };
  const minor = /^python3\.(\d+)$/u.exec(runtime)?.[1];
  return minor === undefined ? undefined : { language: "python", version: [3, Number(minor)] };
}

/** The wanted version, else the nearest newer one. */
export function choose(found: readonly Interpreter[], wanted: readonly number[]): Interpreter | undefined {
  const candidates = found
    .filter((interpreter) => compare(numbers(interpreter).slice(0, wanted.length), wanted) >= 0)
    .toSorted((a, b) => compare(numbers(a).slice(0, wanted.length), numbers(b).slice(0, wanted.length)));
  return candidates[0];
}

/** Of Ruby an older one stands in where there is no newer: distributions are years behind Lambda there, and the language has not changed much. */
function newest(found: readonly Interpreter[]): Interpreter | undefined {
  return found.toSorted((a, b) => compare(numbers(b), numbers(a)))[0];
}

function matches(interpreter: Interpreter, wanted: readonly number[]): boolean {
  return compare(numbers(interpreter).slice(0, wanted.length), wanted) === 0;
}

function numbers(interpreter: Interpreter): readonly number[] {
  return interpreter.version.split(".").map(Number);
}

function compare(a: readonly number[], b: readonly number[]): number {
  for (const [index, left] of a.entries()) {
    const right = b[index] ?? 0;
    if (left !== right) return left - right;
  }
  return 0;
}

async function findNodes(
  own: { executable: string; version: string },
  installed: string,
): Promise<readonly Interpreter[]> {
  const found: Interpreter[] = [node(own.executable, own.version)];
  const names = (await readdir(installed).catch(() => [])).filter((name) => name.startsWith("node-"));
  for (const folder of [...names.map((name) => join(installed, name, "bin")), ...systemFolders]) {
    const executable = await realpath(join(folder, "node")).catch(() => undefined);
    if (executable === undefined || executable === own.executable) continue;
    const version = await ask(executable, ["--version"]);
    if (version !== undefined && Number(/^v(\d+)/u.exec(version)?.[1]) >= oldestNode)
      found.push(node(executable, version));
  }
  return found;
}

function node(executable: string, version: string): Interpreter {
  return { language: "node", version: version.replace(/^v/u, ""), executable, prefix: dirname(dirname(executable)) };
}

async function findPythons(): Promise<readonly Interpreter[]> {
  const versions = join(homedir(), ".pyenv", "versions");
  const pyenv = (await readdir(versions).catch(() => [])).map((name) => join(versions, name, "bin"));
  const found = new Map<string, Interpreter>();
  const seen = async (folder: string) => {
    const names = (await readdir(folder).catch(() => [])).filter((name) => /^python3\.\d+$/u.test(name));
    for (const name of names) {
      const executable = await realpath(join(folder, name)).catch(() => undefined);
      if (executable === undefined || !(await stat(executable)).isFile()) continue;
      const answer = await ask(executable, [
        "-I",
        "-S",
        "-c",
        "import sys;print('%d.%d.%d' % sys.version_info[:3], sys.base_prefix)",
      ]);
      const [version, prefix] = answer?.split(" ") ?? [];
      if (version === undefined || prefix === undefined || found.has(executable)) continue;
      if (compare(version.split(".").map(Number), [3, 9]) < 0) continue;
      found.set(executable, { language: "python", version, executable, prefix });
    }
  };
  for (const folder of [...systemFolders, ...pyenv]) await seen(folder);
  return [...found.values()];
}

/** JDKs of the system: each says what it is in its file `release`. */
async function findJavas(): Promise<readonly Interpreter[]> {
  const folder = "/usr/lib/jvm";
  const homes = (await readdir(folder).catch(() => [])).map((name) => join(folder, name));
  for (const path of [...systemFolders, "/opt/java/openjdk/bin"]) {
    const executable = await realpath(join(path, "java")).catch(() => undefined);
    if (executable !== undefined) homes.push(dirname(dirname(executable)));
  }
  const found = new Map<string, Interpreter>();
  for (const home of homes) {
    const prefix = await realpath(home).catch(() => home);
    const release = await readFile(join(prefix, "release"), "utf8").catch(() => "");
    const version = /^JAVA_VERSION="([\d.]+)/mu.exec(release)?.[1];
    const executable = join(prefix, "bin", "java");
    if (version === undefined || compare([Number.parseInt(version, 10)], [11]) < 0) continue;
    if ((await stat(executable).catch(() => undefined))?.isFile() !== true) continue;
    found.set(prefix, { language: "java", version, executable, prefix });
  }
  return [...found.values()];
}

async function findRubies(): Promise<readonly Interpreter[]> {
  const found = new Map<string, Interpreter>();
  for (const folder of systemFolders) {
    const names = (await readdir(folder).catch(() => [])).filter((name) => /^ruby(?:\d\.\d+)?$/u.test(name));
    for (const name of names) {
      const executable = await realpath(join(folder, name)).catch(() => undefined);
      if (executable === undefined || found.has(executable)) continue;
      const answer = await ask(executable, ["--disable=gems", "-rrbconfig", "-e", askRuby]);
      const [version, prefix] = answer?.split(" ") ?? [];
      if (version === undefined || prefix === undefined) continue;
      if (compare(version.split(".").map(Number), oldestRuby) < 0) continue;
      found.set(executable, { language: "ruby", version, executable, prefix });
    }
  }
  return [...found.values()];
}

async function ask(executable: string, args: readonly string[]): Promise<string | undefined> {
  try {
    return (await run(executable, args, { env: { PATH: "/usr/bin:/bin" }, timeout: 5_000 })).stdout.trim();
  } catch {
    return undefined;
  }
}

function remedy(language: Interpreter["language"], runtime: string): string {
  if (language === "node" && Number(/\d+/u.exec(runtime)?.[0]) < oldestNode)
    return `Nothing older than Node.js ${oldestNode} can be used.`;
  if (language === "node") return `Get it with: cumulet runtimes install ${runtime}.`;
  if (language === "ruby")
    return `Install Ruby ${runtime.slice("ruby".length)} or a newer one (Debian: apt-get install ruby).`;
  return language === "java"
    ? `Install a JDK of version ${runtime.slice("java".length)} or newer (Debian: apt-get install openjdk-17-jdk-headless, or a Temurin package).`
    : `Install ${runtime} or a newer Python (Debian: apt-get install python3; pyenv install ${runtime.slice("python".length)}).`;
}
