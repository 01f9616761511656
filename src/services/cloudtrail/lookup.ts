import type * as sdk from "@aws-sdk/client-cloudtrail";
import { AwsError, notImplemented } from "../../aws/error.ts";
import type { Key, Store } from "../../kernel/store/store.ts";
import type { InputOf, OperationsOf } from "../../wire/service.ts";
import { cloudtrailLimits as limits } from "./limits.ts";
import { eventsPrefix, type TrailEvent } from "./model.ts";
import type { Trail } from "./trail.ts";

type Sdk = typeof sdk;
type Input = InputOf<Sdk, "LookupEvents">;

/** LookupEvents: newest first, of the account and region that are asked. */
export function lookupOperations({ store, trail }: { readonly store: Store; readonly trail: Trail }) {
  return {
    LookupEvents: {
      authorize: () => [{ action: "cloudtrail:LookupEvents", resource: "*" }],
      async run(input, call) {
        if (input.EventCategory !== undefined) throw notImplemented(`The event category ${input.EventCategory}`);
        const matches = toFilter(input);
        const asked = questionOf(input);
        const prefix = eventsPrefix(call.account, call.region);
        const from = Math.max(input.StartTime?.getTime() ?? 0, call.now - limits.keptMs);
        // The end counts in whole seconds, as it is told.
        const until = input.EndTime === undefined ? Number.MAX_SAFE_INTEGER : input.EndTime.getTime() + 999;
        if (from > until) {
          throw new AwsError("InvalidTimeRangeException", 400, "Start time must be before end time.");
        }
        await trail.flush();
        let end: Key =
          input.NextToken === undefined ? [...prefix, until + 1] : parseToken(input.NextToken, asked, prefix);
        const wanted = input.MaxResults ?? limits.pageEvents;
        const found: TrailEvent[] = [];
        for (let scanned = 0; scanned < limits.scannedEventsMax; scanned += limits.scanEntries) {
          const entries = await store.read((reader) =>
            reader.range<TrailEvent>({ start: [...prefix, from], end }, { limit: limits.scanEntries, reverse: true }),
          );
          for (const { key, value } of entries) {
            end = key;
            if (matches(value)) found.push(value);
            if (found.length === wanted) return { Events: found.map(toAnswer), NextToken: toToken(asked, key) };
          }
          if (entries.length < limits.scanEntries) return { Events: found.map(toAnswer) };
        }
        return { Events: found.map(toAnswer), NextToken: toToken(asked, end) };
      },
    },
  } satisfies OperationsOf<Sdk>;
}

function toFilter(input: Input): (event: TrailEvent) => boolean {
  const attributes = input.LookupAttributes ?? [];
  const [attribute, ...more] = attributes;
  if (!attribute) return () => true;
  const value = attribute.AttributeValue ?? "";
  if (more.length > 0) {
    throw new AwsError("InvalidLookupAttributesException", 400, "You can use only one lookup attribute.");
  }
  switch (attribute.AttributeKey) {
    case "EventId":
      return (event) => event.eventId === value;
    case "EventName":
      return (event) => event.name === value;
    case "ReadOnly":
      if (value !== "true" && value !== "false") {
        throw new AwsError("InvalidLookupAttributesException", 400, "The value of ReadOnly must be true or false.");
      }
      return (event) => String(event.readOnly) === value;
    case "Username":
      return (event) => event.userName === value;
    case "ResourceType":
      return (event) => event.resources.some(({ type }) => type === value);
    case "ResourceName":
      return (event) => event.resources.some(({ name }) => name === value);
    case "EventSource":
      return (event) => event.source === value;
    case "AccessKeyId":
      return (event) => event.accessKeyId === value;
    default:
      throw new AwsError("InvalidLookupAttributesException", 400, "The lookup attribute is not valid.");
  }
}

function toAnswer(event: TrailEvent) {
  return {
    EventId: event.eventId,
    EventName: event.name,
    ReadOnly: String(event.readOnly),
    ...(event.accessKeyId !== undefined && { AccessKeyId: event.accessKeyId }),
    EventTime: new Date(event.at),
    EventSource: event.source,
    ...(event.userName !== undefined && { Username: event.userName }),
    Resources: event.resources.map(({ type, name }) => ({ ResourceType: type, ResourceName: name })),
    CloudTrailEvent: event.record,
  };
}

/** What a token goes on with must be the same question. */
function questionOf({ LookupAttributes, StartTime, EndTime }: Input): string {
  return JSON.stringify([LookupAttributes ?? [], StartTime?.getTime() ?? null, EndTime?.getTime() ?? null]);
}

function toToken(asked: string, last: Key): string {
  return Buffer.from(JSON.stringify([1, asked, ...last.slice(-2)])).toString("base64url");
}

function parseToken(token: string, asked: string, prefix: Key): Key {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(token, "base64url").toString("utf8"));
    const [version, question, at, eventId]: readonly unknown[] = Array.isArray(parsed) ? parsed : [];
    if (version === 1 && question === asked && typeof at === "number" && typeof eventId === "string") {
      return [...prefix, at, eventId];
    }
  } catch {
    // It is none of ours.
  }
  throw new AwsError("InvalidNextTokenException", 400, "Invalid pagination token");
}
