import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const sources = join(import.meta.dirname, "java", "example");
const interfaces = join(import.meta.dirname, "../../runtimes/java");

/** The test's functions as a package and a layer; the reason when there is no compiler. */
export async function compileJava(): Promise<{ code: string; layers: string; remove(): Promise<void> } | string> {
  const folder = await mkdtemp(join(tmpdir(), "cumulet-java-"));
  const [code, layers] = [join(folder, "code"), join(folder, "layers")];
  const compile = async (to: string, name: string) => {
    await mkdir(to, { recursive: true });
    await run("javac", ["--release", "11", "-sourcepath", interfaces, "-implicit:none", "-d", to, join(sources, name)]);
  };
  try {
    await compile(join(folder, "layer"), "Layered.java");
    await compile(code, "Functions.java");
    await compile(code, "Meeting.java");
  } catch (error) {
    await rm(folder, { recursive: true });
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return "javac is missing: install a JDK";
    throw error;
  }
  await mkdir(join(layers, "java/lib"), { recursive: true });
  await run("jar", ["cf", join(layers, "java/lib/layered.jar"), "-C", join(folder, "layer"), "."]);
  await mkdir(join(code, "data"));
  await writeFile(join(code, "data/note.txt"), "a note");
  await cp(join(sources, "Functions.java"), join(code, "Functions.java"));
  return { code, layers, remove: () => rm(folder, { recursive: true, force: true }) };
}
