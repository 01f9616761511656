/** The objects of an answer that has one on each line, as they come; empty lines keep the connection alive. */
export async function* readLiveLines(answer: Response): AsyncGenerator<Readonly<Record<string, unknown>>> {
  let text = "";
  const decoder = new TextDecoder();
  for await (const chunk of answer.body ?? []) {
    text += decoder.decode(chunk, { stream: true });
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
