import { notImplemented } from "../../../aws/error.ts";
import type { Reader } from "../../../kernel/store/store.ts";
import type { OperationsOf } from "../../../wire/service.ts";
import { beforeAll, readForward, type Position } from "../chunks.ts";
import { invalidParameter, streamNotFound } from "../errors.ts";
import { parseFilterPattern } from "../filter-pattern/parse.ts";
import { logsLimits } from "../limits.ts";
import { mergeStreams, type StreamEvent } from "../merge.ts";
import { readStream, type LogStream } from "../model.ts";
import { groupNameOf, toEventId } from "../rules.ts";
import { invalidToken, parseToken, toToken } from "../tokens.ts";
import { readStreams } from "./log-streams.ts";
import { existingGroup, onGroup, type OperationNeeds, type Sdk } from "./needs.ts";

export function filterOperations({ store, writer }: OperationNeeds) {
  return {
    FilterLogEvents: {
      authorize: (input, call) => onGroup("FilterLogEvents", groupNameOf(input, call), call),
      async run(input, call) {
        const { startTime = 0, endTime = Number.MAX_SAFE_INTEGER, limit = logsLimits.pageEventsMax } = input;
        if (input.startFromHead === false) throw notImplemented("startFromHead=false of FilterLogEvents");
        if (input.logStreamNames && input.logStreamNamePrefix !== undefined) {
          throw invalidParameter("logStreamNames and logStreamNamePrefix are mutually exclusive parameters.");
        }
        if (startTime > endTime) throw invalidParameter("startTime must not be after endTime.");
        const matches = parseFilterPattern(input.filterPattern ?? "");
        const token = input.nextToken === undefined ? undefined : parseToken(input.nextToken);
        if (token && token.kind !== "p") throw invalidToken();
        const lowest: Position = startTime > 0 ? [startTime, -1, -1, -1, -1] : beforeAll;
        const after = token && token.position[0] >= lowest[0] ? token.position : lowest;
        await writer.flush();
        const page = await store.read(async (reader) => {
          const group = await existingGroup(reader, call, groupNameOf(input, call));
          const streams = await chooseStreams(reader, group.id, input.logStreamNames, input.logStreamNamePrefix);
          const sources = streams
            .filter(
              (stream) => (stream.lastEventAt ?? -1) >= after[0] && (stream.firstEventAt ?? 0) < endInclusive(endTime),
            )
            .map((stream) => ({
              streamName: stream.name,
              events: readForward(reader, group.id, stream.id, after, endInclusive(endTime)),
            }));
          return scan(mergeStreams(sources), matches, limit);
        });
        return {
          events: page.found.map((event) => ({
            logStreamName: event.streamName,
            timestamp: event.timestamp,
            message: event.message,
            ingestionTime: event.ingestionTime,
            eventId: toEventId(event.position),
          })),
          // AWS: always empty since 2019. (API reference, FilterLogEvents)
          searchedLogStreams: [],
          ...(page.end && { nextToken: toToken("p", page.end) }),
        };
      },
    },
  } satisfies OperationsOf<Sdk>;
}

/** AWS: "Events with a timestamp later than this time are not returned": one at that very time is. */
function endInclusive(endTime: number): number {
  return endTime === Number.MAX_SAFE_INTEGER ? endTime : endTime + 1;
}

async function chooseStreams(
  reader: Reader,
  groupId: string,
  names: readonly string[] | undefined,
  prefix: string | undefined,
): Promise<LogStream[]> {
  if (!names) return readStreams(reader, groupId, prefix ?? "");
  const found = await Promise.all([...new Set(names)].map((name) => readStream(reader, groupId, name)));
  const streams = found.filter((stream) => stream !== undefined);
  if (streams.length < found.length) throw streamNotFound();
  return streams;
}

/** One page: what matches among the next events, and where it ended when there may be more. */
async function scan(
  events: AsyncIterable<StreamEvent>,
  matches: (message: string) => boolean,
  limit: number,
): Promise<{ readonly found: readonly StreamEvent[]; readonly end?: Position }> {
  const found: StreamEvent[] = [];
  let scanned = 0;
  let bytes = 0;
  let end: Position | undefined;
  for await (const event of events) {
    const full = found.length >= limit || scanned >= logsLimits.scanEventsMax || bytes >= logsLimits.pageBytesMax;
    if (full && end) return { found, end };
    scanned += 1;
    end = event.position;
    if (!matches(event.message)) continue;
    found.push(event);
    bytes += Buffer.byteLength(event.message) + logsLimits.eventOverheadBytes;
  }
  return { found };
}
