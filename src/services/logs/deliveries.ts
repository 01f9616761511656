import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { AwsError } from "../../aws/error.ts";
import type { Ids } from "../../kernel/ids.ts";
import type { Jobs } from "../../kernel/jobs/jobs.ts";
import type { Transaction } from "../../kernel/store/store.ts";
import type { StoredEvent } from "./chunks.ts";
import type { FilterPattern } from "./filter-pattern/fields.ts";
import { logsLimits } from "./limits.ts";
import { groupArn, type LogGroup, type Place, type SubscriptionFilter } from "./model.ts";
import type { LogsNeeds } from "./operations/needs.ts";
import { toEventId } from "./rules.ts";

const kind = "logs.deliver";
const zip = promisify(gzip);

/** What a subscription's destination is handed, as stored in the job. Version 1. */
interface Delivery {
  readonly v: 1;
  readonly place: Place;
  readonly group: string;
  readonly stream: string;
  readonly filter: string;
  readonly destinationArn: string;
  readonly events: readonly DeliveredEvent[];
}

interface DeliveredEvent {
  readonly id: string;
  readonly timestamp: number;
  readonly message: string;
  readonly extractedFields?: Readonly<Record<string, string>>;
}

/** Events that matched go to the filter's destination: jobs, written with the events themselves. */
export function scheduleDeliveries(
  tx: Transaction,
  needs: { readonly jobs: Jobs; readonly ids: Ids },
  matched: {
    readonly place: Place;
    readonly group: LogGroup;
    readonly stream: string;
    readonly filter: SubscriptionFilter;
    readonly pattern: FilterPattern;
    readonly events: readonly StoredEvent[];
    readonly now: number;
  },
): void {
  const { place, group, stream, filter, pattern, now } = matched;
  let events: DeliveredEvent[] = [];
  let bytes = 0;
  const close = () => {
    if (events.length === 0) return;
    const { account, region } = place;
    const payload: Delivery = {
      v: 1,
      place: { account, region },
      group: group.name,
      stream,
      filter: filter.name,
      destinationArn: filter.destinationArn,
      events,
    };
    needs.jobs.schedule(tx, { kind, key: [group.id, filter.name, needs.ids.uuid()], at: now, payload });
    events = [];
    bytes = 0;
  };
  for (const { position, timestamp, message } of matched.events) {
    const size = Buffer.byteLength(message) + logsLimits.eventOverheadBytes;
    if (events.length >= logsLimits.deliveryEventsMax || bytes + size > logsLimits.deliveryBytesMax) close();
    const event = { id: toEventId(position), timestamp, message };
    events.push(
      pattern.kind === "words" ? { ...event, extractedFields: withoutDollars(pattern.extract(message)) } : event,
    );
    bytes += size;
  }
  close();
}

export function handleDeliveries(needs: Pick<LogsNeeds, "jobs" | "lambda" | "log">): void {
  needs.jobs.handle(kind, {
    concurrency: logsLimits.deliveriesAtOnce,
    async run(job) {
      const delivery = toDelivery(job.payload);
      const message = {
        messageType: "DATA_MESSAGE",
        owner: delivery.place.account,
        logGroup: delivery.group,
        logStream: delivery.stream,
        subscriptionFilters: [delivery.filter],
        logEvents: delivery.events,
      };
      const data = (await zip(JSON.stringify(message))).toString("base64");
      const payload = Buffer.from(JSON.stringify({ awslogs: { data } }));
      try {
        await invokeAsLogs(needs, delivery, { InvocationType: "Event", Payload: payload }, job.signal);
      } catch (error) {
        // What Lambda refuses it will refuse again; a throttle or a failure of the platform passes.
        if (!(error instanceof AwsError) || error.status >= 500 || error.status === 429) throw error;
        needs.log.warn("Log events could not be delivered to their subscription", {
          error: `${error.code}: ${error.message}`,
          group: delivery.group,
          filter: delivery.filter,
          events: delivery.events.length,
        });
      }
    },
  });
}

/** Invoke a function for a log group, as resource policies name CloudWatch Logs: with the region in the name, or without. */
export async function invokeAsLogs(
  needs: Pick<LogsNeeds, "lambda">,
  to: { readonly place: Place; readonly group: string; readonly destinationArn: string },
  how: { readonly InvocationType: "Event" | "DryRun"; readonly Payload?: Uint8Array },
  signal: AbortSignal,
): Promise<void> {
  const invoke = (service: string) => {
    const sourceArn = `${groupArn(to.place, to.group)}:*`;
    const principal = { type: "service" as const, service, sourceArn, sourceAccount: to.place.account };
    const { account, region } = to.place;
    return needs
      .lambda({ principal, account, region, endpoint: "", signal })
      .Invoke({ FunctionName: to.destinationArn, ...how });
  };
  try {
    await invoke("logs.amazonaws.com");
  } catch (error) {
    if (!(error instanceof AwsError) || error.status !== 403) throw error;
    await invoke(`logs.${to.place.region}.amazonaws.com`);
  }
}

// Written by `scheduleDeliveries`.
function toDelivery(payload: unknown): Delivery {
  return payload as Delivery;
}

function withoutDollars(values: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name.slice(1), value]));
}
