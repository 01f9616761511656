import { maskSecret, secretHeaders } from "./secrets.ts";
import { loggingLimits as limits } from "./limits.ts";

/**
 * Takes down how one request is carried out, in AWS's lines: each step and integration tells what it does. A request that
 * nobody follows has none.
 *
 * Source of the lines: "Set up CloudWatch logging for REST APIs" and the logs that AWS's support pages print.
 */
export interface ExecutionJournal {
  readonly lines: readonly JournalLine[];
  /** How it goes on: for logs of level INFO. */
  info(line: string): void;
  /** What went wrong: for any log. */
  error(line: string): void;
  /** Whether requests and answers are told as they are: then `sent` and `received` do something. */
  readonly traces: boolean;
  /** A request to an integration's endpoint. */
  sent(request: SentRequest): void;
  /** What the endpoint has answered. */
  received(answer: ReceivedAnswer): void;
  /** What the client gets. */
  answered(headers: readonly string[], body: string | Buffer): void;
}

export interface JournalLine {
  /** Epoch milliseconds. */
  readonly at: number;
  readonly text: string;
}

export interface SentRequest {
  readonly uri: string;
  /** Names and values in turn. */
  readonly headers: readonly string[];
  readonly body: string | Buffer;
}

export interface ReceivedAnswer {
  readonly status: number;
  readonly latencyMs: number;
  /** Names and values in turn. */
  readonly headers: readonly string[];
  readonly body: Uint8Array;
}

export function createExecutionJournal(options: {
  readonly level: "ERROR" | "INFO";
  readonly traces: boolean;
  readonly now: () => number;
  /** What requests to endpoints may repeat of the client's, and is not told. */
  readonly secrets?: readonly string[];
}): ExecutionJournal {
  const lines: JournalLine[] = [];
  const note = (text: string) => {
    if (lines.length < limits.executionLinesMax) lines.push({ at: options.now(), text: cut(text) });
  };
  const traces = options.traces && options.level === "INFO";
  const hide = (text: string) => (options.secrets ?? []).reduce(withoutSecret, text);
  return {
    lines,
    traces,
    info: (line) => {
      if (options.level === "INFO") note(line);
    },
    error: note,
    sent: ({ uri, headers, body }) => {
      if (!traces) return;
      note(`Endpoint request URI: ${uri}`);
      note(`Endpoint request headers: ${hide(headersText(headers))}`);
      note(`Endpoint request body after transformations: ${hide(bodyText(body))}`);
      note(`Sending request to ${uri}`);
    },
    received: ({ status, latencyMs, headers, body }) => {
      if (!traces) return;
      note(`Received response. Status: ${status}, Integration latency: ${latencyMs} ms`);
      note(`Endpoint response headers: ${headersText(headers)}`);
      note(`Endpoint response body before transformations: ${bodyText(body)}`);
    },
    answered: (headers, body) => {
      if (!traces) return;
      note(`Method response body after transformations: ${bodyText(body)}`);
      note(`Method response headers: ${headersText(headers)}`);
    },
  };
}

/** `{Name=value, …}`, without what is secret. */
export function headersText(raw: readonly string[]): string {
  const told: string[] = [];
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const [name = "", value = ""] = [raw[index], raw[index + 1]];
    told.push(`${name}=${secretHeaders.test(name) ? maskSecret(value) : value}`);
  }
  return `{${told.join(", ")}}`;
}

/** As it is, and as it is written in JSON. */
function withoutSecret(text: string, secret: string): string {
  return text
    .replaceAll(secret, () => maskSecret(secret))
    .replaceAll(JSON.stringify(secret).slice(1, -1), () => maskSecret(secret));
}

/** AWS: bytes that are no text are told as such. */
export function bodyText(body: string | Uint8Array): string {
  // More than is told: what is hidden of it may be longer than what stays.
  const most = limits.executionLineBytesMax * 8;
  if (typeof body === "string") return body.slice(0, most);
  const head = body.subarray(0, most);
  try {
    return decoder.decode(head, { stream: head.length < body.length });
  } catch {
    return "[Binary Data]";
  } finally {
    decoder.decode();
  }
}

const decoder = new TextDecoder("utf-8", { fatal: true });

function cut(line: string): string {
  return line.length <= limits.executionLineBytesMax
    ? line
    : `${line.slice(0, limits.executionLineBytesMax)} [TRUNCATED]`;
}
