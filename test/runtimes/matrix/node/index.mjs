import { appendFileSync, statSync } from "node:fs";
import { createRequire } from "node:module";

const started = Date.now();

export const handler = async (event) => {
  switch (event.do) {
    case "fail":
      throw new TypeError("boom");
    case "wait":
      return new Promise((resolve) => setTimeout(resolve, 20_000));
    case "crash":
      process.kill(process.pid, "SIGKILL");
      return new Promise(() => {});
    case "exit":
      return process.exit(3);
    case "hoard":
      for (const kept = []; ;) kept.push(Buffer.alloc(8_388_608, 1));
    case "text":
      return "x".repeat(event.length - 2);
    case "count":
      return event.text.length;
    case "env":
      return [process.env.MINE, process.env.AWS_EXECUTION_ENV, process.env._HANDLER];
    case "layer":
      return createRequire(import.meta.url)("from-layer").said;
    case "tmp":
      appendFileSync("/tmp/kept", "x");
      return statSync("/tmp/kept").size;
    case "started":
      return started;
    default:
      return event;
  }
};
