import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { access, mkdir, readdir, readFile, realpath, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import type { Log } from "../kernel/log.ts";
import { RuntimeUnavailableError } from "./compute.ts";
import { javaArchive, javaStart } from "./sandbox/command.ts";
import type { Interpreter } from "./sandbox/sandbox.ts";

/** The Java runtime is compiled by the host's own JDK when the first function needs it, and kept. */
export interface JavaRuntime {
  /**
   * The interpreter with the folder that holds the runtime for it: `runtime.jar`, and an archive of its loaded classes that
   * makes the JVM start several times faster.
   * @throws RuntimeUnavailableError where there is no compiler
   */
  prepare(interpreter: Interpreter): Promise<Interpreter>;
}

export interface JavaNeeds {
  /** `runtimes/java`. */
  readonly sources: string;
  /** Where to keep it: the first of these that can be written. */
  readonly folders: readonly string[];
  /** In a sandbox the runtime lies at another place, which archives depend on. */
  readonly driver: "process" | "namespaces";
  readonly log: Log;
}

const run = promisify(execFile);
const compileTimeoutMs = 120_000;
const environment = { PATH: "/usr/bin:/bin", LANG: "C.UTF-8" };

export function createJavaRuntime(needs: JavaNeeds): JavaRuntime {
  const prepared = new Map<string, Promise<Interpreter>>();
  return {
    prepare(interpreter) {
      let made = prepared.get(interpreter.executable);
      if (made === undefined) {
        made = prepare(interpreter, needs);
        prepared.set(interpreter.executable, made);
        made.catch(() => prepared.delete(interpreter.executable));
      }
      return made;
    },
  };
}

async function prepare(interpreter: Interpreter, needs: JavaNeeds): Promise<Interpreter> {
  const sources = await sourcesIn(needs.sources);
  const hash = createHash("sha256");
  for (const file of sources) hash.update(file.slice(needs.sources.length)).update(await readFile(file));
  const modules = await stat(join(interpreter.prefix, "lib", "modules")).catch(() => undefined);
  hash.update(
    JSON.stringify([interpreter.executable, interpreter.version, modules?.mtimeMs, modules?.size, needs.driver]),
  );
  const name = hash.digest("hex").slice(0, 16);
  const parent = await firstWritable(needs.folders);
  const folder = join(parent, name);
  if (!(await exists(join(folder, "runtime.jar")))) {
    await compile(
      interpreter,
      sources.filter((file) => file.endsWith(".java")),
      needs.sources,
      folder,
    );
  }
  if (!(await exists(join(folder, javaArchive)))) {
    try {
      await archive(interpreter, folder, needs.driver);
    } catch (error) {
      needs.log.warn("Java functions start slower than they could: no archive of classes could be made", { error });
    }
  }
  return { ...interpreter, runtime: { folder, archived: await exists(join(folder, javaArchive)) } };
}

async function sourcesIn(folder: string): Promise<readonly string[]> {
  const files = await readdir(folder, { recursive: true, withFileTypes: true });
  return files
    .filter((file) => file.isFile())
    .map((file) => join(file.parentPath, file.name))
    .toSorted();
}

async function compile(
  interpreter: Interpreter,
  sources: readonly string[],
  from: string,
  folder: string,
): Promise<void> {
  const bin = await compilerFor(interpreter);
  const making = `${folder}.${process.pid}`;
  await rm(making, { recursive: true, force: true });
  await mkdir(join(making, "classes"), { recursive: true, mode: 0o755 });
  try {
    const options = ["--release", "11", "-XDstringConcat=inline", "-encoding", "UTF-8", "-d", join(making, "classes")];
    await run(join(bin, "javac"), [...options, ...sources], { env: environment, timeout: compileTimeoutMs });
    const jar = join(making, "runtime.jar");
    await run(join(bin, "jar"), ["cf", jar, "-C", join(making, "classes"), "."], {
      env: environment,
      timeout: compileTimeoutMs,
    });
    await rm(join(making, "classes"), { recursive: true });
    await rename(making, folder);
  } catch (error) {
    await rm(making, { recursive: true, force: true });
    // Another process may have been quicker.
    if (!(await exists(join(folder, "runtime.jar")))) throw error;
  }
}

/** The JDK's own compiler; else, for a runtime environment without one, that of any JDK on the path. */
async function compilerFor(interpreter: Interpreter): Promise<string> {
  const path = await realpath("/usr/bin/javac").catch(() => undefined);
  for (const bin of [join(interpreter.prefix, "bin"), ...(path === undefined ? [] : [dirname(path)])]) {
    if ((await exists(join(bin, "javac"))) && (await exists(join(bin, "jar")))) return bin;
  }
  throw new RuntimeUnavailableError(
    `java ${interpreter.version}`,
    `${interpreter.prefix} is a Java runtime without a compiler, which is needed once. Install a JDK (Debian: apt-get install openjdk-17-jdk-headless).`,
  );
}

/** Source: "Application class-data sharing", the JDK's command reference. */
async function archive(interpreter: Interpreter, folder: string, driver: JavaNeeds["driver"]): Promise<void> {
  const started = javaStart(interpreter, driver === "namespaces" ? "/var/runtime" : folder);
  const system = interpreter.prefix.startsWith("/usr/");
  const inSandbox = driver === "namespaces";
  const executable =
    inSandbox && !system
      ? join("/var/lang", interpreter.executable.slice(interpreter.prefix.length))
      : interpreter.executable;
  const place = inSandbox ? "/var/runtime" : folder;
  const before = inSandbox
    ? [
        ["bwrap", "--ro-bind", "/", "/", "--tmpfs", "/var", "--bind", folder, place],
        system ? [] : ["--ro-bind", interpreter.prefix, "/var/lang"],
        ["--proc", "/proc", "--dev", "/dev", "--"],
      ].flat()
    : [];
  const list = `classes.${process.pid}`;
  const made = `${javaArchive}.${process.pid}`;
  const java = async (options: readonly string[], rest: readonly string[]) => {
    const [file = executable, ...args] = [...before, executable, ...options, ...rest];
    await run(file, args, { env: environment, timeout: compileTimeoutMs, maxBuffer: 64 * 1_048_576 });
  };
  try {
    await java([`-XX:DumpLoadedClassList=${join(place, list)}`], [...started, "rehearse"]);
    const dump = [`-XX:SharedClassListFile=${join(place, list)}`, `-XX:SharedArchiveFile=${join(place, made)}`];
    await java(["-Xshare:dump", ...dump], started.slice(0, -1));
    await rename(join(folder, made), join(folder, javaArchive));
  } finally {
    for (const left of [list, made]) await rm(join(folder, left), { force: true });
  }
}

async function firstWritable(folders: readonly string[]): Promise<string> {
  for (const folder of folders) {
    try {
      await mkdir(folder, { recursive: true, mode: 0o755 });
      await access(folder, constants.W_OK);
      return folder;
    } catch {
      // The next one.
    }
  }
  throw new Error(`None of these folders can be written: ${folders.join(", ")}`);
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}
