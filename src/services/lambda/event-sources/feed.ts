import { compileEventPattern } from "../../../aws/event-pattern/event-pattern.ts";
import type { EventSource, SourceRecord } from "./event-source.ts";
import { eventSourceLimits } from "./limits.ts";
import type { LaneAddress, MappingRecord } from "./model.ts";

/** A record as it goes into an event. */
export interface FedRecord extends Omit<SourceRecord, "event" | "orderedBy"> {
  /** JSON */
  readonly text: string;
  readonly bytes: number;
}

/** What a lane has read and not handed over yet. */
export interface Feed {
  readonly records: readonly FedRecord[];
  /** Everything up to here has been read: it is among the records, or was not for this lane, or was filtered out. */
  readonly readTo: number;
  /** When the first of the records was read; undefined when there is none. */
  readonly since: number | undefined;
  /** Read until there are so many records, or no more. False when the source is gone. */
  fill(count: number): Promise<boolean>;
  /** Read everything up to a place. */
  fillTo(place: number): Promise<boolean>;
  /** The first so many, which leave it. */
  take(count: number): readonly FedRecord[];
}

export function createFeed(needs: {
  readonly source: EventSource;
  readonly mapping: MappingRecord;
  readonly lane: LaneAddress;
  readonly position: number;
  readonly now: () => number;
  /** Told how many of the lane's records were read, and how many of these no filter lets pass. */
  readonly count: (polled: number, filteredOut: number) => void;
}): Feed {
  const { source, mapping, lane, now } = needs;
  const filters = mapping.settings.filters?.map(compileEventPattern);
  let records: FedRecord[] = [];
  let readTo = needs.position;
  let since: number | undefined;

  const accept = (record: SourceRecord): FedRecord | undefined => {
    const text = JSON.stringify(record.event);
    // As functions would see it.
    if (filters && !filters.some((matches) => matches(record.event))) return undefined;
    const { at, sequenceNumber, arrivedAt } = record;
    return { at, sequenceNumber, arrivedAt, text, bytes: Buffer.byteLength(text) };
  };

  const readPage = async (): Promise<"more" | "end" | "gone"> => {
    const page = await source.read(mapping.sourceArn, lane.shard, readTo, eventSourceLimits.pageRecords);
    if (page === undefined) return "gone";
    const own = page.records.filter(({ orderedBy }) => isOfLane(orderedBy, lane.lane, mapping.lanes));
    const accepted = own.map(accept).filter((record) => record !== undefined);
    if (own.length > 0) needs.count(own.length, own.length - accepted.length);
    if (accepted.length > 0) since ??= now();
    records.push(...accepted);
    const isEnd = page.at === readTo;
    readTo = page.at;
    return isEnd ? "end" : "more";
  };

  const readUntil = async (isEnough: () => boolean): Promise<boolean> => {
    while (!isEnough()) {
      const read = await readPage();
      if (read === "gone") return false;
      if (read === "end") break;
    }
    return true;
  };

  return {
    get records() {
      return records;
    },
    get readTo() {
      return readTo;
    },
    get since() {
      return since;
    },
    fill: (count) => readUntil(() => records.length >= count),
    fillTo: (place) => readUntil(() => readTo >= place),
    take: (count) => {
      const taken = records.slice(0, count);
      records = records.slice(count);
      since = records.length > 0 ? now() : undefined;
      return taken;
    },
  };
}

/** FNV-1a: the same items fall to the same lane on every node. */
function isOfLane(orderedBy: string, lane: number, lanes: number): boolean {
  if (lanes === 1) return true;
  let hash = 0x811c9dc5;
  for (let at = 0; at < orderedBy.length; at += 1) hash = Math.imul(hash ^ orderedBy.charCodeAt(at), 0x01000193);
  return (hash >>> 0) % lanes === lane;
}
