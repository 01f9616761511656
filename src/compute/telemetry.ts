import { Agent, request as httpRequest } from "node:http";
import type { Duplex } from "node:stream";
import type { Clock } from "../kernel/clock.ts";
import type { ComputeLimits } from "./limits.ts";
import type { RecordObserver } from "./system-log.ts";
import type { SystemRecord, SystemRecords } from "./system-records.ts";
import type { Subscription, TelemetryType } from "./telemetry-subscription.ts";

/**
 * What happens in one environment, sent to those of its extensions that have subscribed: in batches, one at a time for each
 * subscription. Source: "Lambda Telemetry API", "Lambda Logs API".
 */
export interface Telemetry extends RecordObserver {
  /** Lines matter: somebody has subscribed, or still may. */
  readonly hears: boolean;
  readonly open: boolean;
  line(type: "function" | "extension", text: string): void;
  /** In place of an earlier one of the same extension and API. */
  subscribe(extensionId: string, subscription: Subscription): void;
  /** The init is over: nobody subscribes any more. */
  closeSubscription(): void;
  /** Send what is held now. Resolves when it has been taken, or cannot be. */
  flush(): Promise<void>;
  close(): void;
}

export interface TelemetryNeeds {
  readonly clock: Clock;
  readonly limits: ComputeLimits;
  readonly records: SystemRecords;
  /** Into the environment's own network. */
  readonly connect: (port: number) => Duplex;
  /** Lines of the function are JSON objects. */
  readonly jsonLines: boolean;
}

/** A record of the platform's, or a line. */
interface Told {
  readonly type: TelemetryType;
  readonly event: string;
  readonly time: string;
  readonly record: SystemRecord["record"] | undefined;
  readonly text: string | undefined;
}

interface Subscriber {
  readonly subscription: Subscription;
  readonly send: Sender;
  queue: string[];
  queuedBytes: number;
  dropped: { records: number; bytes: number };
  sending: Promise<void> | undefined;
  cancelTimer: (() => void) | undefined;
}

/** Rejects when it was not taken. */
interface Sender {
  (events: readonly string[]): Promise<void>;
  close(): void;
}

export function createTelemetry(needs: TelemetryNeeds): Telemetry {
  const { clock, limits } = needs;
  const subscribers = new Map<string, Subscriber>();
  /** What came before anybody could have subscribed; AWS sends that too. */
  let before: Told[] = [];
  let beforeBytes = 0;
  let open = true;
  let closed = false;

  const add = (subscriber: Subscriber, event: string) => {
    const bytes = Buffer.byteLength(event) + 1;
    if (subscriber.queuedBytes + bytes > limits.telemetryQueueBytesMax) {
      subscriber.dropped.records += 1;
      subscriber.dropped.bytes += bytes;
      return;
    }
    subscriber.queue.push(event);
    subscriber.queuedBytes += bytes;
    const { maxItems, maxBytes, timeoutMs } = subscriber.subscription;
    if (subscriber.queue.length >= maxItems || subscriber.queuedBytes >= maxBytes) void send(subscriber);
    else subscriber.cancelTimer ??= clock.after(timeoutMs, () => void send(subscriber));
  };

  /** One batch after the other. What was not taken is kept and sent again. */
  const send = (subscriber: Subscriber): Promise<void> => {
    subscriber.cancelTimer?.();
    subscriber.cancelTimer = undefined;
    if (subscriber.queue.length === 0) return subscriber.sending ?? Promise.resolve();
    subscriber.sending ??= sendBatch(subscriber).finally(() => {
      subscriber.sending = undefined;
      if (subscriber.queue.length > 0 && !closed) {
        subscriber.cancelTimer ??= clock.after(subscriber.subscription.timeoutMs, () => void send(subscriber));
      }
    });
    return subscriber.sending;
  };

  const sendBatch = async (subscriber: Subscriber): Promise<void> => {
    const batch = batchOf(subscriber);
    const { records, bytes } = subscriber.dropped;
    const said = records === 0 ? [] : [toEvent(dropped(records, bytes), now())];
    try {
      await subscriber.send([...said, ...batch]);
    } catch {
      return;
    }
    subscriber.queue.splice(0, batch.length);
    subscriber.queuedBytes -= batch.reduce((sum, event) => sum + Buffer.byteLength(event) + 1, 0);
    subscriber.dropped = { records: subscriber.dropped.records - records, bytes: subscriber.dropped.bytes - bytes };
  };
  const dropped = (records: number, bytes: number) =>
    needs.records.logsDropped("The destination has not taken records as fast as they came.", records, bytes);

  const now = () => new Date(clock.now()).toISOString();
  const hear = (subscriber: Subscriber, { type, event, time, record, text }: Told) => {
    const { hears, objects } = subscriber.subscription;
    if (!hears(type, event)) return;
    const told = text === undefined ? record : needs.jsonLines && objects ? toObject(text) : text;
    add(subscriber, JSON.stringify({ time, type: event, record: told }));
  };
  const tell = (told: Told) => {
    for (const subscriber of subscribers.values()) hear(subscriber, told);
    if (!open || beforeBytes > limits.telemetryQueueBytesMax) return;
    before.push(told);
    beforeBytes += told.text?.length ?? 0;
  };

  return {
    get wanted() {
      return open || subscribers.size > 0;
    },
    get hears() {
      return open || subscribers.size > 0;
    },
    get open() {
      return open;
    },
    tell: ({ type: event, record }) => tell({ type: "platform", event, time: now(), record, text: undefined }),
    line: (type, text) => tell({ type, event: type, time: now(), record: undefined, text }),
    subscribe(extensionId, subscription) {
      const key = `${extensionId} ${subscription.api}`;
      const old = subscribers.get(key);
      old?.cancelTimer?.();
      old?.send.close();
      const sender = subscription.protocol === "HTTP" ? httpSender : tcpSender;
      const subscriber: Subscriber = {
        subscription,
        send: sender(needs.connect, subscription),
        queue: [],
        queuedBytes: 0,
        dropped: { records: 0, bytes: 0 },
        sending: undefined,
        cancelTimer: undefined,
      };
      subscribers.set(key, subscriber);
      for (const told of before) hear(subscriber, told);
    },
    closeSubscription() {
      open = false;
      before = [];
    },
    async flush() {
      await Promise.all([...subscribers.values()].map(send));
    },
    close() {
      closed = true;
      for (const subscriber of subscribers.values()) {
        subscriber.cancelTimer?.();
        subscriber.send.close();
      }
    },
  };
}

