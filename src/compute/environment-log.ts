import type { Clock } from "../kernel/clock.ts";
import type { LogLine } from "./compute.ts";
import type { ComputeLimits } from "./limits.ts";
import { createLineReader, createMessageReader, createTail, meterOutput } from "./output.ts";
import type { Sandbox } from "./sandbox/sandbox.ts";
import type { Telemetry } from "./telemetry.ts";

/** The log of one environment: what its function and extensions print, and what the platform says of it, in order. */
export interface EnvironmentLog {
  /** Lines of the platform; those that are not to be told in this log's format are undefined. */
  emit(...messages: readonly (string | undefined)[]): void;
  /** An invocation begins. */
  begin(): void;
  /** Nothing has been printed for a while: lines of invocations that follow closely need not be told apart. */
  readonly isQuiet: boolean;
  /** Half lines of the function are whole: it says no more for now. */
  flush(): void;
  /** The sandbox has ended: half lines of its extensions are whole. */
  end(): void;
  /** From here on, keep the last lines, or do not. */
  keepTail(keep: boolean): void;
  /** What was kept, and keep nothing more. */
  takeTail(): Uint8Array | undefined;
}

/** So many invocations without a printed line make an environment quiet. */
const quietAfter = 32;

export function createEnvironmentLog(needs: {
  readonly sandbox: Sandbox;
  readonly clock: Clock;
  readonly limits: ComputeLimits;
  readonly telemetry: Telemetry;
  readonly write: (events: readonly LogLine[]) => void;
}): EnvironmentLog {
  const { sandbox, clock, limits, telemetry } = needs;
  const tail = createTail(limits.logTailBytes);
  let keepsTail = false;
  let silentRuns = 0;

  const emit = (...messages: readonly (string | undefined)[]) => {
    const timestamp = clock.now();
    const events: LogLine[] = [];
    for (const message of messages) if (message !== undefined && message !== "") events.push({ timestamp, message });
    if (keepsTail) for (const event of events) tail.add(event);
    if (events.length > 0) needs.write(events);
  };
  const print = (message: string) => {
    silentRuns = 0;
    emit(message);
    if (telemetry.hears) telemetry.line("function", message);
  };
  const lines = [
    createLineReader(limits.logEventBytesMax, print),
    createLineReader(limits.logEventBytesMax, print),
  ] as const;
  meterOutput(sandbox.stdout, limits, clock, lines[0].write);
  meterOutput(sandbox.stderr, limits, clock, lines[1].write);
  meterOutput(sandbox.messages, limits, clock, createMessageReader(limits.logEventBytesMax, print));
  const extensionLines = createLineReader(limits.logEventBytesMax, (message) => {
    emit(message);
    if (telemetry.hears) telemetry.line("extension", message);
  });
  if (sandbox.extensions !== undefined) {
    meterOutput(sandbox.extensions.output, limits, clock, extensionLines.write);
  }

  return {
    emit,
    begin() {
      silentRuns += 1;
    },
    get isQuiet() {
      return silentRuns > quietAfter;
    },
    flush() {
      for (const reader of lines) reader.flush();
    },
    end: () => extensionLines.flush(),
    keepTail(keep) {
      keepsTail = keep;
      tail.clear();
    },
    takeTail() {
      const kept = keepsTail ? tail.bytes() : undefined;
      keepsTail = false;
      return kept;
    },
  };
}
