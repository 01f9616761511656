import type { Clock } from "../../kernel/clock.ts";
import type { Log } from "../../kernel/log.ts";
import type { Key, Store } from "../../kernel/store/store.ts";
import type { RequestEnvironment } from "../authorization.ts";
import type { Reasoned } from "../decide.ts";
import { denialLimits as limits } from "./limits.ts";

/** A denial as it is kept. What it says of policies are their names, never their texts. */
export interface Denial {
  readonly version: 1;
  /** Epoch milliseconds. */
  readonly at: number;
  readonly requestId: string;
  readonly principal: string;
  readonly action: string;
  readonly resource: string;
  readonly region: string;
  readonly decision: Reasoned["decision"];
  readonly because?: Reasoned["because"];
  readonly context: Readonly<Record<string, readonly string[]>>;
  readonly policies: Reasoned["policies"];
}

export interface NotedDenial {
  readonly requestId: string;
  readonly environment: RequestEnvironment;
  readonly told: { readonly principal: string; readonly action: string; readonly resource: string };
  readonly reasoned: Reasoned;
}

/** The latest denials, durable within a second, bounded in number and time. */
export interface DenialJournal {
  note(denial: NotedDenial): void;
  /** All of one request, in the order of the questions; none when there was none, or it is forgotten. */
  find(account: string, requestId: string): Promise<readonly Denial[]>;
  /** Resolves when all that were noted are in the store. */
  flush(): Promise<void>;
}

export const denialsPrefix: Key = ["access", "denial"];
const hourMs = 3_600_000;

interface Waiting {
  readonly key: Key;
  readonly denial: Denial;
}

export function createDenialJournal(needs: {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
}): DenialJournal {
  const { store, clock, log } = needs;
  let waiting: Waiting[] = [];
  let writing = Promise.resolve();
  let isArmed = false;
  // Whoever is denied all the time must not push out what others want to know, nor fill the disk.
  let hour = 0;
  let kept = new Map<string, number>();
  let keptOfAll = 0;

  const mayKeep = (now: number, principal: string): boolean => {
    const current = Math.floor(now / hourMs);
    if (current !== hour) {
      hour = current;
      kept = new Map();
      keptOfAll = 0;
    }
    const ofPrincipal = kept.get(principal) ?? 0;
    const most = principal === "anonymous" ? limits.anonymousMax : limits.perPrincipalMax;
    if (keptOfAll >= limits.perHourMax || ofPrincipal >= most) return false;
    kept.set(principal, ofPrincipal + 1);
    keptOfAll += 1;
    return true;
  };

  const write = (): void => {
    isArmed = false;
    const batch = waiting;
    waiting = [];
    if (batch.length === 0) return;
    writing = writing.then(() =>
      store
        .transact((tx) => {
          for (const { key, denial } of batch) tx.set(key, denial);
          return Promise.resolve();
        })
        // They are in the log in any case.
        .catch((error: unknown) => log.warn("Denials could not be kept for look-up", { denials: batch.length, error })),
    );
  };

  return {
    note: ({ requestId, environment, told, reasoned }) => {
      const { account, region, now, extendedRequestId } = environment;
      const place = [...denialsPrefix, Math.floor(now / hourMs), account];
      const before = waiting.filter(({ key }) => key.at(-2) === requestId).length;
      if (before >= limits.perRequestMax || !mayKeep(now, told.principal)) return;
      const { principal, action, resource } = told;
      const { decision, because, policies } = reasoned;
      const denial: Denial = {
        version: 1,
        at: now,
        requestId,
        principal,
        action,
        resource,
        region,
        decision,
        ...(because && { because }),
        context: shorten(reasoned.context),
        policies,
      };
      // In the order of the questions: the count of the hour only grows.
      waiting.push({ key: [...place, requestId, keptOfAll], denial });
      if (extendedRequestId !== undefined) waiting.push({ key: [...place, extendedRequestId, keptOfAll], denial });
      if (isArmed) return;
      isArmed = true;
      clock.after(limits.writeAfterMs, write);
    },
    find: async (account, requestId) => {
      const latest = Math.floor(clock.now() / hourMs);
      return await store.read(async (reader) => {
        // The clocks of nodes differ: a denial may be of an hour that has not begun here.
        for (let at = latest + 1; at >= latest - limits.hoursKept; at--) {
          const prefix = [...denialsPrefix, at, account, requestId];
          const entries = await reader.range<Denial>({ prefix }, { limit: limits.perRequestMax });
          if (entries.length > 0) return entries.map(({ value }) => value);
        }
        return [];
      });
    },
    flush: () => {
      write();
      return writing;
    },
  };
}

function shorten(context: Reasoned["context"]): Denial["context"] {
  const entries = [...context].slice(0, limits.contextKeysMax);
  return Object.fromEntries(
    entries.map(([key, values]) => [key, values.map((value) => value.slice(0, limits.valueCharactersMax))]),
  );
}
