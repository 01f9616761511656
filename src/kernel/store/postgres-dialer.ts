import type { Log } from "../log.ts";
import { postgresLimits } from "../limits.ts";
import { connect, type Connection } from "./postgres-connection.ts";
import { codeOf, ConnectionLostError, isPassing, StoreUnavailableError } from "./postgres-errors.ts";

/** Makes connections, and has things tried again while PostgreSQL is away. */
export interface Dialer {
  /** A place for one connection that is made when it is first needed, and again when it was lost. */
  slot(): Slot;
  /**
   * Run until it succeeds, waiting a little longer each time, while it fails for a reason that passes.
   *
   * @throws {StoreUnavailableError} when PostgreSQL has been away for `unavailableMsMax`.
   */
  retry<T>(run: () => Promise<T>): Promise<T>;
  /** Nothing is tried again from now on. */
  stop(): void;
}

export interface Slot {
  connection(): Promise<Connection>;
  close(): Promise<void>;
}

export function createDialer(url: string, log: Log): Dialer {
  let awaySince: number | undefined;
  let stopped = false;

  function noteBack(): void {
    if (awaySince === undefined) return;
    log.info("PostgreSQL is back", { awayMs: Date.now() - awaySince });
    awaySince = undefined;
  }

  function noteAway(error: unknown): number {
    // Others may be using their connections: only a lost connection says that the server is away.
    const lost = error instanceof ConnectionLostError || error instanceof StoreUnavailableError;
    if (lost && awaySince === undefined) {
      awaySince = Date.now();
      log.warn("PostgreSQL is away; trying again", { reason: reasonOf(error) });
    }
    return awaySince ?? Date.now();
  }

  return {
    slot: () => createSlot(url),
    retry: async (run) => {
      const begun = Date.now();
      for (
        let waitMs: number = postgresLimits.backoffMs;
        ;
        waitMs = Math.min(waitMs * 2, postgresLimits.backoffMsMax)
      ) {
        try {
          const result = await run();
          noteBack();
          return result;
        } catch (error) {
          if (stopped || !passes(error)) throw error;
          const since = Math.min(begun, noteAway(error));
          if (Date.now() - since > postgresLimits.unavailableMsMax) {
            throw new StoreUnavailableError(
              `PostgreSQL has been away for ${Math.round((Date.now() - since) / 1000)} seconds: ${reasonOf(error)}`,
              error,
            );
          }
          await pause(waitMs * (0.5 + Math.random() / 2));
        }
      }
    },
    stop: () => {
      stopped = true;
    },
  };
}

function createSlot(url: string): Slot {
  let current: Promise<Connection> | undefined;
  return {
    connection: () => {
      if (current) return current;
      const made = connect(url, true);
      const drop = () => {
        if (current === made) current = undefined;
      };
      current = made;
      made.then((connection) => connection.onLost(drop), drop);
      return made;
    },
    close: async () => {
      const closing = current;
      current = undefined;
      await closing?.then((connection) => connection.close()).catch(() => {});
    },
  };
}

function passes(error: unknown): boolean {
  return isPassing(error) || (error instanceof StoreUnavailableError && isPassing(error.cause));
}

function reasonOf(error: unknown): string {
  const cause = error instanceof ConnectionLostError ? error.cause : error;
  return cause instanceof Error ? (codeOf(cause) ?? cause.message) : String(cause);
}

/** Real time on purpose: it bounds waits for another machine and decides nothing that is stored. */
function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms).unref();
  });
}
