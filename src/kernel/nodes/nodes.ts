import type { Transaction } from "../store/store.ts";

/**
 * The processes that serve one store. A node is registered under a lease that it renews; others count it among the living
 * until they have seen nothing of it for longer than it counts on its lease itself. No clock is compared with another's.
 */
export interface Nodes {
  /** This run of this process. */
  readonly id: string;
  /**
   * Register. Resolves when this node holds its lease and every node that had the store for itself knows of it. To be
   * called before anything is read into memory that others may change.
   */
  start(): Promise<void>;
  /** The nodes whose leases run, this one included, in the same order on every node. */
  live(): readonly NodeInfo[];
  /**
   * Whether this node's own lease runs. While it does not, what is in memory may be out of date without anybody waiting
   * for this node: it must not be served. Costs a look at a clock.
   */
  isLive(): boolean;
  /** Renew the lease now, as after a pause; whether it runs then. Takes at most `nodeLimits.renewedMsMax`. */
  renewed(): Promise<boolean>;
  /**
   * Resolves when every live node has taken in all changes that were committed before the call, or has lost its lease.
   *
   * @throws {NodesUnsettledError} when that is not known within `nodeLimits.settledMsMax`
   */
  settled(): Promise<void>;
  /** Fail the transaction, at its commit too, when this node's lease has been given up by the others. */
  underLease(tx: Transaction): Promise<void>;
  /** Call `listener` after a node has come or gone. */
  watch(listener: () => void): () => void;
  /** Take part in what only one node may do freely while it is alone. Before `start`. */
  join(part: NodePart): void;
  /** Take the registration back: the others need not wait for the lease to end. */
  stop(): Promise<void>;
}

export interface NodeInfo {
  readonly id: string;
  /** For people: host and process id. */
  readonly label: string;
  readonly isSelf: boolean;
}

/** What has the whole of something while its node is alone, and must divide it when another comes. */
export interface NodePart {
  /**
   * Another node has come, or this one has lost its lease: take nothing more, from the call on. Resolves when nothing of
   * before is under way.
   */
  divide(): Promise<void>;
  /** Record what this node has in use; the other node begins when this is committed. The body may run again. */
  record(tx: Transaction): Promise<void>;
  /** That is committed; or nothing is recorded any more, because the lease was lost. */
  divided(): void;
  /** No other node is left: everything is this one's. */
  unite(): void;
}

/** It is not known whether every node has taken in a change. The change itself is committed. */
export class NodesUnsettledError extends Error {
  constructor() {
    super("It is not known whether every node has taken in the change");
    this.name = "NodesUnsettledError";
  }
}

/** The others have given this node up. */
export class NodeLeaseLostError extends Error {
  constructor() {
    super("This node has lost its lease");
    this.name = "NodeLeaseLostError";
  }
}
