import type { SandboxShape } from "./sandbox.ts";

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
  }
}

/** The heap in proportion to the function's memory, so that garbage is collected before the limit is hit. AWS uses these shares too. */
export function nodeMemoryFlags(memoryMb: number): readonly string[] {
  const oldMb = Math.max(64, Math.floor(memoryMb * 0.9));
  const semiMb = Math.max(4, Math.floor(memoryMb * 0.05));
  return [`--max-old-space-size=${oldMb}`, `--max-semi-space-size=${semiMb}`];
}
