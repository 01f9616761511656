import { parseArgs } from "node:util";
import { parsePort } from "../config.ts";
import { CommandError, type Command } from "./command.ts";
import { connectionOptions, openConnection } from "./connection.ts";
import { readLiveLines } from "./live-lines.ts";
import { signedRequest } from "./signed-get.ts";

export const debugCommand: Command = {
  name: "debug",
  usage: "debug FUNCTION [--inspect PORT] [--port PORT] [--data DIR]",
  summary: "lets a debugger attach to a function",
  help: "Node.js functions are debugged by the inspector (9229 unless --inspect says otherwise), Java functions by JDWP (5005), Python functions by debugpy (5678), which they have to bring, in a package or a layer.\nThe address is on this machine alone. It stays while the function's code changes and its environments end: debuggers that attach again find their breakpoints hit. While this command runs the function has one environment at a time, and neither its timeout nor that of an API ends what a debugger holds.",
  async run(argv, output) {
    const { values, positionals } = parseArgs({
      args: [...argv],
      options: { ...connectionOptions, inspect: { type: "string" } },
      allowPositionals: true,
    });
    const [name] = positionals;
    if (name === undefined) throw new CommandError("Say which function: cumulet debug FUNCTION");
    const connection = await openConnection(values);
    const port = values.inspect === undefined ? "" : String(parsePort(values.inspect));
    const ended = new AbortController();
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => ended.abort());
    try {
      const query = { function: name, ...(port !== "" && { port }) };
      const answer = await signedRequest(connection, "POST", "/_cumulet/developer/debug", query, ended.signal);
      for await (const event of readLiveLines(answer)) {
        const line = describe(event, name);
        if (line !== undefined) output.err(line);
        if (event["kind"] === "listening") output.out(addressOf(event));
      }
      throw new CommandError("The server has ended the connection.");
    } catch (error) {
      if (ended.signal.aborted) return 0;
      throw error;
    }
  },
};

type LiveEvent = Readonly<Record<string, unknown>>;

function addressOf({ port, path, protocol }: LiveEvent): string {
  return protocol === "inspector" ? `ws://127.0.0.1:${String(port)}${String(path)}` : `127.0.0.1:${String(port)}`;
}

function describe(event: LiveEvent, name: string): string | undefined {
  switch (event["kind"]) {
    case "listening":
      return howToAttach[String(event["protocol"])]?.(String(event["port"]));
    case "environment":
      return `${name} is loaded and waits for invocations.`;
    case "attached":
      return "A debugger has attached.";
    case "detached":
      return "A debugger has gone.";
    case "failed":
      return `${name} cannot be loaded: ${String(event["message"])}`;
    default:
      return undefined;
  }
}

const howToAttach: Readonly<Record<string, (port: string) => string>> = {
  inspector: (port) =>
    `Attach with chrome://inspect (configure 127.0.0.1:${port}) or with VS Code: {"type": "node", "request": "attach", "port": ${port}, "restart": true, "remoteRoot": "/var/task", "localRoot": "FOLDER"}. Press Ctrl+C to end.`,
  jdwp: (port) => `Attach a Java debugger to 127.0.0.1:${port} (jdb -attach 127.0.0.1:${port}). Press Ctrl+C to end.`,
  dap: (port) =>
    `Attach with VS Code: {"type": "debugpy", "request": "attach", "connect": {"host": "127.0.0.1", "port": ${port}}, "pathMappings": [{"localRoot": "FOLDER", "remoteRoot": "/var/task"}]}. Press Ctrl+C to end.`,
};
