/** Runs one command; the process's exit code. */
export async function runCli(argv: readonly string[]): Promise<number> {
  process.stderr.write(`cumulet: unknown command ${argv[0] ?? ""}\n`);
  return 64;
}
