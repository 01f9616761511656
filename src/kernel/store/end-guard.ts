/** A process as its ending is seen from within. */
export interface EndingProcess {
  readonly pid: number;
  on(event: "exit" | "uncaughtExceptionMonitor", listener: (cause: unknown) => void): unknown;
  off(event: "exit" | "uncaughtExceptionMonitor", listener: (cause: unknown) => void): unknown;
  kill(pid: number, signal: "SIGKILL"): unknown;
  readonly stderr: { write(text: string): unknown };
}

export interface EndGuard {
  /** Work during which this process must not end by itself. */
  around<T>(work: () => Promise<T>): Promise<T>;
  /** When there will be no such work any more. */
  release(): void;
}

/**
 * LMDB's write thread waits for this thread's callbacks within a transaction, and a process that exits waits for its threads. One
 * that exits within a transaction (`process.exit`, an error that nobody has caught) would therefore wait for ever, and hold the
 * write lock of the folder against every other process. It is killed instead: LMDB then takes the lock back, and what was
 * not committed was not acknowledged either.
 */
export function createEndGuard(own: EndingProcess = process): EndGuard {
  let running = 0;
  let uncaught: unknown;
  const onUncaught = (error: unknown) => (uncaught = error);
  const onExit = () => {
    if (running === 0) return;
    // Node tells it after this, which is too late.
    if (uncaught !== undefined) own.stderr.write(`${describe(uncaught)}\n`);
    own.kill(own.pid, "SIGKILL");
  };
  own.on("uncaughtExceptionMonitor", onUncaught);
  own.on("exit", onExit);
  return {
    async around(work) {
      running += 1;
      try {
        return await work();
      } finally {
        running -= 1;
      }
    },
    release() {
      own.off("uncaughtExceptionMonitor", onUncaught);
      own.off("exit", onExit);
    },
  };
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
