import { type OutgoingHttpHeader, type OutgoingHttpHeaders, STATUS_CODES } from "node:http";
import { isHeaderValue } from "./characters.ts";
import type { SentNames } from "./sent-names.ts";

/** The head of an answer, without what follows from how its body is sent. */
export interface AnswerHead {
  /** The status line and headers, each with its line's end. */
  text: string;
  /** What `Content-Length` promises. */
  length: number | undefined;
  /** What `Transfer-Encoding` asks; it is not in the text. */
  chunked: boolean;
  /** What `Connection` says, where the answer says it itself. */
  connection: "close" | "other" | undefined;
  hasDate: boolean;
  hasKeepAlive: boolean;
}

/**
 * Writes an answer's head.
 *
 * @param headers by name, or names and values in turn
 * @throws for a name or a value that cannot be sent, as it would end its header
 */
export function writeAnswerHead(
  names: SentNames,
  status: number,
  headers: OutgoingHttpHeaders | readonly OutgoingHttpHeader[] | undefined,
): AnswerHead {
  const head: AnswerHead = {
    text: `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? "unknown"}\r\n`,
    length: undefined,
    chunked: false,
    connection: undefined,
    hasDate: false,
    hasKeepAlive: false,
  };
  if (isList(headers)) {
    if (headers.length % 2 !== 0) throw new TypeError("Headers are names and values in turn");
    for (let index = 0; index < headers.length; index += 2) {
      const name = headers[index];
      add(names, head, typeof name === "string" ? name : String(name), headers[index + 1]);
    }
  } else if (headers !== undefined) {
    for (const name of Object.keys(headers)) add(names, head, name, headers[name]);
  }
  return head;
}

/** @throws for a name or a value that cannot be sent */
export function checkHeader(names: SentNames, name: string, value: OutgoingHttpHeader | undefined): void {
  names.of(name);
  if (Array.isArray(value)) for (const each of value) textOf(name, each);
  else textOf(name, value);
}

function add(names: SentNames, head: AnswerHead, name: string, value: OutgoingHttpHeader | undefined): void {
  const part = names.of(name);
  if (Array.isArray(value) && part !== "cookie") {
    for (const each of value) add(names, head, name, each);
    return;
  }
  const text = textOf(name, Array.isArray(value) ? value.join("; ") : value);
  // How the body is sent is the answer's own matter, which this asks something of.
  if (part !== "transferEncoding") head.text += `${name}: ${text}\r\n`;
  switch (part) {
    case "passed on":
    case "cookie":
      break;
    case "connection":
      if (/(?:^|[ ,])close(?:$|[ ,])/i.test(text)) head.connection = "close";
      else head.connection ??= "other";
      break;
    case "contentLength":
      if (head.length !== undefined || !/^\d{1,15}$/.test(text)) throw notSendable(name);
      head.length = Number(text);
      break;
    case "transferEncoding":
      if (head.chunked || text.toLowerCase() !== "chunked") throw notSendable(name);
      head.chunked = true;
      break;
    case "date":
      head.hasDate = true;
      break;
    case "keepAlive":
      head.hasKeepAlive = true;
      break;
    default:
      part satisfies never;
  }
}

function textOf(name: string, value: string | number | readonly string[] | undefined): string {
  if (value === undefined) {
    throw Object.assign(new TypeError(`Invalid value "undefined" for header "${name}"`), {
      code: "ERR_HTTP_INVALID_HEADER_VALUE",
    });
  }
  const text = typeof value === "string" ? value : String(value);
  if (!isHeaderValue(text)) throw notSendable(name);
  return text;
}

function notSendable(name: string): TypeError {
  return Object.assign(new TypeError(`Invalid character in header content ["${name}"]`), { code: "ERR_INVALID_CHAR" });
}

function isList(
  headers: OutgoingHttpHeaders | readonly OutgoingHttpHeader[] | undefined,
): headers is readonly OutgoingHttpHeader[] {
  return Array.isArray(headers);
}
