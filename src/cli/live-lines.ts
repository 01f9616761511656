import type { IncomingMessage } from "node:http";

/** The objects of an answer that has one on each line, as they come; empty lines keep the connection alive. */
export async function* readLiveLines(answer: IncomingMessage): AsyncGenerator<Readonly<Record<string, unknown>>> {
  let text = "";
  for await (const chunk of answer.setEncoding("utf8")) {
    text += String(chunk);
    const lines = text.split("\n");
    text = lines.pop() ?? "";
    for (const line of lines) {
      if (line === "") continue;
      const parsed: unknown = JSON.parse(line);
      // The server's own lines, of the same version as this command.
      if (typeof parsed === "object" && parsed !== null) yield parsed as Readonly<Record<string, unknown>>;
    }
  }
}
