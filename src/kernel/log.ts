/** The program's own log: one JSON object a line (or text on a terminal). Never give it a secret. */
export interface Log {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

export type LogFields = Readonly<Record<string, unknown>>;

export type LogLevel = "debug" | "info" | "warn" | "error" | "silent";

const order: readonly LogLevel[] = ["debug", "info", "warn", "error", "silent"];

/** A log that writes JSON lines through `write`; an `Error` among the fields is written as its stack. */
export function createLog(level: LogLevel, write: (line: string) => void, now: () => number): Log {
  const from = order.indexOf(level);
  const at = (name: Exclude<LogLevel, "silent">) => (message: string, fields?: LogFields) => {
    if (order.indexOf(name) < from) return;
    write(JSON.stringify({ time: new Date(now()).toISOString(), level: name, message, ...fields }, asText));
  };
  return { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
}

function asText(_key: string, value: unknown): unknown {
  if (value instanceof Error) return value.stack ?? value.message;
  if (typeof value === "bigint") return value.toString();
  return value;
}
