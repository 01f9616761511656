import { loggingLimits as limits } from "./limits.ts";

/** Writes the line of an access log. */
export type AccessLine<Request> = (request: Request) => string;

/** AWS: a `-` stands for what does not exist. */
const missing = "-";

/** Names are of letters, digits and underscores; below an authorizer they are its own to choose. */
const reference = /\$context\.([A-Za-z]\w*(?:\.\w(?:[\w:-]*\w)?)*)/g;

/**
 * Make the format of an access log ready: text with `$context.…`, which JSON, CLF, XML and CSV are alike.
 *
 * A value cannot break out of its line: line breaks and other control characters are written as escapes, and so are quotation
 * marks and backslashes in JSON.
 */
export function compileAccessFormat<Request>(
  format: string,
  read: (request: Request, name: string) => unknown,
): AccessLine<Request> {
  const escape = /^\s*\{/.test(format) ? inJson : inText;
  const parts: (string | { readonly name: string })[] = [];
  let end = 0;
  for (const match of format.matchAll(reference)) {
    parts.push(format.slice(end, match.index), { name: match[1] ?? "" });
    end = match.index + match[0].length;
  }
  parts.push(format.slice(end).replace(/\r?\n$/, ""));
  return (request) => {
    let line = "";
    for (const part of parts) line += typeof part === "string" ? part : valueOf(request, part.name, read, escape);
    return line.length > limits.accessLineBytesMax ? line.slice(0, limits.accessLineBytesMax) : line;
  };
}

function valueOf<Request>(
  request: Request,
  name: string,
  read: (request: Request, name: string) => unknown,
  escape: (text: string) => string,
): string {
  const value = read(request, name);
  if (value === undefined || value === null || value === "") return missing;
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  const text = typeof value === "string" ? value : JSON.stringify(value);
  // The one variable that is JSON text already, with its quotation marks.
  return name === "error.messageString" ? inText(text) : escape(text);
}

function inJson(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

// oxlint-disable-next-line no-control-regex -- they are what is looked for
const controls = /[\u0000-\u001f\u007f\u2028\u2029]/g;

function inText(text: string): string {
  return text.replaceAll(controls, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
