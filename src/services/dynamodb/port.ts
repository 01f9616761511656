import type { Reader } from "../../kernel/store/store.ts";
import type { Item } from "./values/attribute-value.ts";

/** What is asked of a stream. */
export interface StreamDescription {
  readonly arn: string;
  readonly label: string;
  readonly tableName: string;
  readonly viewType: "NEW_IMAGE" | "OLD_IMAGE" | "NEW_AND_OLD_IMAGES" | "KEYS_ONLY";
  readonly keySchema: { readonly AttributeName: string; readonly KeyType: "HASH" | "RANGE" }[];
  /** Epoch milliseconds. */
  readonly createdAt: number;
  /** Nothing is added any more. */
  readonly closed: boolean;
  /** Its one shard. */
  readonly shardId: string;
  /** Of the first record that there may be, and of the last one there was. */
  readonly startingSequence: string;
  readonly endingSequence: string;
}

/** A change, with values as the wire has them: bytes in base64. */
export interface StreamedRecord {
  readonly eventID: string;
  readonly eventName: "INSERT" | "MODIFY" | "REMOVE";
  readonly eventVersion: "1.1";
  readonly eventSource: "aws:dynamodb";
  readonly awsRegion: string;
  readonly dynamodb: {
    /** Epoch milliseconds. */
    readonly createdAt: number;
    readonly Keys: Item;
    readonly NewImage?: Item;
    readonly OldImage?: Item;
    readonly SequenceNumber: string;
    readonly SizeBytes: number;
    readonly StreamViewType: StreamDescription["viewType"];
  };
  readonly userIdentity?: { readonly type: "Service"; readonly principalId: "dynamodb.amazonaws.com" };
}

/** The streams of tables, for their API and for event source mappings. */
export interface StreamsPort {
  /** Undefined for an ARN of none. */
  find(arn: string): Promise<StreamDescription | undefined>;
  /** Streams of an account and region, by table. */
  list(place: { readonly account: string; readonly region: string }): Promise<readonly StreamDescription[]>;
  /**
   * The place after the last record; before the first. A place is a number that grows with every record.
   *
   * @param reader a transaction that must not commit when a record is added meanwhile
   */
  latest(arn: string, reader?: Reader): Promise<number>;
  /** The place before the oldest record that is still kept; the latest where none is. */
  oldest(arn: string): Promise<number>;
  /** The place just before the record with this sequence number; undefined for what is none. */
  before(sequence: string): number | undefined;
  /** Records after a place, oldest first, at the most so many and 1 MB; those of the last 24 hours. */
  read(
    arn: string,
    after: number,
    limit: number,
  ): Promise<{ readonly records: readonly StreamedRecord[]; readonly at: number; readonly ended: boolean }>;
  /** Calls back when there may be more to read: once when it has begun to watch, too. */
  watch(arn: string, listener: () => void): () => void;
}
