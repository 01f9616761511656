import { parseArgs } from "node:util";
import type { Command } from "./command.ts";
import { connectionOptions, openConnection } from "./connection.ts";

export const envCommand: Command = {
  name: "env",
  usage: "env [--port PORT] [--data DIR]",
  summary: "prints shell settings that point AWS tools at the server",
  help: 'Prints `export` lines for the endpoint, the region and the root keys. Use it as: eval "$(cumulet env)"',
  async run(argv, output) {
    const { values } = parseArgs({ args: [...argv], options: connectionOptions });
    const connection = await openConnection(values);
    const settings = {
      AWS_ENDPOINT_URL: connection.endpoint,
      AWS_REGION: connection.region,
      AWS_DEFAULT_REGION: connection.region,
      AWS_ACCESS_KEY_ID: connection.credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: connection.credentials.secretAccessKey,
    };
    for (const [name, value] of Object.entries(settings)) output.out(`export ${name}='${value}'`);
    output.out("unset AWS_SESSION_TOKEN AWS_PROFILE");
    return 0;
  },
};
