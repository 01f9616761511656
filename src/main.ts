import { runCli } from "./cli/cli.ts";

// The kernel's timers do not keep the process alive, and a command may wait for nothing else for a while.
const alive = setInterval(() => {}, 2 ** 30);
process.exitCode = await runCli(process.argv.slice(2), {
  out: (line) => process.stdout.write(`${line}\n`),
  err: (line) => process.stderr.write(`${line}\n`),
  write: (text) => process.stderr.write(text),
  terminal: process.stderr.isTTY === true,
});
clearInterval(alive);
