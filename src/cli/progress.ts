import type { Output } from "./command.ts";

/** Tells how long work goes on: one line that is rewritten on a terminal, plain lines elsewhere. */
export interface Progress {
  /** What is being done now. */
  step(text: string): void;
  /** A line that stays. */
  line(text: string): void;
  /** Clear the moving line. */
  end(): void;
}

const clearLine = "\r\u001b[2K";

export function createProgress(output: Output): Progress {
  if (!output.terminal) return { step: (text) => output.err(text), line: (text) => output.err(text), end: () => {} };
  return {
    step: (text) => output.write(`${clearLine}${text}`),
    line: (text) => output.write(`${clearLine}${text}\n`),
    end: () => output.write(clearLine),
  };
}
