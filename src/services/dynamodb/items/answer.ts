import { encodedOutput, type Call } from "../../../wire/service.ts";
import type { ItemsText } from "./items-text.ts";

/** Members of an output, each as JSON text; undefined ones are left out. */
export type AnswerParts = Readonly<Record<string, string | undefined>>;

/**
 * An output made of texts: sent as it is over HTTP; for a service of the platform it is parsed, and bytes become bytes, as the
 * operation's type says.
 */
export function toAnswer(call: Pick<Call, "http">, parts: AnswerParts): never {
  const text = `{${membersOf(parts)}}`;
  if (call.http) return { [encodedOutput]: text } as never;
  return reviveOutput(JSON.parse(text)) as never;
}

/** The same, of items that lie as bytes behind one another; there is at least one other member. */
export function toItemsAnswer(call: Pick<Call, "http">, items: ItemsText, others: AnswerParts): never {
  const bytes = items.close(membersOf(others));
  if (call.http) return { [encodedOutput]: bytes } as never;
  return reviveOutput(JSON.parse(bytes.toString("utf8"))) as never;
}

function membersOf(parts: AnswerParts): string {
  let text = "";
  for (const name in parts) {
    const part = parts[name];
    if (part !== undefined) text += `${text === "" ? "" : ","}"${name}":${part}`;
  }
  return text;
}

/** Values of attributes as services of the platform have them: bytes are bytes. */
export function reviveOutput(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reviveOutput);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value);
  const [only] = entries;
  if (entries.length === 1 && only) {
    const [type, content] = only;
    if (type === "B" && typeof content === "string") return { B: new Uint8Array(Buffer.from(content, "base64")) };
    if (type === "BS" && Array.isArray(content)) {
      return { BS: content.map((each) => new Uint8Array(Buffer.from(String(each), "base64"))) };
    }
  }
  return Object.fromEntries(entries.map(([name, each]) => [name, reviveOutput(each)]));
}

export function jsonOf(value: unknown): string | undefined {
  return value === undefined ? undefined : JSON.stringify(value);
}
