import { readFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { CommandError, type Command } from "./command.ts";
import { connectionOptions, openConnection } from "./connection.ts";

export const invokeCommand: Command = {
  name: "invoke",
  usage: "invoke FUNCTION [EVENT|@FILE] [--logs] [--port PORT] [--data DIR]",
  summary: "invokes a function and prints its answer",
  help: "EVENT is JSON text, or @FILE to read it from a file; {} by default. FUNCTION is a name, a name:qualifier or an ARN.\n--logs shows the last 4 KB of the invocation's log. Exits with 1 when the function failed.",
  async run(argv, output) {
    const { values, positionals } = parseArgs({
      args: [...argv],
      options: { ...connectionOptions, logs: { type: "boolean" } },
      allowPositionals: true,
    });
    const [name, event = "{}"] = positionals;
    if (name === undefined) throw new CommandError("Say which function: cumulet invoke FUNCTION");
    const payload = event.startsWith("@") ? await readFile(event.slice(1)) : Buffer.from(event);
    const { LambdaClient, InvokeCommand } = await import("@aws-sdk/client-lambda");
    const lambda = new LambdaClient(await openConnection(values));
    const answer = await lambda.send(
      new InvokeCommand({ FunctionName: name, Payload: payload, LogType: values.logs ? "Tail" : "None" }),
    );
    if (answer.LogResult) output.err(Buffer.from(answer.LogResult, "base64").toString("utf8").trimEnd());
    output.out(Buffer.from(answer.Payload ?? new Uint8Array()).toString("utf8"));
    return answer.FunctionError === undefined ? 0 : 1;
  },
};
