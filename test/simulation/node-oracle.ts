import type { MemberRecord } from "../../src/kernel/nodes/node-record.ts";
import type { Commit } from "../../src/kernel/store/driver.ts";
import { decodeKey } from "../../src/kernel/store/keys.ts";
import { decodeValue } from "../../src/kernel/store/values.ts";
import { check } from "./job-oracle.ts";
import type { SimulatedProcess } from "./world.ts";

/** A node as it can be looked at from outside, at any time. */
export interface ServingNode {
  readonly name: string;
  readonly process: SimulatedProcess;
  readonly isLive: () => boolean;
  /** How much of the limit it would use without asking. */
  readonly held: () => number;
  /** It has started, and was not asked to stop. */
  isServing: boolean;
  /** What it would answer from memory: the number of a change. */
  remembered: number | undefined;
  /** How often it has dropped what it remembered. */
  drops: number;
  /** What it has taken of the limit, under which lease. */
  readonly runs: Set<{ readonly lease: string | undefined }>;
}

/** Looks at commits, answers and shares, and throws at the first that should not have been. */
export interface NodeOracle {
  onCommit(commit: Commit, by: string): void;
  /** Somebody was told that every node has taken the change in. */
  onSettled(change: number): void;
  /** A node answers from memory. */
  onServed(node: ServingNode): void;
  checkShares(): void;
  leaseOf(id: string): string | undefined;
  isDead(name: string): boolean;
  givenUp(): number;
}

export function createNodeOracle(options: {
  /** By the id of the node. */
  readonly serving: ReadonlyMap<string, ServingNode>;
  /** Whether processes learn at once that another has died. */
  readonly deathsAreSeen: boolean;
  readonly limit: number;
  readonly tell: (event: string) => void;
}): NodeOracle {
  const { serving, limit, tell } = options;
  const members = new Map<string, MemberRecord>();
  /** When a change was committed, in the order of commits; by its number. */
  const orderOf = new Map<number, number>();
  let settledOrder = 0;
  let givenUp = 0;

  const isOld = (node: ServingNode) =>
    node.remembered !== undefined && (orderOf.get(node.remembered) ?? 0) < settledOrder;

  function onMember(id: string, next: MemberRecord | undefined, by: string): void {
    const node = serving.get(id);
    check(node, `${id} is no node`);
    if (next) {
      members.set(id, next);
      tell(`${node.name} has ${next.lease}${next.alone ? " alone" : ""}`);
      check(by === node.name, `${by} wrote the registration of ${node.name}`);
      check(!next.alone || members.size === 1, `${node.name} is not alone`);
      return;
    }
    members.delete(id);
    tell(`${by} takes ${node.name} away`);
    if (by === node.name) return;
    givenUp += 1;
    const isOver = node.process.isDead() || !node.isLive();
    check(isOver, `${by} gave ${node.name} up, which counts on its lease`);
  }

  function checkShares(): void {
    let used = 0;
    const parts: string[] = [];
    for (const [id, node] of serving) {
      if (node.process.isDead() || !node.isServing || !node.isLive()) continue;
      const lease = members.get(id)?.lease;
      let running = 0;
      for (const run of node.runs) if (run.lease === lease) running += 1;
      const held = Math.max(node.held(), running);
      used += held;
      parts.push(`${node.name} ${held}`);
    }
    check(used <= limit, `of ${limit} the nodes have ${parts.join(", ")}`);
  }

  return {
    checkShares,
    leaseOf: (id) => members.get(id)?.lease,
    isDead: (name) => [...serving.values()].some((node) => node.name === name && node.process.isDead()),
    givenUp: () => givenUp,
    onCommit: (commit, by) => {
      for (const [encoded, bytes] of commit.writes) {
        const [first, second, third] = decodeKey(encoded);
        if (first === "nodes" && second === "member") {
          onMember(String(third), bytes && (decodeValue(bytes) as MemberRecord), by);
        } else if (first === "under lease") {
          check(members.has(String(second)), `${by} committed under a lease that was given up`);
        } else if (first === "remembered" && bytes) {
          orderOf.set(decodeValue(bytes) as number, orderOf.size + 1);
        }
      }
      checkShares();
    },
    onSettled: (change) => {
      settledOrder = Math.max(settledOrder, orderOf.get(change) ?? 0);
      for (const node of serving.values()) {
        if (node.process.isDead() || !node.isServing || !node.isLive()) continue;
        check(!isOld(node), `change ${change} is settled, and ${node.name} still remembers ${node.remembered}`);
      }
    },
    onServed: (node) => {
      check(!isOld(node), `${node.name} answers ${node.remembered}, which was changed`);
    },
  };
}
