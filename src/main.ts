import { enableCompileCache, flushCompileCache } from "node:module";
import { join } from "node:path";

// What V8 compiled is kept beside the program, so that the next start need not compile it again. Where the folder cannot
// be written nothing is kept.
enableCompileCache(join(import.meta.dirname, "../.compile-cache"));
const { runCli } = await import("./cli/cli.ts");
// Not at exit: a server may end by a signal that gives no time.
setTimeout(flushCompileCache, 2_000).unref();

// The kernel's timers do not keep the process alive, and a command may wait for nothing else for a while.
const alive = setInterval(() => {}, 2 ** 30);
process.exitCode = await runCli(process.argv.slice(2), {
  out: (line) => process.stdout.write(`${line}\n`),
  err: (line) => process.stderr.write(`${line}\n`),
  write: (text) => process.stderr.write(text),
  terminal: process.stderr.isTTY === true,
});
clearInterval(alive);
