import { postgresLimits } from "../limits.ts";
import type { Log } from "../log.ts";
import type { EncodedKey } from "./keys.ts";
import type { Connection } from "./postgres-connection.ts";
import type { Dialer } from "./postgres-dialer.ts";
import type { createReads } from "./postgres-reads.ts";
import { sequenceOf } from "./postgres-reads.ts";
import { type Row, statements } from "./postgres-statements.ts";
import { fromBytea, unpackKeys } from "./postgres-wire.ts";
import type { Watchers } from "./watchers.ts";

/**
 * What has changed, batch by batch. Batches become visible in the order of their numbers, and each leaves a record in its own
 * transaction; so whoever has read up to a number has missed nothing before it. Where the server tells of commits (LISTEN)
 * records are read at once, else every few milliseconds; and whenever a connection comes back.
 */
export interface ChangeFeed {
  /** This process has committed these: its own listeners it tells itself. */
  noteOwn(sequence: number, keys: readonly EncodedKey[] | undefined): void;
  /** Resolves when the changes up to this number are known here, and told. */
  reach(sequence: number): Promise<void>;
  /** As `reach`, for all that is committed by now. */
  catchUp(): Promise<void>;
  /** Whether a batch after the first number, up to the second, changed such a key, as far as is known: true when it is not. */
  touched(after: number, upTo: number, matches: (key: EncodedKey) => boolean): boolean;
  /** Begin to look for what other processes commit. */
  follow(): void;
  stop(): Promise<void>;
}

interface Batch {
  readonly sequence: number;
  /** Undefined when there were too many. */
  readonly keys: readonly EncodedKey[] | undefined;
}

interface FeedNeeds {
  /** The number of the last batch when the store was opened. */
  readonly from: number;
  /** Where the server tells of commits; undefined where it does not. */
  readonly channel: string | undefined;
  /** Whether a batch is of this process. */
  readonly isOwn: (origin: string) => boolean;
  readonly reads: Pick<ReturnType<typeof createReads>, "run">;
  readonly dialer: Dialer;
  readonly watchers: Pick<Watchers, "tell" | "tellAll">;
  readonly log: Log;
}

export function createChangeFeed(needs: FeedNeeds): ChangeFeed {
  const { reads, dialer, watchers, log, channel } = needs;
  let seen = needs.from;
  /** The last batches up to `seen`, without a gap. */
  let recent: Batch[] = [];
  let looking: Promise<void> | undefined;
  let lookAgain = false;
  let told = false;
  let following = false;
  let keeping = false;
  let heard: Connection | undefined;
  let stopped = false;
  let cancelPoll: (() => void) | undefined;
  const listening = dialer.slot();

  function remember(batch: Batch): void {
    seen = batch.sequence;
    recent.push(batch);
    if (recent.length > postgresLimits.changesRemembered * 2) recent = recent.slice(-postgresLimits.changesRemembered);
  }

  function missed(upTo: number): void {
    seen = upTo;
    recent = [];
    watchers.tellAll();
  }

  function take([number, origin, keys]: Row): void {
    const sequence = Number(number);
    // This process's own, noted meanwhile.
    if (sequence <= seen) return;
    const batch = { sequence, keys: keys ? unpackKeys(fromBytea(keys)) : undefined };
    if (sequence !== seen + 1) missed(sequence - 1);
    remember(batch);
    if (needs.isOwn(origin ?? "")) return;
    if (batch.keys) watchers.tell(batch.keys);
    else watchers.tellAll();
  }

  async function look(): Promise<void> {
    for (;;) {
      const values = [String(seen), String(postgresLimits.changesPage)];
      const [last = [], rows = []] = await reads.run([
        { statement: statements.sequence },
        { statement: statements.changes, values },
      ]);
      rows.forEach(take);
      if (rows.length === postgresLimits.changesPage) continue;
      // Their records are gone already.
      if (sequenceOf(last) > seen) missed(sequenceOf(last));
      return;
    }
  }

  /** Look now; or, while that is being done, once more afterwards. */
  function start(): Promise<void> {
    if (looking) {
      lookAgain = true;
      return looking;
    }
    looking = (async () => {
      do {
        lookAgain = false;
        await look();
      } while (lookAgain);
    })().finally(() => {
      looking = undefined;
    });
    return looking;
  }

  async function reach(sequence: number): Promise<void> {
    if (seen >= sequence) return;
    await start();
    return reach(sequence);
  }

  function poll(): void {
    if (stopped) return;
    const ms = told ? postgresLimits.toldPollMs : postgresLimits.untoldPollMs;
    const timer = setTimeout(
      () =>
        void start()
          .catch(() => {})
          .finally(poll),
      ms,
    );
    timer.unref();
    cancelPoll = () => clearTimeout(timer);
  }

  async function listen(on: string): Promise<void> {
    const connection = await listening.connection();
    if (connection !== heard) {
      heard = connection;
      connection.onNotification((origin) => {
        // Not before one has come is it certain that they do.
        told = true;
        if (origin !== "" && !needs.isOwn(origin)) void start().catch(() => {});
      });
      connection.onLost(() => {
        told = false;
        if (!stopped) keepListening(on);
      });
    }
    await connection.query(`LISTEN ${on}`);
    await connection.query(`SELECT pg_notify('${on}', '')`);
    // What came while nobody listened.
    await start();
  }

  function keepListening(on: string): void {
    if (keeping) return;
    keeping = true;
    dialer
      .retry(() => listen(on))
      .catch((error: unknown) => {
        if (stopped) return;
        log.warn("Changes of other nodes are looked for every few milliseconds: nothing listens for them", { error });
        // The server may be away for longer than anybody waits for it.
        setTimeout(() => stopped || keepListening(on), postgresLimits.forgetEveryMs).unref();
      })
      .finally(() => {
        keeping = false;
      });
  }

  return {
    noteOwn: (sequence, keys) => {
      if (sequence === seen + 1) remember({ sequence, keys });
    },
    reach,
    catchUp: async () => {
      const [last = []] = await reads.run([{ statement: statements.sequence }]);
      await reach(sequenceOf(last));
    },
    touched: (after, upTo, matches) => {
      if (upTo <= after) return false;
      const first = recent[0]?.sequence ?? seen + 1;
      if (first > after + 1 || seen < upTo) return true;
      for (let at = after + 1 - first; at < recent.length; at += 1) {
        const batch = recent[at];
        if (!batch || batch.sequence > upTo) return false;
        if (!batch.keys || batch.keys.some(matches)) return true;
      }
      return false;
    },
    follow: () => {
      if (following) return;
      following = true;
      if (channel !== undefined) keepListening(channel);
      poll();
    },
    stop: async () => {
      stopped = true;
      cancelPoll?.();
      await listening.close();
    },
  };
}
