import type { Clock } from "../clock.ts";
import { nodeLimits } from "../limits.ts";
import type { StoredNode } from "./node-record.ts";

/** Judges other nodes by what this one has seen of them, and when: clocks of others say nothing. */
export interface Observer {
  /** What stands in the store now. */
  see(nodes: readonly StoredNode[]): void;
  /** Whether a node's own lease must have ended: nothing was seen of it for longer than it counts on that. */
  isLost(node: StoredNode): boolean;
}

interface Seen {
  readonly lease: string;
  readonly beat: number;
  readonly at: number;
}

export function createObserver(needs: {
  readonly id: string;
  readonly clock: Pick<Clock, "now">;
  readonly machine?: string;
  readonly hasEnded?: (identity: string) => boolean;
}): Observer {
  const { id, clock, machine, hasEnded } = needs;
  let seen = new Map<string, Seen>();
  let sawAt = Number.NEGATIVE_INFINITY;

  return {
    see(nodes) {
      const now = clock.now();
      // While this node saw nothing itself, as when it was paused, the others' silence is none.
      const wasAway = now - sawAt > nodeLimits.lostMs - nodeLimits.ownLeaseMs + nodeLimits.beatMs;
      sawAt = now;
      const next = new Map<string, Seen>();
      for (const { id: other, lease, beat } of nodes) {
        const before = seen.get(other);
        const same = before?.lease === lease && before.beat === beat && !wasAway;
        next.set(other, same ? before : { lease, beat, at: now });
      }
      seen = next;
    },
    isLost(node) {
      if (node.id === id) return false;
      if (node.process !== undefined && node.process.machine === machine && hasEnded?.(node.process.identity))
        return true;
      const last = seen.get(node.id);
      return last !== undefined && clock.now() - last.at >= nodeLimits.lostMs;
    },
  };
}
