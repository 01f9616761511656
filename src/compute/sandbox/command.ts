import type { Interpreter, SandboxShape } from "./sandbox.ts";

/** How an interpreter is started as a runtime that waits for code. */
export function runtimeCommand(
  shape: SandboxShape,
  executable: string,
  runtimeDir: string,
): { readonly file: string; readonly args: readonly string[] } {
  switch (shape.interpreter.language) {
    case "node":
      return { file: executable, args: [...nodeMemoryFlags(shape.memoryMb), `${runtimeDir}/bootstrap.cjs`] };
    case "python":
      return { file: executable, args: ["-B", `${runtimeDir}/bootstrap.py`] };
    case "ruby":
      return { file: executable, args: ["-EUTF-8", ...rubyFlags(shape.interpreter), `${runtimeDir}/bootstrap.rb`] };
    case "java": {
      const archive =
        shape.interpreter.runtime?.archived === true ? [`-XX:SharedArchiveFile=${runtimeDir}/${javaArchive}`] : [];
      // AWS's share of the memory for the heap.
      const heap = `-XX:MaxHeapSize=${Math.ceil(shape.memoryMb * 1_024 * 0.85)}k`;
      return { file: executable, args: [heap, ...archive, ...javaStart(shape.interpreter, runtimeDir)] };
    }
  }
}

/** As of Ruby 3.2 what these add is no longer part of an error's message. */
function rubyFlags({ version }: Interpreter): readonly string[] {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major > 3 || (major === 3 && minor >= 2) ? [] : ["--disable=did_you_mean,error_highlight"];
}

/** The heap in proportion to the function's memory, so that garbage is collected before the limit is hit. AWS uses these shares too. */
export function nodeMemoryFlags(memoryMb: number): readonly string[] {
  const oldMb = Math.max(64, Math.floor(memoryMb * 0.9));
  const semiMb = Math.max(4, Math.floor(memoryMb * 0.05));
  return [`--max-old-space-size=${oldMb}`, `--max-semi-space-size=${semiMb}`];
}

/** The classes of the Java runtime and of the JDK as the JVM has them in memory, beside the runtime's jar. */
export const javaArchive = "classes.jsa";

/** What is the same whenever the Java runtime is started: options that an archive of its classes depends on, and its main class. */
export function javaStart(interpreter: Interpreter, runtimeDir: string): readonly string[] {
  // Older JDKs start slower with this, and let the runtime in otherwise.
  const opens =
    Number.parseInt(interpreter.version, 10) >= 24
      ? ["java.lang", "java.io", "jdk.internal.loader", "jdk.internal.misc"]
      : [];
  return [
    ["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData", "-Djava.net.preferIPv4Stack=true"],
    ["-Dfile.encoding=UTF-8", "-Duser.language=en", "-Duser.country=US"],
    opens.map((name) => `--add-opens=java.base/${name}=ALL-UNNAMED`),
    ["-cp", `${runtimeDir}/runtime.jar`, "cumulet.runtime.Bootstrap"],
  ].flat();
}
