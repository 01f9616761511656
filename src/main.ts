import { enableCompileCache, flushCompileCache } from "node:module";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";

// Where nearly all objects of one place in the code lived through a collection, V8 makes those that follow in the old
// generation at once. Under load that hits what requests are made of, and each that is over then keeps all it refers to
// until the next full collection: 8 MB of finished requests were copied at a time, 20 to 50 ms in which nobody was
// answered. Without it that copying is 1 to 5 ms.
setFlagsFromString("--no-allocation-site-pretenuring");

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
