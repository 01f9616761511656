import { notImplemented } from "../../../aws/error.ts";
import type { OperationsOf } from "../../../wire/service.ts";
import { beforeAll, readBackward, readForward, type Position, type StoredEvent } from "../chunks.ts";
import { invalidParameter, streamNotFound } from "../errors.ts";
import { logsLimits } from "../limits.ts";
import { readStream } from "../model.ts";
import { groupNameOf, judgeBatch, present } from "../rules.ts";
import { invalidToken, parseToken, toToken } from "../tokens.ts";
import { withResourcePolicies } from "./resource-policies.ts";
import { uploadSequenceToken } from "./log-streams.ts";
import { existingGroup, onStream, type OperationNeeds, type Sdk } from "./needs.ts";

export function logEventOperations({ store, writer }: OperationNeeds) {
  return {
    PutLogEvents: {
      authorize: (input, call) =>
        withResourcePolicies(
          store,
          onStream("PutLogEvents", present(input.logGroupName, "logGroupName"), input.logStreamName ?? "", call),
          call,
        ),
      async run(input, call) {
        if (input.entity !== undefined) throw notImplemented("The parameter entity of PutLogEvents");
        const events = present(input.logEvents, "logEvents").map(({ timestamp, message }) => ({
          timestamp: present(timestamp, "timestamp"),
          message: present(message, "message"),
        }));
        const name = present(input.logStreamName, "logStreamName");
        await writer.flush();
        const judged = await store.transact(async (tx) => {
          const group = await existingGroup(tx, call, present(input.logGroupName, "logGroupName"));
          if (!(await readStream(tx, group.id, name))) throw streamNotFound();
          const result = judgeBatch(events, call.now, group.retentionInDays);
          if (result.accepted.length > 0) {
            await writer.write(tx, call, group, name, result.accepted, call.now);
          }
          return result;
        });
        return {
          nextSequenceToken: uploadSequenceToken(call.now),
          ...(judged.rejected && { rejectedLogEventsInfo: judged.rejected }),
        };
      },
    },

    GetLogEvents: {
      authorize: (input, call) => onStream("GetLogEvents", groupNameOf(input, call), input.logStreamName ?? "", call),
      async run(input, call) {
        const name = present(input.logStreamName, "logStreamName");
        const { startTime = 0, endTime = Number.MAX_SAFE_INTEGER, limit = logsLimits.pageEventsMax } = input;
        if (startTime > endTime) throw invalidParameter("startTime must not be after endTime.");
        const token = input.nextToken === undefined ? undefined : parseToken(input.nextToken);
        if (token?.kind === "p") throw invalidToken();
        const forward = token ? token.kind === "f" : (input.startFromHead ?? false);
        const lowest: Position = [startTime, -1, -1, -1, -1];
        await writer.flush();
        const events = await store.read(async (reader) => {
          const group = await existingGroup(reader, call, groupNameOf(input, call));
          const stream = await readStream(reader, group.id, name);
          if (!stream) throw streamNotFound();
          if (forward) {
            const after = laterOf(token?.position ?? beforeAll, lowest);
            return takePage(readForward(reader, group.id, stream.id, after, endTime), limit);
          }
          const before = token?.position ?? [endTime, -1, -1, -1, -1];
          return (await takePage(readBackward(reader, group.id, stream.id, before, startTime), limit)).toReversed();
        });
        // Without events a page ends where it began, so that clients see the same token again and stop.
        const [first, last] = [events[0]?.position, events.at(-1)?.position];
        const here = token?.position ?? (forward || startTime > 0 ? lowest : beforeAll);
        return {
          events: events.map(({ timestamp, message, ingestionTime }) => ({ timestamp, message, ingestionTime })),
          nextForwardToken: toToken("f", last ?? here),
          nextBackwardToken: toToken("b", first ?? here),
        };
      },
    },
  } satisfies OperationsOf<Sdk>;
}

function laterOf(a: Position, b: Position): Position {
  return a[0] >= b[0] ? a : b;
}

async function takePage(events: AsyncIterable<StoredEvent>, limit: number): Promise<StoredEvent[]> {
  const page: StoredEvent[] = [];
  let bytes = 0;
  for await (const event of events) {
    bytes += Buffer.byteLength(event.message) + logsLimits.eventOverheadBytes;
    if (page.length > 0 && bytes > logsLimits.pageBytesMax) break;
    page.push(event);
    if (page.length >= limit) break;
  }
  return page;
}
