import type { Reader } from "../../../kernel/store/store.ts";
import type { OperationsOf } from "../../../wire/service.ts";
import { invalidParameter, streamExists, streamNotFound } from "../errors.ts";
import { logsLimits } from "../limits.ts";
import { readStream, streamArn, streamPrefix, writeStream, type LogStream, type Place } from "../model.ts";
import { groupNameOf, present } from "../rules.ts";
import { parseNameToken, toNameToken } from "../tokens.ts";
import { forgetStream } from "../worker.ts";
import { newStream } from "../writer.ts";
import { existingGroup, onGroup, onStream, type OperationNeeds, type Sdk } from "./needs.ts";
import { withResourcePolicies } from "./resource-policies.ts";

export function logStreamOperations({ store, jobs, ids, writer }: OperationNeeds) {
  return {
    CreateLogStream: {
      authorize: (input, call) =>
        withResourcePolicies(
          store,
          onStream("CreateLogStream", present(input.logGroupName, "logGroupName"), input.logStreamName ?? "", call),
          call,
        ),
      async run(input, call) {
        const name = present(input.logStreamName, "logStreamName");
        await writer.flush();
        await store.transact(async (tx) => {
          const group = await existingGroup(tx, call, present(input.logGroupName, "logGroupName"));
          if (await readStream(tx, group.id, name)) throw streamExists();
          writeStream(tx, group.id, newStream(name, call.now, ids));
        });
        return {};
      },
    },

    DeleteLogStream: {
      authorize: (input, call) =>
        onStream("DeleteLogStream", present(input.logGroupName, "logGroupName"), input.logStreamName ?? "", call),
      async run(input, call) {
        const name = present(input.logStreamName, "logStreamName");
        await writer.flush();
        await store.transact(async (tx) => {
          const group = await existingGroup(tx, call, present(input.logGroupName, "logGroupName"));
          const stream = await readStream(tx, group.id, name);
          if (!stream) throw streamNotFound();
          tx.delete([...streamPrefix(group.id), name]);
          forgetStream(tx, jobs, group.id, stream, call.now);
        });
        return {};
      },
    },

    DescribeLogStreams: {
      authorize: (input, call) => onGroup("DescribeLogStreams", groupNameOf(input, call), call),
      async run(input, call) {
        const group = groupNameOf(input, call);
        const { logStreamNamePrefix: prefix = "", orderBy = "LogStreamName", descending = false } = input;
        if (orderBy === "LastEventTime" && prefix !== "") {
          throw invalidParameter("Cannot order by LastEventTime with a logStreamNamePrefix.");
        }
        const limit = input.limit ?? logsLimits.describeLimitDefault;
        await writer.flush();
        const streams = await store.read(async (reader) => {
          const { id } = await existingGroup(reader, call, group);
          return readStreams(reader, id, prefix);
        });
        streams.sort(orderBy === "LastEventTime" ? byLastEvent : byName);
        if (descending) streams.reverse();
        const from =
          input.nextToken === undefined ? 0 : indexAfter(streams, parseNameToken(input.nextToken), orderBy, descending);
        const page = streams.slice(from, from + limit);
        const last = page.at(-1);
        return {
          logStreams: page.map((stream) => describeStream(stream, group, call)),
          ...(from + limit < streams.length && last && { nextToken: toNameToken(streamToken(last)) }),
        };
      },
    },
  } satisfies OperationsOf<Sdk>;
}

/** Every stream of a group whose name starts so. */
export async function readStreams(reader: Reader, groupId: string, prefix: string): Promise<LogStream[]> {
  const streams: LogStream[] = [];
  const at = prefix === "" ? undefined : await readStream(reader, groupId, prefix);
  if (at) streams.push(at);
  let after = prefix === "" ? undefined : prefix;
  for (;;) {
    const entries = await reader.range<LogStream>(
      { prefix: streamPrefix(groupId), ...(after !== undefined && { after: [...streamPrefix(groupId), after] }) },
      { limit: 500 },
    );
    for (const { value } of entries) {
      if (!value.name.startsWith(prefix)) return streams;
      streams.push(value);
    }
    if (entries.length < 500) return streams;
    after = entries.at(-1)?.value.name;
  }
}

function byName(a: LogStream, b: LogStream): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}

/** AWS: streams without an event come first. */
function byLastEvent(a: LogStream, b: LogStream): number {
  return (a.lastEventAt ?? 0) - (b.lastEventAt ?? 0) || byName(a, b);
}

function streamToken(stream: LogStream): string {
  return `${stream.lastEventAt ?? 0}:${stream.name}`;
}

function indexAfter(streams: readonly LogStream[], token: string, orderBy: string, descending: boolean): number {
  const [time, ...name] = token.split(":");
  const mark = { lastEventAt: Number(time), name: name.join(":") };
  const order = (stream: LogStream) =>
    orderBy === "LastEventTime"
      ? (stream.lastEventAt ?? 0) - mark.lastEventAt || byName(stream, { ...stream, name: mark.name })
      : byName(stream, { ...stream, name: mark.name });
  const index = streams.findIndex((stream) => (descending ? order(stream) < 0 : order(stream) > 0));
  return index < 0 ? streams.length : index;
}

function describeStream(stream: LogStream, group: string, place: Place) {
  return {
    logStreamName: stream.name,
    creationTime: stream.createdAt,
    ...(stream.firstEventAt !== undefined && { firstEventTimestamp: stream.firstEventAt }),
    ...(stream.lastEventAt !== undefined && { lastEventTimestamp: stream.lastEventAt }),
    ...(stream.lastIngestionAt !== undefined && {
      lastIngestionTime: stream.lastIngestionAt,
      uploadSequenceToken: uploadSequenceToken(stream.lastIngestionAt),
    }),
    arn: streamArn(place, group, stream.name),
    // AWS: "IMPORTANT: since 17 June 2019 this is always zero." (API reference, LogStream)
    storedBytes: 0,
  };
}

/** AWS ignores sequence tokens since 2023, but still answers one. */
export function uploadSequenceToken(lastIngestionAt: number): string {
  return `49${String(lastIngestionAt).padStart(54, "0")}`;
}
