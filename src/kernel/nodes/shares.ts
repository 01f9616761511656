/**
 * Limits that hold over all nodes together. While a node is alone, the whole of each limit is its own. Else it holds a
 * share, recorded in the store; the shares of all live nodes never exceed the limit. Who runs short asks, and the others hand
 * over what they do not use.
 */
export interface Shares {
  /**
   * One of `limit`, from memory alone; what is returned gives it back. Undefined when this node has no more: then that is
   * the limit, or where `isDivided()`, others may have some left.
   */
  take(key: string, limit: number): (() => void) | undefined;
  /** The same, asking the others for it: at most for `shareLimits.waitMsMax`. Never rejects. */
  takeSoon(key: string, limit: number): Promise<(() => void) | undefined>;
  /** How much of it this node has, used or not. */
  held(key: string, limit: number): number;
  /** Ask the others for all that they do not use, at most for `shareLimits.waitMsMax`. Resolves when there is more, or none. */
  gather(key: string, limit: number): Promise<void>;
  isDivided(): boolean;
  stop(): void;
}
