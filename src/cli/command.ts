/** Where a command writes. */
export interface Output {
  /** A line of the result, to standard output. */
  out(line: string): void;
  /** A line about the work, to standard error. */
  err(line: string): void;
  /** Whether standard error is a terminal, so that progress may rewrite its line. */
  readonly terminal: boolean;
  /** Text without a line end, to standard error: progress on a terminal. */
  write(text: string): void;
}

export interface Command {
  readonly name: string;
  /** The command with its arguments: `deploy [folder] [--stack NAME]`. */
  readonly usage: string;
  /** Half a line for the overview. */
  readonly summary: string;
  readonly help: string;
  /** Not for users, and not listed. */
  readonly hidden?: true;
  /** The process's exit code. */
  run(argv: readonly string[], output: Output): Promise<number>;
}

/** A failure the user can understand without a stack trace. */
export class CommandError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "CommandError";
  }
}