/** At least one; else what fits. */
function batchOf({ queue, subscription }: Subscriber): readonly string[] {
  let bytes = 0;
  let count = 0;
  for (const event of queue) {
    bytes += Buffer.byteLength(event) + 1;
    if (count > 0 && (bytes > subscription.maxBytes || count >= subscription.maxItems)) break;
    count += 1;
  }
  return queue.slice(0, count);
}

function toEvent({ type, record }: SystemRecord, time: string): string {
  return JSON.stringify({ time, type, record });
}

function toObject(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : text;
  } catch {
    return text;
  }
}

/** A batch is a JSON array in a POST, on one connection that is kept. */
function httpSender(connect: (port: number) => Duplex, { port, path }: Subscription): Sender {
  const agent = Object.assign(new Agent({ keepAlive: true, maxSockets: 1 }), { createConnection: () => connect(port) });
  const send = (events: readonly string[]): Promise<void> =>
    new Promise((resolve, reject) => {
      const body = `[${events.join(",")}]`;
      const headers = { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(body) };
      const host = `sandbox.localdomain:${port}`;
      const request = httpRequest({ agent, method: "POST", path, headers: { Host: host, ...headers } }, (response) => {
        response.resume();
        response.once("end", () => {
          if ((response.statusCode ?? 500) < 400) resolve();
          else reject(new Error(`The destination answered ${response.statusCode}`));
        });
        response.once("error", reject);
      });
      request.once("error", reject);
      request.once("close", () => reject(new Error("The destination has closed the connection")));
      request.end(body);
    });
  return Object.assign(send, { close: () => agent.destroy() });
}

/** Events are lines. */
function tcpSender(connect: (port: number) => Duplex, { port }: Subscription): Sender {
  let stream: Duplex | undefined;
  const send = (events: readonly string[]): Promise<void> =>
    new Promise((resolve, reject) => {
      if (stream === undefined || stream.destroyed) stream = connect(port);
      const used = stream;
      used.once("error", reject);
      used.write(`${events.join("\n")}\n`, (error) => {
        used.off("error", reject);
        if (error) reject(error);
        else resolve();
      });
    });
  return Object.assign(send, { close: () => void stream?.destroy() });
}
