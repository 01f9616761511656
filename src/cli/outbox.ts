import { parseArgs } from "node:util";
import { CommandError, type Command, type Output } from "./command.ts";
import { connectionOptions, openConnection } from "./connection.ts";
import { signedGet } from "./signed-get.ts";

export const outboxCommand: Command = {
  name: "outbox",
  usage: "outbox [TO] [--limit N] [--json] [--port PORT] [--data DIR]",
  summary: "prints messages that user pools have sent",
  help: "Emails and text messages with confirmation codes, invitations and one-time passwords, the newest last; they are kept for a week. TO prints those to one address or number alone. --limit says how many of the newest are looked at, 20 by default. --json prints what the server answers.",
  async run(argv, output) {
    const { values, positionals } = parseArgs({
      args: [...argv],
      options: { ...connectionOptions, limit: { type: "string" }, json: { type: "boolean" } },
      allowPositionals: true,
    });
    const limit = Number(values.limit ?? "20");
    if (!Number.isInteger(limit) || limit < 1) throw new CommandError(`--limit takes a number, not ${values.limit}`);
    const answer = await signedGet(await openConnection(values), "/_cumulet/outbox", { limit: String(limit) });
    // The server's own answer, of the same version as this command.
    const { messages } = answer as { readonly messages: readonly Message[] };
    const [to] = positionals;
    const wanted = messages.filter(({ destination }) => to === undefined || destination === to).toReversed();
    if (values.json) output.out(JSON.stringify(wanted, null, 2));
    else for (const message of wanted) print(output, message);
    return 0;
  },
};

interface Message {
  readonly at: number;
  readonly medium: string;
  readonly destination: string;
  readonly poolId: string;
  readonly username: string;
  readonly reason: string;
  readonly subject?: string;
  readonly body: string;
}

function print(output: Output, message: Message): void {
  const { at, medium, destination, poolId, username, reason, subject, body } = message;
  output.out(
    `${new Date(at).toISOString()} ${medium} to ${clean(destination)} (${poolId}, ${clean(username)}, ${reason})`,
  );
  if (subject !== undefined) output.out(`  ${clean(subject)}`);
  for (const line of body.split("\n")) output.out(`  ${clean(line)}`);
}

/** What users have chosen must not command the terminal. */
function clean(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, " ");
}
