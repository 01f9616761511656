import type { Compute, KeptState } from "../../compute/compute.ts";
import type { Clock } from "../../kernel/clock.ts";
import type { Log } from "../../kernel/log.ts";
import type { Nodes } from "../../kernel/nodes/nodes.ts";
import type { Key, Store } from "../../kernel/store/store.ts";

type LiveNodes = Pick<Nodes, "live" | "watch">;

/** Of the environments that are provisioned for a version, how many this node has: all nodes together have them all. */
export function ownPart(environments: number, specId: string, nodes: LiveNodes | undefined): number {
  const live = nodes?.live() ?? [];
  if (live.length <= 1) return environments;
  const rank = live.findIndex(({ isSelf }) => isSelf);
  // What does not divide evenly begins at another node for each version.
  let start = 0;
  for (const character of specId) start = (start * 31 + character.charCodeAt(0)) % 1_000_003;
  const place = (rank + start) % live.length;
  return Math.floor(environments / live.length) + (place < environments % live.length ? 1 : 0);
}

type Told = Pick<KeptState, "ready" | "failure">;

const prefix: Key = ["provisioned"];
const toldEveryMs = 500;
const toldMax = 1000;

/** What the other nodes have of it, as they told last. */
export async function readKeptElsewhere(
  store: Store,
  nodes: LiveNodes | undefined,
  specId: string,
): Promise<readonly Told[]> {
  const others = new Set((nodes?.live() ?? []).filter(({ isSelf }) => !isSelf).map(({ id }) => id));
  if (others.size === 0) return [];
  const entries = await store.read((reader) => reader.range<Told>({ prefix: [...prefix, specId] }, { limit: toldMax }));
  return entries.filter(({ key }) => others.has(String(key.at(-1)))).map(({ value }) => value);
}

/** Tells the other nodes how far this one is, while there are others. */
export interface KeptTelling {
  /** These, and no others from now on. */
  tell(specIds: readonly string[]): void;
  stop(): void;
}

export function createKeptTelling(needs: {
  readonly store: Store;
  readonly nodes: LiveNodes;
  readonly compute: Compute;
  readonly clock: Clock;
  readonly log: Log;
}): KeptTelling {
  const { store, nodes, compute, clock, log } = needs;
  let specs: readonly string[] = [];
  let told = new Map<string, string>();
  let cancel: (() => void) | undefined;
  let stopped = false;

  const look = async (): Promise<void> => {
    const live = nodes.live();
    const own = live.find(({ isSelf }) => isSelf)?.id;
    if (own === undefined || live.length <= 1) {
      told = new Map();
      return;
    }
    const now = new Map<string, string>();
    for (const id of specs) {
      const { ready = 0, failure } = compute.kept(id) ?? {};
      now.set(id, JSON.stringify({ ready, ...(failure !== undefined && { failure }) }));
    }
    const changed = [...now].filter(([id, state]) => told.get(id) !== state);
    const gone = [...told.keys()].filter((id) => !now.has(id));
    if (changed.length > 0 || gone.length > 0) {
      await store.transact(async (tx) => {
        for (const [id, state] of changed) tx.set([...prefix, id, own], JSON.parse(state));
        for (const id of gone) tx.delete([...prefix, id, own]);
      });
    }
    told = now;
  };

  const lookLater = () => {
    if (stopped || cancel !== undefined || (specs.length === 0 && told.size === 0)) return;
    cancel = clock.after(toldEveryMs, () => {
      cancel = undefined;
      look()
        .catch((error: unknown) => log.warn("Provisioned environments could not be told of", { error }))
        .finally(lookLater);
    });
  };

  /** What nodes that are gone had told. */
  const forgetGone = async (): Promise<void> => {
    const live = nodes.live();
    if (live.length === 0 || live[0]?.isSelf !== true) return;
    await store.transact(async (tx) => {
      const entries = await tx.range({ prefix }, { limit: toldMax });
      for (const { key } of entries) if (!live.some(({ id }) => id === key.at(-1))) tx.delete(key);
    });
  };

  const unwatch = nodes.watch(() => {
    forgetGone().catch((error: unknown) => log.warn("What nodes had told could not be forgotten", { error }));
    lookLater();
  });

  return {
    tell(specIds) {
      specs = specIds;
      lookLater();
    },
    stop() {
      stopped = true;
      unwatch();
      cancel?.();
    },
  };
}
