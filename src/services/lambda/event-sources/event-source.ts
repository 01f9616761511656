import type { AuthorizationRequest } from "../../../access/authorization.ts";
import type { Reader } from "../../../kernel/store/store.ts";

/**
 * A stream that Lambda polls for functions: who reads its records, where it begins, and what they look like in an event.
 * Shards keep the order of their records; a place in one is a number that grows with every record, 0 before the first.
 */
export interface EventSource {
  /** As in the ARNs of its sources. */
  readonly service: "dynamodb";
  /** How messages and the usage ledger call it. */
  readonly title: string;
  readonly principal: string;
  /** The member of a failure's record that says which batch it was. */
  readonly batchInfoName: string;
  readonly startingPositions: readonly string[];
  /** Whether an ARN is one of its sources. */
  isSource(arn: string): boolean;
  /** The shards of a source; undefined when there is none. */
  shards(arn: string): Promise<readonly string[] | undefined>;
  /** What the execution role must be allowed to do, to read it. */
  questions(arn: string): readonly AuthorizationRequest[];
  /** What is told of a role that may not. */
  denied(arn: string): string;
  /** Where a mapping begins to read. */
  start(arn: string, shard: string, position: string): Promise<number>;
  /** Records after a place, oldest first. What has left the stream is passed over. Undefined when the source is gone. */
  read(arn: string, shard: string, after: number, limit: number): Promise<SourcePage | undefined>;
  /** Whether there are records after a place. A transaction that asks does not commit when one is added meanwhile. */
  hasMore(reader: Reader, arn: string, shard: string, after: number): Promise<boolean>;
  /** Calls back when there may be more to read, and once when it has begun to watch. */
  watch(arn: string, listener: () => void): () => void;
}

export interface SourcePage {
  readonly records: readonly SourceRecord[];
  /** Everything up to here has been read. */
  readonly at: number;
}

export interface SourceRecord {
  readonly at: number;
  readonly sequenceNumber: string;
  /** Records of the same are never handed over at the same time. */
  readonly orderedBy: string;
  /** Epoch milliseconds. */
  readonly arrivedAt: number;
  /** One of the event's `Records`. */
  readonly event: object;
}
